// I/O threads and the process around them: how long it lives, how it ends, and what it has left.

import { describe, expect, test } from 'vitest';
import { root, runScript } from '../support/child.ts';
import { PATIENCE } from '../support/time.ts';

const LIMIT = { timeout: 60_000 * PATIENCE };
const clean = { code: 0, signal: null, stderr: '' };

const PRELUDE = `
import { copy, dial, listen, pipe, relay } from 'spliceway';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const listener = await listen('tcp', '127.0.0.1:0');
async function pair() {
  const [server, client] = await Promise.all([listener.accept(), dial('tcp', String(listener.addr))]);
  return { server, client };
}
// left ⇄ a, to be joined to b ⇄ right
async function chain() {
  const [one, two] = [await pair(), await pair()];
  return { left: one.client, a: one.server, b: two.client, right: two.server };
}
const threads = () => readdirSync('/proc/self/task').length;
const fds = () => readdirSync('/proc/self/fd').length;
async function exchange({ left, right }, text = 'word') {
  await left.write(text);
  return String(await right.read()) === text;
}
`;

const run = (source: string, options = {}) => runScript(PRELUDE + source, { limit: 50_000, ...options });

describe.concurrent('a process ends by itself in spite of', LIMIT, () => {
  test.each([
    [
      'a relay that is over',
      'const c = await chain(); const r = relay(c.a, c.b); await exchange(c); c.a.close(); await r;',
    ],
    [
      'a relay between connections that were unref()ed later',
      'const c = await chain(); relay(c.a, c.b); await exchange(c); c.a.unref(); c.b.unref();',
    ],
    ['a copy between such', 'const c = await chain(); c.a.unref(); c.b.unref(); copy(c.b, c.a);'],
    [
      'onProgress on such',
      'const c = await chain(); c.a.unref(); c.b.unref(); relay(c.a, c.b, { onProgress() {}, idleTimeout: 1e6 });',
    ],
    [
      'a file on its way to one',
      'const c = await chain(); c.a.unref(); const f = await open(process.execPath); c.a.sendFile(f); await f.close();',
    ],
    [
      'a copy that was aborted',
      `
      const c = await chain();
      const stop = new AbortController();
      copy(c.b, c.a, { signal: stop.signal }).catch(() => {});
      await exchange(c);
      stop.abort();`,
    ],
    [
      'a copy that waits for its turn on such',
      `
      const c = await chain();
      c.a.unref(); c.b.unref();
      copy(c.b, c.a); copy(c.b, c.a);`,
    ],
  ])('%s', async (_what, source) => {
    expect(await run(source)).toEqual({ ...clean, stdout: '' });
  });
});

describe.concurrent('a process lives for', LIMIT, () => {
  test.each([
    ['a relay of which one end is referenced', 'c.a.unref(); relay(c.a, c.b);', 'c.b.close();'],
    ['one that was ref()ed again', 'c.a.unref(); c.b.unref(); relay(c.a, c.b); c.a.ref();', 'c.a.close();'],
    ['a copy of which the source is referenced', 'c.b.unref(); copy(c.b, c.a);', 'c.a.close();'],
    ['a copy of which the sink is', 'c.a.unref(); copy(c.b, c.a);', 'c.b.close();'],
    ['sendFile()', 'const f = await open(process.execPath); c.a.sendFile(f); await f.close();', 'c.a.close();'],
    [
      'a relay whose rate holds it back',
      'relay(c.a, c.b, { rateLimit: 1 }); await c.left.write("12345");',
      'c.a.close();',
    ],
    [
      'one by hand',
      `
      const [near, far] = pipe();
      relay(c.a, near, { rateLimit: 10 });
      far.handle({ data() {} });
      await c.left.write(Buffer.alloc(1000));`,
      'c.a.close();',
    ],
  ])('%s', async (_what, source, finish) => {
    const outcome = await run(`
      const c = await chain();
      ${source}
      setTimeout(() => { console.log('lives'); ${finish} }, 300).unref();
    `);
    expect(outcome).toEqual({ ...clean, stdout: 'lives\n' });
  });
});

