// Several JavaScript environments in one process: each worker has a reactor of its own, and loses it
// at a moment that somebody else picks.

import { describe, expect, test } from 'vitest';
import { runScript } from '../support/child.ts';
import { PATIENCE } from '../support/time.ts';

const LIMIT = { timeout: 60_000 * PATIENCE };
const clean = { code: 0, signal: null, stderr: '' };

// For the main thread. `fds` is asked once the first worker has come and gone: Node keeps some
// descriptors from then on.
const MAIN = `
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const fds = () => readdirSync('/proc/self/fd').length;
async function settled(expected) {
  // A worker's last descriptors go a moment after its exit event.
  for (let i = 0; i < 200 && fds() !== expected; i++) await sleep(10);
  return fds();
}
function start(code, workerData) {
  const worker = new Worker(code, { eval: true, execArgv: [], workerData });
  worker.ended = once(worker, 'exit').then(([code]) => code);
  worker.on('error', (error) => { console.error(error); process.exit(9); });
  return worker;
}
`;

// For workers; \`main\` may be async, and ends quietly what termination or close() ends.
const WORKER = `
const { copy, dial, listen, relay, serve } = require('spliceway');
const { parentPort, workerData } = require('node:worker_threads');
const { setImmediate: turn } = require('node:timers/promises');

const echo = async (conn) => { for await (const chunk of conn) await conn.write(chunk); };
const up = async (handler) => {
  const listener = await listen('tcp', '127.0.0.1:0');
  return { listener, server: handler && serve(listener, handler), addr: String(listener.addr) };
};
async function ask(conn, text) {
  await conn.write(text);
  let got = '';
  while (got.length < text.length) got += await conn.read();
  if (got !== text) throw new Error('asked ' + text + ', got ' + got);
}
const CHUNK = Buffer.alloc(1 << 18, 'x');
const flood = async (conn) => { for (;;) await conn.write(CHUNK); };
`;

const worker = (source: string) => JSON.stringify(`${WORKER}(async () => {${source}})().catch((e) => { throw e; });`);

describe.concurrent('workers', LIMIT, () => {
  test('serve and dial all at once, each other and the main thread, and end by themselves', async () => {
    const source = `${MAIN}
      import { dial, listen, serve } from 'spliceway';
      const code = ${worker(`
        const { server, addr } = await up(echo);
        parentPort.postMessage(addr);
        const addrs = await new Promise((resolve) => parentPort.once('message', resolve));
        await Promise.all(addrs.flatMap((to) => Array.from({ length: 10 }, async (_, i) => {
          const conn = await dial('tcp', to);
          for (let round = 0; round < 20; round++) await ask(conn, 'from ' + addr + ' to ' + to + ' ' + i + ' ' + round);
          conn.close();
        })));
        parentPort.postMessage('done');
        await new Promise((resolve) => parentPort.once('message', resolve));
        server.close();
      `)};
      const listener = await listen('tcp', '127.0.0.1:0');
      const server = serve(listener, async (conn) => { for await (const chunk of conn) await conn.write(chunk); });
      await start('').ended;
      const before = fds();
      const workers = Array.from({ length: 4 }, () => start(code));
      const addrs = (await Promise.all(workers.map((each) => once(each, 'message')))).flat();
      for (const each of workers) each.postMessage([...addrs, String(listener.addr)]);
      await Promise.all(workers.map((each) => once(each, 'message')));
      for (const each of workers) each.postMessage('all done');
      console.log(await Promise.all(workers.map((each) => each.ended)));
      console.log(await settled(before) - before);
      server.close();
    `;
    expect(await runScript(source, { limit: 50_000 })).toEqual({ ...clean, stdout: '[ 0, 0, 0, 0 ]\n0\n' });
  });

  test('may be the only ones that have the addon, one after the other and together', async () => {
    const source = `${MAIN}
      const code = ${worker(`
        const { server, addr } = await up(echo);
        const conn = await dial('tcp', addr);
        await ask(conn, 'x');
        if (workerData === 'forgets') return void server.close();
        parentPort.postMessage('up');
        if (workerData === 'exits') process.exit(3);
        await conn.read();
      `)};
      await start(code, 'forgets').ended;
      const before = fds();
      const codes = [];
      for (let i = 0; i < 8; i++) {
        const kinds = [['forgets'], ['exits'], ['stays'], ['stays', 'exits', 'forgets']][i % 4];
        const workers = kinds.map((kind) => start(code, kind));
        await Promise.all(workers.map(async (each, k) => {
          if (kinds[k] !== 'stays') return codes.push(await each.ended);
          await once(each, 'message');
          codes.push(await each.terminate());
        }));
      }
      console.log(codes.sort().join(''), await settled(before) - before);
    `;
    expect(await runScript(source, { limit: 50_000 })).toEqual({
      ...clean,
      stdout: '000011113333 0\n',
    });
  });

  test('end by themselves with connections that nobody waits on, and listeners', async () => {
    const source = `${MAIN}
      import 'spliceway';
      const code = ${worker(`
        const { listener, addr } = await up();
        const [server, client] = await Promise.all([listener.accept(), dial('tcp', addr)]);
        await ask(server, '').then(() => client.write('x'));
        globalThis.kept = [listener, server, client];
      `)};
      await start(code).ended;
      const before = fds();
      console.log(await Promise.all(Array.from({ length: 5 }, () => start(code).ended)));
      console.log(await settled(before) - before);
    `;
    expect(await runScript(source, { limit: 50_000 })).toEqual({ ...clean, stdout: '[ 0, 0, 0, 0, 0 ]\n0\n' });
  });

  test('die of what nobody catches, alone', async () => {
    const source = `${MAIN}
      import { dial, listen } from 'spliceway';
      const code = ${worker(`
        const { listener, addr } = await up();
        const [server, client] = await Promise.all([listener.accept(), dial('tcp', addr)]);
        server.handle({ data() { throw new Error('mine'); } });
        client.read();
        client.write('x');
      `)};
      const worker = new Worker(code, { eval: true, execArgv: [] });
      worker.on('error', ({ message }) => console.log(message));
      console.log(await new Promise((ended) => worker.on('exit', ended)));
      const listener = await listen('tcp', '127.0.0.1:0');
      const [server, client] = await Promise.all([listener.accept(), dial('tcp', String(listener.addr))]);
      client.write('still here');
      console.log(String(await server.read()));
    `;
    expect(await runScript(source, { limit: 50_000 })).toEqual({ ...clean, stdout: 'mine\n1\nstill here\n' });
  });
});

