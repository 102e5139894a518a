// Calls: their order, their signals, and those of nothing.

import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { getEventListeners } from 'node:events';
import { CHUNK, readFull } from './bytes';
import type { ConnClaim } from './conn';
import { failureOf, inBackground, turns, waits } from './suite';

const reason = new Error('changed my mind');

export const callTests: ConnClaim[] = [
  {
    name: 'reads that wait are served in the order in which they were made',
    async claim({ a, b }) {
      const order: number[] = [];
      const reads = [0, 1, 2, 3].map(async (i) => {
        const chunk = await b.read();
        order.push(i);
        return String(chunk);
      });
      inBackground(...reads);
      for (const [i, read] of reads.entries()) {
        await a.write(`message ${i}`);
        strictEqual(await read, `message ${i}`);
      }
      deepStrictEqual(order, [0, 1, 2, 3]);
    },
  },
  {
    name: 'a signal that is aborted already rejects with its reason, and nothing is moved',
    async claim({ a, b }) {
      const signal = AbortSignal.abort(reason);
      strictEqual(await failureOf(a.write('never', { signal }), 'write()'), reason);
      strictEqual(await failureOf(a.writev([Buffer.from('never')], { signal }), 'writev()'), reason);
      const writing = a.write('kept');
      strictEqual(await failureOf(b.read({ signal }), 'read()'), reason);
      strictEqual(await failureOf(b.read(Buffer.alloc(4), { signal }), 'read(p)'), reason);
      strictEqual(String(await readFull(b, 4)), 'kept');
      await writing;
    },
  },
  {
    name: 'a signal takes its read out of the line, and leaves the others',
    async claim({ a, b }) {
      const controller = new AbortController();
      const { signal } = controller;
      const [first, second] = [b.read({ signal }), b.read()];
      await turns();
      controller.abort(reason);
      strictEqual(await failureOf(first, 'read()'), reason);
      await a.write('for the second');
      strictEqual(String(await second), 'for the second');
      strictEqual(getEventListeners(signal, 'abort').length, 0);
    },
  },
  {
    name: 'a signal stops a write that waits',
    streamsOnly: true,
    async claim({ a }) {
      const controller = new AbortController();
      const writing = a.write(Buffer.alloc(64 * 1024 * 1024), { signal: controller.signal });
      await turns();
      controller.abort(reason);
      strictEqual(await failureOf(writing, 'write()'), reason);
    },
  },
  {
    name: 'a signal that outlives its calls is left alone',
    async claim({ a, b }) {
      const { signal } = new AbortController();
      for (let i = 0; i < 3; i++) {
        const reading = b.read({ signal });
        await a.write('x', { signal });
        await reading;
      }
      strictEqual(getEventListeners(signal, 'abort').length, 0);
    },
  },
  {
    name: 'calls of nothing settle once the other side calls too, and move nothing',
    streamsOnly: true,
    async claim({ a, b }) {
      const empty = Buffer.alloc(0);
      const writing = a.write(empty);
      const reading = b.read(empty);
      strictEqual(await writing, 0);
      strictEqual(await reading, 0);
      const next = a.write('next');
      strictEqual(String(await readFull(b, 4)), 'next');
      strictEqual(await next, 4);
    },
  },
  {
    name: 'an empty read waits behind one that waits',
    async claim({ a, b }) {
      const first = b.read(Buffer.alloc(CHUNK));
      const empty = b.read(Buffer.alloc(0));
      await waits(empty, 'read() of nothing');
      await a.write('x');
      strictEqual(await first, 1);
      inBackground(a.write('y'));
      strictEqual(await empty, 0);
    },
  },
  {
    name: 'a read waits for bytes, a new connection for nothing',
    async claim({ a, b }) {
      strictEqual(a.state, 'new');
      const reading = b.read();
      await waits(reading, 'read()');
      await a.write('x');
      strictEqual(String(await reading), 'x');
      strictEqual(a.state, 'active');
    },
  },
  {
    name: 'reading by hand is refused while a handler reads',
    async claim({ a, b }) {
      b.handle({ data() {} });
      strictEqual((await failureOf(b.read(), 'read()')).code, 'ERR_SPLICEWAY_BUSY');
      inBackground(a.write('x'));
    },
  },
  {
    name: 'wrong arguments reject with a TypeError, and the connection lives on',
    async claim({ a, b }) {
      const wrong: [string, () => Promise<unknown>][] = [
        ['read(1)', () => a.read(1 as never)],
        ['read({ signal: 1 })', () => a.read({ signal: 1 as never })],
        ['write(1)', () => a.write(1 as never)],
        ['write(null)', () => a.write(null as never)],
        ['writev("x")', () => a.writev('x' as never)],
        ['writev([1])', () => a.writev([1 as never])],
        ['shutdown({ timeout: "x" })', () => a.shutdown({ timeout: 'x' as never })],
      ];
      for (const [what, call] of wrong)
        ok((await failureOf(call(), what)) instanceof TypeError, `${what}: no TypeError`);
      const writing = a.write('fine');
      strictEqual(String(await readFull(b, 4)), 'fine');
      await writing;
    },
  },
];