const CROWD = `
const FULL = Buffer.alloc(8 << 20);
const file = await open(process.execPath);
for (let i = 0; i < 20; i++) {
  const c = await chain();
  if (i % 4 === 0) c.right.handle({ data() {} });
  c.left.write(FULL).catch(() => {});
  if (i % 3 === 0) relay(c.a, c.b, { rateLimit: i % 2 * 1000 || undefined, idleTimeout: 1e6 });
  else if (i % 3 === 1) copy(c.b, c.a).catch(() => {});
  else c.b.sendFile(file).catch(() => {});
}
`;

describe.concurrent('amid relays, copies and files', LIMIT, () => {
  test.each(['1', '4'])('process.exit() is clean, with %s threads', async (SPLICEWAY_IO_THREADS) => {
    for (const ms of [0, 5, 50]) {
      const outcome = await run(`${CROWD} setTimeout(() => process.exit(7), ${ms});`, {
        env: { SPLICEWAY_IO_THREADS },
      });
      expect(outcome).toEqual({ ...clean, code: 7, stdout: '' });
    }
  });

  test('an exception that nobody catches ends it with 1', async () => {
    const outcome = await run(`${CROWD} setTimeout(() => { throw new Error('mine'); }, 20);`);
    expect(outcome).toMatchObject({ code: 1, signal: null });
    expect(outcome.stderr).toContain('Error: mine');
  });

  test('workers that are terminated, or exit, leave no thread and no descriptor', async () => {
    const outcome = await run(`
      import { once } from 'node:events';
      import { Worker } from 'node:worker_threads';
      const code = ${JSON.stringify(`
        const { copy, dial, listen, relay } = require('spliceway');
        const { open } = require('node:fs/promises');
        const { parentPort, workerData } = require('node:worker_threads');
        (async () => {
          const listener = await listen('tcp', '127.0.0.1:0');
          const pair = () => Promise.all([listener.accept(), dial('tcp', String(listener.addr))]);
          const chain = async () => {
            const [[a, left], [right, b]] = [await pair(), await pair()];
            return { left, a, b, right };
          };
          ${CROWD}
          parentPort.postMessage('up');
          if (workerData === 'exits') setTimeout(() => process.exit(3), 5);
        })();
      `)};
      const start = (workerData) => new Worker(code, { eval: true, execArgv: [], workerData });
      async function round(i) {
        const worker = start(i % 2 === 0 ? 'exits' : 'stays');
        const exit = once(worker, 'exit');
        await once(worker, 'message');
        if (i % 4 === 1) await sleep(i);
        if (i % 2 === 1) await worker.terminate();
        await exit;
      }
      async function settled(count, expected) {
        for (let i = 0; i < 300 && count() > expected; i++) await sleep(10);
        return count() <= expected;
      }
      await round(1);
      await sleep(200);
      const [someFds, someThreads] = [fds(), threads()];
      for (let i = 0; i < 12; i++) await round(i);
      console.log(await settled(fds, someFds), await settled(threads, someThreads));
    `);
    expect(outcome).toEqual({ ...clean, stdout: 'true true\n' });
  });
});

describe.concurrent('SPLICEWAY_IO_THREADS', LIMIT, () => {
  // How many threads there are more once eight relays run, and whether they work.
  const MANY = `
    const before = threads();
    const chains = [];
    for (let i = 0; i < 8; i++) chains.push(await chain());
    for (const c of chains) relay(c.a, c.b);
    const all = await Promise.all(chains.map((c) => exchange(c)));
    console.log(threads() - before, all.every(Boolean));
    process.exit();
  `;
  test.each([
    ['4', 4],
    ['2', 2],
    ['1', 1],
    ['', 1],
    ['0', 1],
    ['-3', 1],
    ['many', 1],
    ['1e3', 1],
    ['3.9', 3],
    ['1000000', 8],
    ['99999999999999999999999999', 8],
    [' 4', 1],
  ])('of %j means %i for eight relays', async (SPLICEWAY_IO_THREADS, count) => {
    expect(await run(MANY, { env: { SPLICEWAY_IO_THREADS } })).toEqual({ ...clean, stdout: `${count} true\n` });
  });

  test('none is started before the first relay, and one serves those that follow each other', async () => {
    const outcome = await run(
      `
      await exchange({ left: (await pair()).client, right: { read: async () => 'word' } });
      const before = threads();
      for (let i = 0; i < 5; i++) {
        const c = await chain();
        const relaying = relay(c.a, c.b);
        await exchange(c);
        c.a.close();
        await relaying;
      }
      console.log(threads() - before);
    `,
      { env: { SPLICEWAY_IO_THREADS: '4' } },
    );
    expect(outcome).toEqual({ ...clean, stdout: '1\n' });
  });
});

