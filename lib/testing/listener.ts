// Whether a Listener keeps the promises of its interface.

import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert';
import { checkFunction, checkObject } from '../check';
import type { Conn } from '../conn';
import type { Listener } from '../listener';
import { LONG_AGO, readFull } from './bytes';
import {
  type ConformanceTest,
  failureOf,
  inBackground,
  type SuiteOptions,
  suiteOf,
  timesOut,
  turns,
  waits,
} from './suite';

/** A listener, and a way to it. */
export interface ListenerPair {
  listener: Listener;
  /** A new connection to the listener, which may not have been accepted yet. */
  dial(): Promise<Conn>;
  /** Releases the listener and all that was dialed. It is called in any case. */
  stop(): unknown;
}

/** Makes a new listener; called once for each test. */
export type MakeListener = () => Promise<ListenerPair>;

interface ListenerClaim {
  name: string;
  claim(made: Tested): Promise<void>;
}

/** What was made, with every connection remembered that is accepted through it. */
interface Tested extends ListenerPair {
  accept(): Promise<Conn>;
  keep(conn: Conn): Conn;
}

async function remembering(makeListener: MakeListener): Promise<Tested> {
  const made = await makeListener();
  const conns: Conn[] = [];
  const keep = (conn: Conn) => {
    conns.push(conn);
    return conn;
  };
  const stop = () => {
    for (const conn of conns) conn.close();
    return made.stop();
  };
  const accept = () => inBackground(made.listener.accept().then(keep))[0];
  return { listener: made.listener, dial: () => made.dial(), accept, keep, stop };
}

/** Tests that every Listener should pass, as a list of names and functions. */
export function testListener(makeListener: MakeListener, options: SuiteOptions = {}): ConformanceTest[] {
  checkFunction('makeListener', makeListener);
  checkObject('options', options);
  return suiteOf(claims, () => remembering(makeListener), options);
}

/** Which of the clients an accepted connection belongs to. */
async function nameOf(conn: Conn): Promise<string> {
  return String(await readFull(conn, 1));
}

async function dialAs(dial: () => Promise<Conn>, name: string): Promise<Conn> {
  const conn = await dial();
  await conn.write(name);
  return conn;
}

const claims: ListenerClaim[] = [
  {
    name: 'connections are accepted in the order in which they came',
    async claim({ accept, dial }) {
      for (const name of 'abcd') await dialAs(dial, name);
      let names = '';
      for (let i = 0; i < 4; i++) names += await nameOf(await accept());
      strictEqual(names, 'abcd');
    },
  },
  {
    name: 'accepts that wait are served in the order in which they were made',
    async claim({ accept, dial }) {
      const order: number[] = [];
      const accepts = [0, 1, 2].map(async (i) => {
        const conn = await accept();
        order.push(i);
        return conn;
      });
      inBackground(...accepts);
      await waits(accepts[0] as Promise<Conn>, 'accept()');
      for (const [i, name] of [...'abc'].entries()) {
        await dialAs(dial, name);
        strictEqual(await nameOf((await accepts[i]) as Conn), name);
      }
      deepStrictEqual(order, [0, 1, 2]);
    },
  },
  {
    name: 'a connection that came before accept() is whole, with what it had sent',
    async claim({ accept, dial }) {
      const client = await dialAs(dial, 'e');
      await turns();
      const server = await accept();
      strictEqual(await nameOf(server), 'e');
      await server.write('y');
      strictEqual(await nameOf(client), 'y');
    },
  },
  {
    name: 'close() ends every accept that waits',
    async claim({ listener }) {
      const accepts = [listener.accept(), listener.accept(), listener.accept()];
      await turns();
      strictEqual(listener.close(), true);
      for (const accept of accepts) ok((await failureOf(accept, 'accept()')).timeout !== true, 'it was a timeout');
    },
  },
  {
    name: 'close() answers true once; later accepts reject',
    async claim({ listener }) {
      deepStrictEqual([listener.close(), listener.close()], [true, false]);
      await failureOf(listener.accept(), 'accept()');
      throws(() => listener.setDeadline(null), 'setDeadline() did not throw');
    },
  },
  {
    name: 'the address stays after close()',
    async claim({ listener }) {
      const before = `${listener.addr}`;
      listener.close();
      strictEqual(`${listener.addr}`, before);
    },
  },
  {
    name: 'close() leaves accepted connections alone',
    async claim({ listener, accept, dial }) {
      const client = await dialAs(dial, 'c');
      const server = await accept();
      listener.close();
      strictEqual(await nameOf(server), 'c');
      await server.write('d');
      strictEqual(await nameOf(client), 'd');
    },
  },
  {
    name: 'close() ends connections that were not accepted',
    async claim({ listener, dial }) {
      const client = await dial();
      await turns();
      listener.close();
      const outcome = await client.read().catch((error: { timeout?: boolean }) => error);
      ok(outcome === null || outcome instanceof Error, 'it gave bytes');
      ok(!(outcome instanceof Error && (outcome as { timeout?: boolean }).timeout === true), 'it timed out');
    },
  },
  {
    name: 'a deadline in the past fails accepts, though a connection waits; without it, that is accepted',
    async claim({ listener, accept, dial }) {
      await dialAs(dial, 'w');
      await turns();
      listener.setDeadline(LONG_AGO);
      await timesOut(listener.accept(), 'accept()');
      await timesOut(listener.accept(), 'accept()');
      listener.setDeadline(null);
      strictEqual(await nameOf(await accept()), 'w');
    },
  },
  {
    name: 'a deadline in the future ends every accept that waits, and not before',
    async claim({ listener }) {
      const at = Date.now() + 50;
      listener.setDeadline(at);
      const accepts = [listener.accept(), listener.accept()];
      for (const accept of accepts) await timesOut(accept, 'accept()');
      ok(Date.now() >= at, `it came ${at - Date.now()} ms early`);
    },
  },
  {
    name: 'a deadline that is moved to the past ends accepts that wait',
    async claim({ listener }) {
      listener.setDeadline(Date.now() + 60_000);
      const accept = listener.accept();
      await turns();
      listener.setDeadline(LONG_AGO);
      await timesOut(accept, 'accept()');
    },
  },
  {
    name: 'a signal takes its accept out of the line, and leaves the others',
    async claim({ listener, accept, dial }) {
      const controller = new AbortController();
      const reason = new Error('changed my mind');
      const [first, second] = [listener.accept({ signal: controller.signal }), accept()];
      await turns();
      controller.abort(reason);
      strictEqual(await failureOf(first, 'accept()'), reason);
      strictEqual(await failureOf(listener.accept({ signal: controller.signal }), 'accept()'), reason);
      await dialAs(dial, 's');
      strictEqual(await nameOf(await second), 's');
    },
  },
  {
    name: 'iteration gives each connection, break closes nothing, and close() ends it without an error',
    async claim({ listener, keep, dial }) {
      for (const name of 'abc') await dialAs(dial, name);
      let names = '';
      for await (const conn of listener) {
        names += await nameOf(keep(conn));
        break;
      }
      for await (const conn of listener) {
        names += await nameOf(keep(conn));
        if (names.length === 3) setImmediate(() => listener.close());
      }
      strictEqual(names, 'abc');
    },
  },
  {
    name: 'accepts that nobody awaits end no process',
    async claim({ listener }) {
      void listener.accept();
      await turns();
      listener.close();
      void listener.accept();
      await turns();
    },
  },
  {
    name: 'disposing closes',
    async claim({ listener }) {
      listener[Symbol.dispose]();
      await listener[Symbol.asyncDispose]();
      strictEqual(listener.close(), false);
    },
  },
];
