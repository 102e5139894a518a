import { describe, expect, test } from 'vitest';
import { runScript, type ScriptOptions } from '../support/child.ts';

// The two ways in which an environment hears of its reactor: native/binding/uv_host.h.
const seats = ['poll', 'thread'];

const clean = { code: 0, signal: null, stderr: '' };

// An echo server, and what the programs below do with it.
const PRELUDE = `
import { dial, listen, serve } from 'spliceway';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const listener = await listen('tcp', '127.0.0.1:0');
const server = serve(listener, async (conn) => {
  for await (const chunk of conn) await conn.write(chunk);
});
const connect = () => dial('tcp', String(listener.addr));
async function echo(conn, text) {
  await conn.write(text);
  let got = '';
  while (got.length < text.length) got += await conn.read();
  if (got !== text) throw new Error('echoed ' + got);
}
`;

// For workers: the same in a loop that only terminate() ends.
const WORKER = `
import { dial, listen, serve } from 'spliceway';
import { parentPort } from 'node:worker_threads';

const listener = await listen('tcp', '127.0.0.1:0');
serve(listener, async (conn) => {
  for await (const chunk of conn) await conn.write(chunk);
});
parentPort.postMessage('up');
for (;;) {
  const conn = await dial('tcp', String(listener.addr));
  conn.setReadDeadline(new Date(Date.now() + 1));
  await conn.write('x');
  await conn.read().catch(() => {});
  await listen('tcp', String(listener.addr)).catch(() => {}); // an error made in native code
  conn.close();
}
`;

const run = (seat: string, source: string, options: ScriptOptions = {}) =>
  runScript(PRELUDE + source, { limit: 60_000, ...options, env: { SPLICEWAY_SEAT: seat } });

describe.each(seats)('SPLICEWAY_SEAT=%s', (seat) => {
  test('carries bytes both ways, on one connection and on many', async () => {
    const source = `
      const conns = await Promise.all(Array.from({ length: 50 }, connect));
      await Promise.all(conns.map(async (conn, i) => {
        for (let round = 0; round < 20; round++) await echo(conn, 'conn ' + i + ' round ' + round);
      }));
      for (const conn of conns) conn.close();
      server.close();
      console.log('all of them');
    `;
    expect(await run(seat, source)).toEqual({ ...clean, stdout: 'all of them\n' });
  }, 60_000);

  test('fires deadlines on a quiet connection, and none early', async () => {
    const source = `
      const conn = await connect();
      for (let ms = 1; ms < 100; ms += 7) {
        const at = Date.now() + ms;
        conn.setReadDeadline(new Date(at));
        const error = await conn.read().then(() => null, (error) => error);
        if (!error?.timeout || Date.now() < at) throw new Error(String(error));
      }
      conn.close();
      server.close();
    `;
    expect(await run(seat, source)).toEqual({ ...clean, stdout: '' });
  }, 60_000);

  test('keeps the process alive exactly while something waits', async () => {
    const source = `
      const conn = await connect();
      await echo(conn, 'x');
      conn.close();
      server.close();
      process.on('exit', () => console.log('ended by itself'));
    `;
    expect(await run(seat, source)).toEqual({ ...clean, stdout: 'ended by itself\n' });
  }, 60_000);

  test('lets process.exit() end the process with live connections', async () => {
    const source = `
      const conns = await Promise.all(Array.from({ length: 300 }, connect));
      for (const conn of conns) conn.read().catch(() => {});
      for (const conn of conns) await conn.write('x');
      process.exit(7);
    `;
    expect(await run(seat, source, { openFiles: 2048 })).toEqual({ ...clean, code: 7, stdout: '' });
  }, 60_000);

  test('lets a worker be terminated at any moment', async () => {
    const source = `
      const code = ${JSON.stringify(WORKER)};
      for (let i = 0; i < 40; i++) {
        const worker = new Worker(code, { eval: true });
        if (i % 2) await once(worker, 'message');
        await sleep(i % 2 ? i / 4 : 20 + 3 * i);
        await worker.terminate();
      }
      const conn = await connect();
      await echo(conn, 'still here');
      conn.close();
      server.close();
      console.log('survived');
    `;
    expect(await run(seat, source)).toEqual({ ...clean, stdout: 'survived\n' });
  }, 60_000);
});

// Counts threads as Linux lists them.
test.skipIf(process.platform !== 'linux')(
  'SPLICEWAY_SEAT of a worker is its own',
  async () => {
    const source = `
    import { readdirSync } from 'node:fs';
    const threads = () => readdirSync('/proc/self/task').length;
    const code = ${JSON.stringify(WORKER)};
    const withSeat = async (SPLICEWAY_SEAT) => {
      const before = threads();
      const worker = new Worker(code, { eval: true, env: { SPLICEWAY_SEAT } });
      await once(worker, 'message');
      const more = threads() - before;
      await worker.terminate();
      return more;
    };
    await withSeat('poll');
    console.log(await withSeat('thread') - await withSeat('poll'));
    server.close();
  `;
    expect(await run('poll', source)).toEqual({ ...clean, stdout: '1\n' });
  },
  60_000,
);