describe.concurrent('descriptors', LIMIT, () => {
  test('are all back after thousands of transfers, and pipes but for a few', async () => {
    const outcome = await run(
      `
      const file = await open(process.execPath);
      const FULL = Buffer.alloc(200_000);
      async function one(i) {
        const { left, a, b, right } = await chain();
        right.handle({ data() {}, error() {} });
        left.handle({ data() {}, error() {} });
        const transfer = [
          () => relay(a, b), () => copy(b, a), () => b.sendFile(file, { length: 100_000, offset: i }),
          () => copy(a, a), () => copy(b, file, { limit: 1 }),
        ][i % 5]().catch(() => {});
        left.tryWrite(FULL);
        if (i % 3 === 0) left.closeWrite(), right.closeWrite();
        if (i % 3 === 1) left.setLinger(0), left.close();
        if (i % 3 === 2) a.close();
        await transfer;
        for (const conn of [left, a, b, right]) conn.close();
      }
      const round = (n) => Promise.all(Array.from({ length: n }, (_, i) => one(i)));
      await round(60);
      const before = fds();
      for (let i = 0; i < 40; i++) await round(60);
      await sleep(50);
      console.log(fds() - before <= 32, fds());
      process.exit();
    `,
      { openFiles: 4096 },
    );
    expect(outcome).toMatchObject(clean);
    expect(outcome.stdout).toMatch(/^true /);
  });

  // Each of these would need the first I/O thread.
  test('that are not to be had for a thread leave the first relay and copy to JavaScript', async () => {
    const outcome = await run(
      `
      const [one, two] = [await chain(), await chain()];
      const before = threads();
      const hoarded = [];
      try { for (;;) hoarded.push(openSync('/dev/null')); } catch {}
      const relaying = relay(one.a, one.b, { rateLimit: 1e9, maxBytes: 1e9, idleTimeout: 1e6, halfCloseTimeout: 1e6 });
      const copying = copy(two.b, two.a);
      const sent = Buffer.alloc(4 << 20, 'spliceway ');
      async function through({ left, right }) {
        left.write(sent).then(() => left.closeWrite());
        let got = 0;
        for await (const chunk of right) if ((got += chunk.length) === sent.length) break;
        return got;
      }
      const got = await Promise.all([through(one), through(two)]);
      one.right.closeWrite();
      const { reason, aToB } = await relaying;
      for (const fd of hoarded) closeSync(fd);
      console.log(got, reason, aToB, relaying.aToB, await copying, threads() - before);
      const later = await chain();
      relay(later.a, later.b);
      console.log(await exchange(later), threads() - before);
      process.exit();
    `,
      { maxOpenFiles: 100 },
    );
    const size = 4 << 20;
    expect(outcome).toEqual({ ...clean, stdout: `[ ${size}, ${size} ] end ${size} ${size} ${size} 0\ntrue 1\n` });
  });
});

test('a relay that ends while the loop is quiet is told without delay, however often', LIMIT, async () => {
  const outcome = await run(
    `
    let slowest = 0;
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let i = 0; i < 250; i++) {
        const c = await chain();
        const copying = copy(c.b, c.a, { limit: 1 });
        await c.left.write('x');
        const from = performance.now();
        await copying;
        slowest = Math.max(slowest, performance.now() - from);
        for (const conn of Object.values(c)) conn.close();
      }
    }));
    console.log(slowest < 5000);
  `,
    { cwd: root },
  );
  expect(outcome).toEqual({ ...clean, stdout: 'true\n' });
});
