// Deadlines: instants that hold until others are set.

import { ok, strictEqual } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytes, CHUNK, drain, echo, flood, LONG_AGO, resync, roundTrip } from './bytes';
import type { ConnClaim } from './conn';
import { failureOf, inBackground, timesOut, turns } from './suite';

export const deadlineTests: ConnClaim[] = [
  {
    name: 'read timeout: it does not touch writing',
    async claim({ a, b }) {
      inBackground(drain(b));
      a.setReadDeadline(LONG_AGO);
      await timesOut(a.read(Buffer.alloc(CHUNK)), 'read()');
      strictEqual(await a.write(bytes(CHUNK)), CHUNK);
    },
  },
  {
    name: 'write timeout: it does not touch reading',
    async claim({ a, b }) {
      inBackground(flood(b));
      a.setWriteDeadline(LONG_AGO);
      await timesOut(a.write(bytes(CHUNK)), 'write()');
      ok(((await a.read(Buffer.alloc(CHUNK))) ?? 0) > 0, 'nothing came');
    },
  },
  {
    name: 'past timeout: calls fail at once, having done nothing, until a new deadline is set',
    async claim({ a, b }) {
      inBackground(echo(b));
      await roundTrip(a);
      a.setDeadline(LONG_AGO);
      for (let i = 0; i < 2; i++) {
        strictEqual((await timesOut(a.write(bytes(CHUNK)), 'write()')).bytesWritten, 0);
        await timesOut(a.read(Buffer.alloc(CHUNK)), 'read()');
        await timesOut(a.read(), 'read()');
      }
      ok(a.state === 'readExpired' || a.state === 'writeExpired', `the state is ${a.state}`);
      await roundTrip(a);
    },
  },
  {
    name: 'present timeout: a deadline in the past ends calls that wait',
    async claim({ a }) {
      let set = false;
      const ended = async (call: Promise<unknown>) => {
        await call;
        ok(set, 'timed out before the deadline was set');
      };
      const calls = inBackground(
        ended(timesOut(a.read(Buffer.alloc(CHUNK)), 'read()')),
        ended(timesOut(flood(a), 'write()')),
      );
      await sleep(100);
      set = true;
      a.setReadDeadline(LONG_AGO);
      a.setWriteDeadline(LONG_AGO);
      await Promise.all(calls);
    },
  },
  {
    name: 'future timeout: calls fail when it comes and not before, and the connection lives on',
    async claim({ a, b }) {
      const at = Date.now() + 100;
      a.setDeadline(at);
      await Promise.all([timesOut(a.read(Buffer.alloc(CHUNK)), 'read()'), timesOut(flood(a), 'write()')]);
      ok(Date.now() >= at, `it came ${at - Date.now()} ms early`);
      inBackground(echo(b));
      await resync(a);
      await roundTrip(a);
    },
  },
  {
    name: 'a deadline that is moved while a call waits: later, then away',
    async claim({ a, b }) {
      a.setReadDeadline(Date.now() + 20);
      const reading = a.read();
      a.setReadDeadline(new Date(Date.now() + 60_000));
      await sleep(40);
      a.setReadDeadline(null);
      const writing = b.write('in time');
      strictEqual(String(await reading), 'in time');
      await writing;
    },
  },
  {
    name: 'a deadline ends every call in line',
    async claim({ a }) {
      const reads = [a.read(), a.read(Buffer.alloc(CHUNK)), a.read()];
      a.setReadDeadline(Date.now() + 20);
      for (const read of reads) await timesOut(read, 'read()');
    },
  },
  {
    name: 'a write that times out says how much it wrote, and that much arrives',
    streamsOnly: true,
    async claim({ a, b }) {
      const sent = bytes(64 * 1024 * 1024);
      a.setWriteDeadline(Date.now() + 50);
      const { bytesWritten } = await timesOut(a.write(sent), 'write()');
      ok(bytesWritten !== undefined && bytesWritten < sent.length, `bytesWritten is ${bytesWritten}`);
      const got: Buffer[] = [];
      const reading = (async () => {
        for await (const chunk of b) got.push(chunk);
      })();
      a.close();
      await reading;
      const all = Buffer.concat(got);
      strictEqual(all.length, bytesWritten);
      ok(all.equals(sent.subarray(0, all.length)), 'other bytes arrived than were sent');
    },
  },
  {
    name: 'close timeout: close() ends calls that wait, which is no timeout',
    async claim({ a, b }) {
      inBackground(echo(b));
      a.setDeadline(Date.now() + 60_000);
      const calls = inBackground(failureOf(drain(a), 'read()'), failureOf(flood(a), 'write()'));
      await sleep(50);
      strictEqual(a.close(), true);
      for (const call of calls) ok((await call).timeout !== true, 'close() was taken for a timeout');
    },
  },
  {
    name: 'concurrent methods: all at once, and the connection lives on',
    async claim({ a, b }) {
      inBackground(echo(b));
      for (let i = 0; i < 100; i++) {
        inBackground(a.read(Buffer.alloc(CHUNK)));
        inBackground(a.write(Buffer.alloc(CHUNK)));
        a.setDeadline(Date.now() + 10);
        a.setReadDeadline(LONG_AGO);
        a.setWriteDeadline(LONG_AGO);
        ok(`${a.localAddr}${a.remoteAddr}` !== '', 'the addresses print as nothing');
        if (i % 10 === 0) await turns();
      }
      await resync(a);
      await roundTrip(a);
    },
  },
  {
    name: 'a deadline that is none is refused, and nothing changes',
    async claim({ a, b }) {
      inBackground(echo(b));
      for (const wrong of ['soon', {}, undefined]) {
        for (const set of ['setDeadline', 'setReadDeadline', 'setWriteDeadline'] as const) {
          let error: unknown = null;
          try {
            a[set](wrong as never);
          } catch (thrown) {
            error = thrown;
          }
          ok(error instanceof TypeError, `${set}(${String(wrong)}) did not throw a TypeError`);
        }
      }
      await roundTrip(a);
    },
  },
];