// What a worker is at when it is terminated. Each says when it has begun.
const activities: Record<string, string> = {
  loading: `parentPort.postMessage('up'); for (let i = 0; i < 50; i++) (await up()).listener.close();`,
  accepting: `
    const { listener, addr } = await up();
    parentPort.postMessage('up');
    (async () => { for (;;) (await listener.accept()).close(); })();
    for (;;) (await dial('tcp', addr).catch(() => ({ close() {} }))).close();
  `,
  'serving and dialing': `
    const { addr } = await up(echo);
    parentPort.postMessage('up');
    await Promise.all(Array.from({ length: 20 }, async () => {
      const conn = await dial('tcp', addr);
      for (;;) await ask(conn, 'x');
    }));
  `,
  reading: `
    const { addr } = await up(flood);
    const conn = await dial('tcp', addr);
    parentPort.postMessage('up');
    for await (const chunk of conn) {}
  `,
  'in a handler': `
    const { addr } = await up(flood);
    const conn = await dial('tcp', addr);
    let chunks = 0;
    conn.handle({ data() { if (++chunks === 2) { parentPort.postMessage('up'); for (;;); } } });
  `,
  'in the handler of a server': `
    const { addr } = await up(() => { parentPort.postMessage('up'); for (;;); });
    await dial('tcp', addr);
  `,
  relaying: `
    const { addr } = await up(async (conn) => { copy(conn, conn); });
    const { addr: proxy } = await up(async (conn) => relay(conn, await dial('tcp', addr)));
    const conn = await dial('tcp', proxy);
    conn.handle({ data() {} });
    parentPort.postMessage('up');
    flood(conn);
  `,
  'waiting for deadlines': `
    const { listener, addr } = await up();
    const conns = await Promise.all(Array.from({ length: 100 }, () => dial('tcp', addr)));
    parentPort.postMessage('up');
    for (;;) await Promise.all(conns.map((conn) => {
      conn.setReadDeadline(Date.now() + 1);
      return conn.read().catch(() => {});
    }));
  `,
  'shutting down': `
    const { server, addr } = await up(() => {});
    const conns = await Promise.all(Array.from({ length: 20 }, () => dial('tcp', addr)));
    parentPort.postMessage('up');
    await Promise.all([server.shutdown(), ...conns.map((conn) => conn.shutdown())]);
  `,
};

describe.concurrent('a worker can be terminated while', LIMIT, () => {
  test.each(Object.entries(activities))('%s', async (_activity, activity) => {
    const source = `${MAIN}
      import { dial, listen, serve } from 'spliceway';
      const code = ${worker(activity)};
      const first = start(code);
      await once(first, 'message');
      await first.terminate();
      const before = fds();
      for (let i = 0; i < 9; i++) {
        const worker = start(code);
        // At any moment of its start; or of its work.
        if (i % 3 === 0) await sleep(10 + 9 * i);
        else await once(worker, 'message').then(() => sleep(i % 3 === 1 ? 0 : (i * i) % 17));
        await worker.terminate();
      }
      console.log(await settled(before) - before);
      const listener = await listen('tcp', '127.0.0.1:0');
      const server = serve(listener, (conn) => void conn.write('main'));
      const conn = await dial('tcp', String(listener.addr));
      console.log(String(await conn.read()));
      server.close();
    `;
    expect(await runScript(source, { limit: 50_000, openFiles: 4096 })).toEqual({ ...clean, stdout: '0\nmain\n' });
  });
});
