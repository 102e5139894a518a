// Ends: of the stream, of one direction, of the connection.

import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert';
import type { Conn } from '../conn';
import { readFull, readToEnd } from './bytes';
import type { ConnClaim } from './conn';
import { failureOf, turns } from './suite';

export const endTests: ConnClaim[] = [
  {
    name: 'the end of the stream stays',
    async claim({ a, b }) {
      a.close();
      for (let i = 0; i < 3; i++) {
        strictEqual(await b.read(), null);
        strictEqual(await b.read(Buffer.alloc(4)), null);
      }
    },
  },
  {
    name: 'the end of the stream ends every read in line',
    async claim({ a, b }) {
      const reads = [b.read(), b.read(Buffer.alloc(4)), b.read()];
      await turns();
      a.close();
      deepStrictEqual(await Promise.all(reads), [null, null, null]);
    },
  },
  {
    name: 'close() answers true once, and never throws',
    async claim({ a, b }) {
      deepStrictEqual([a.close(), a.close(), a.close()], [true, false, false]);
      deepStrictEqual([b.close(), b.close()], [true, false]);
      strictEqual(a.state, 'closed');
    },
  },
  {
    name: 'after close() every call rejects, and nothing is taken',
    async claim({ a }) {
      a.close();
      await failureOf(a.read(), 'read()');
      await failureOf(a.read(Buffer.alloc(1)), 'read(p)');
      await failureOf(a.read(Buffer.alloc(0)), 'read() of nothing');
      strictEqual((await failureOf(a.write('x'), 'write()')).bytesWritten, 0);
      await failureOf(a.write(''), 'write() of nothing');
      await failureOf(a.writev([Buffer.from('x')]), 'writev()');
      strictEqual(a.tryWrite('x'), 0);
      throws(() => a.handle({ data() {} }), 'handle() did not throw');
      throws(() => a.setDeadline(null), 'setDeadline() did not throw');
      await a.shutdown();
    },
  },
  {
    name: 'after close() the addresses are what they were',
    async claim({ a, b }) {
      const before = [a.localAddr, a.remoteAddr, b.localAddr, b.remoteAddr].map(String);
      a.close();
      b.close();
      deepStrictEqual([a.localAddr, a.remoteAddr, b.localAddr, b.remoteAddr].map(String), before);
    },
  },
  {
    name: 'calls that nobody awaits end no process',
    async claim({ a, b }) {
      void a.read();
      void b.read();
      a.close();
      void a.read();
      void a.write('x');
      void a.writev([Buffer.from('x')]);
      await turns();
      b.close();
      await turns();
    },
  },
  {
    name: 'closing the other end makes writes fail in time, with a count',
    async claim({ a, b }) {
      b.close();
      // The first may be taken on its way to an end that is no longer there.
      for (let i = 0; i < 1000; i++) {
        const error = await a.write('x').then(
          () => null,
          (reason: Error) => reason as Error & { bytesWritten?: number },
        );
        if (error !== null) return strictEqual(typeof error.bytesWritten, 'number');
        await turns();
      }
      ok(false, 'writes went on for ever');
    },
  },
  {
    name: 'iteration gives what comes, and close() of either end ends it without an error',
    async claim({ a, b }) {
      const [atA, atB] = [iterate(a), iterate(b)];
      await a.write('words');
      await turns();
      a.close();
      strictEqual(await atB, 'words');
      strictEqual(await atA, '');
    },
  },
  {
    name: 'half-close: the other direction goes on (where there is one)',
    async claim({ a, b }) {
      const { closeWrite } = a as Conn & { closeWrite?: () => void };
      if (closeWrite === undefined) return;
      await a.write('question');
      closeWrite.call(a);
      strictEqual(String(await readToEnd(b)), 'question');
      strictEqual(await b.read(), null);
      await failureOf(a.write('more'), 'write() after closeWrite()');
      await b.write('answer');
      strictEqual(String(await readFull(a, 6)), 'answer');
    },
  },
  {
    name: 'shutdown() lets waiting writes finish, and waits for the other end',
    async claim({ a, b }) {
      const writing = a.write('last words');
      const ending = a.shutdown();
      strictEqual(a.state, 'closing');
      await failureOf(a.write('more'), 'write() after shutdown()');
      strictEqual(String(await readToEnd(b)), 'last words');
      strictEqual(await writing, 10);
      await Promise.all([ending, b.shutdown()]);
      deepStrictEqual([a.state, b.state], ['closed', 'closed']);
    },
  },
  {
    name: 'shutdown() takes no longer than its timeout',
    async claim({ a, b }) {
      await a.shutdown({ timeout: 20 });
      strictEqual(a.state, 'closed');
      strictEqual(await b.read(), null);
    },
  },
  {
    name: 'disposing closes',
    async claim({ a, b }) {
      a[Symbol.dispose]();
      a[Symbol.dispose]();
      strictEqual(a.state, 'closed');
      await b[Symbol.asyncDispose]();
      strictEqual(b.state, 'closed');
    },
  },
];

async function iterate(conn: Conn): Promise<string> {
  let text = '';
  for await (const chunk of conn) text += chunk;
  return text;
}
