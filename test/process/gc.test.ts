// What a connection leaves behind: one that its owner forgot is closed when it is collected, one that
// something waits on stays, and of thousands that were closed nothing is left.

import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { root, runScript } from '../support/child.ts';
import { PATIENCE } from '../support/time.ts';

const LIMIT = { timeout: 60_000 * PATIENCE };

const PRELUDE = `
import { copy, dial, listen, relay, serve, TCPConn } from 'spliceway';
import { createRequire } from 'node:module';
import { readdirSync } from 'node:fs';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import v8 from 'node:v8';

const require = createRequire(${JSON.stringify(`${root}/`)});
const native = Object.values(require.cache).find(({ filename }) => filename.endsWith('.node')).exports;
const fds = () => readdirSync('/proc/self/fd').length;

const listener = await listen('tcp', '127.0.0.1:0');
const connect = () => dial('tcp', String(listener.addr));
async function pair() {
  const [server, client] = await Promise.all([listener.accept(), connect()]);
  return { server, client };
}
async function collect() {
  for (let i = 0; i < 10; i++) { gc(); await turn(); }
}
const FULL = Buffer.alloc(16 << 20);
`;

const run = (source: string, node: readonly string[] = []) =>
  runScript(PRELUDE + source, { limit: 50_000, node: ['--expose-gc', ...node], openFiles: 4096 });

describe.concurrent('a connection that nobody can reach', LIMIT, () => {
  test('is closed when it is collected: the peer reads the end, and a warning names it', async () => {
    const ended = await run(`
      const { client, name } = await (async () => {
        const { server, client } = await pair();
        await client.write('unread');
        return { client, name: server.localAddr + '->' + server.remoteAddr };
      })();
      const end = client.read().catch((error) => error.code);
      await collect();
      console.log(await end, native.openHandles());
      console.error(name);
    `);
    expect(ended).toMatchObject({ code: 0, stdout: 'ECONNRESET 2\n' });
    const [warning, , name] = ended.stderr.split('\n');
    expect(warning).toContain('SPLICEWAY_CONN_COLLECTED');
    expect(warning).toContain(`(${name})`);
  });

  test('warns once; the others are counted', async () => {
    const ended = await run(`
      const clients = [];
      for (let i = 0; i < 50; i++) clients.push((await pair()).client);
      const ends = Promise.all(clients.map((client) => client.read()));
      for (let handles = 0; handles !== 51; handles = native.openHandles()) await collect();
      console.log(new Set(await ends), require('./dist/handle.js').collectedCount());
    `);
    expect(ended).toMatchObject({ code: 0, stdout: 'Set(1) { null } 50\n' });
    expect(ended.stderr.match(/SPLICEWAY_CONN_COLLECTED/g)).toHaveLength(1);
  });

  test('is closed too when a call on it has ended, one way or the other', async () => {
    const ended = await run(`
      async function use() {
        const conns = [];
        for (let i = 0; i < 7; i++) conns.push(await pair());
        const [read, expired, aborted, written, iterated, copied, handled] = conns.map(({ server }) => server);
        for (const { client } of conns) await client.write('x');
        await Promise.all([read, expired, aborted, written].map((conn) => conn.read()));
        expired.setReadDeadline(Date.now() + 20);
        await expired.read().catch(() => {});
        const stop = new AbortController();
        const aborting = aborted.read({ signal: stop.signal }).catch(() => {});
        await turn();
        stop.abort();
        await aborting;
        conns[3].client.handle({ data() {}, end() {} });
        await written.write(FULL);
        for await (const _ of iterated) break;
        await copy(copied, copied, { limit: 1 });
        handled.handle({ data() {} });
        handled.close();
        return conns.map(({ client }) => client);
      }
      const clients = await use();
      for (let handles = 0; handles !== 8; handles = native.openHandles()) await collect();
      console.log(clients.every(({ state }) => state !== 'closed'));
    `);
    expect(ended).toMatchObject({ code: 0, stdout: 'true\n' });
  });

  test('does not matter when it was closed before', async () => {
    const ended = await run(`
      await (async () => {
        for (let i = 0; i < 100; i++) { const { client, server } = await pair(); client.close(); server.close(); }
      })();
      // These may get the slots and the descriptors of those.
      const { client, server } = await pair();
      await collect();
      await client.write('x');
      console.log(String(await server.read()), native.openHandles());
    `);
    expect(ended).toEqual({ code: 0, signal: null, stdout: 'x 3\n', stderr: '' });
  });
});

// What waits on `server`, of which nobody else knows. It calls alive() when it is told something.
const waiting: Record<string, string> = {
  'a read': `server.read().then(alive);`,
  'an iteration': `(async () => { for await (const _ of server) alive(); })();`,
  'a handler': `server.handle({ data() { alive(); } });`,
  'a handler with a promise': `
    server.handle({ async data(chunk) { await sleep(20); await collect(); if (String(chunk) === 'go') alive(); } });
    await client.write('first');
    await turn();`,
  'a write': `client.read(); server.write(FULL).then(alive); later = () => client.handle({ data() {} });`,
  'a copy': `copy(server, server); later = () => client.write('x').then(() => client.read()).then(alive);`,
  'a relay': `
    const other = await pair();
    relay(server, other.client);
    other.server.read().then(alive);
    globalThis.other = other.server;`,
  'a shutdown': `server.shutdown().then(alive); later = () => client.close();`,
  'a server and its handler': `
    for (const conn of [made.client, server]) conn.close();
    serve(listener, async (conn) => { await conn.read(); alive(); });
    client = await connect();`,
};

describe.concurrent('is never collected, and goes on:', LIMIT, () => {
  test.each(Object.entries(waiting))('a connection with %s', async (_what, wait) => {
    const ended = await run(`
      const alive = () => { console.log('alive'); process.exit(0); };
      let later = () => client.write('go');
      let client;
      await (async () => {
        const made = await pair();
        client = made.client;
        const server = made.server;
        ${wait}
      })();
      await collect();
      await sleep(10);
      await collect();
      await later();
      for (let i = 0; i < 10; i++) { await sleep(10); await collect(); }
      process.exit(1);
    `);
    expect(ended).toEqual({ code: 0, signal: null, stdout: 'alive\n', stderr: '' });
  });
});

const canQuery = 'queryObjects' in createRequire(import.meta.url)('node:v8');

test.runIf(canQuery)('20,000 connections leave nothing behind', LIMIT, async () => {
  const ended = await run(
    `
    const FORMS = [
      async (conn) => { await conn.read(); },
      async (conn) => { conn.read().catch(() => {}); await turn(); },
      async (conn) => { conn.setDeadline(Date.now() + 1e6); await conn.read(Buffer.alloc(9)); },
      async (conn) => { await new Promise((resolve) => conn.handle({ data: resolve })); },
    ];
    let clientId = 0;
    const server = serve(listener, async (conn) => {
      await FORMS[clientId++ % FORMS.length](conn);
      conn.close();
    });
    async function one() {
      const conn = await connect();
      await conn.write('x');
      await conn.read().catch(() => {});
      conn.setLinger(0); // no TIME_WAIT: the machine has only so many ports
      conn.close();
    }
    async function many(n) {
      for (let i = 0; i < n; i += 50) await Promise.all(Array.from({ length: 50 }, one));
      while (server.connections > 0) await turn();
      await collect();
      const { heapUsed, external, arrayBuffers } = process.memoryUsage();
      return { heapUsed, external, arrayBuffers, fds: fds(), handles: native.openHandles(), conns: v8.queryObjects(TCPConn) };
    }
    const before = await many(2000);
    const after = await many(20_000);
    console.log(JSON.stringify({ before, after }));
    server.close();
  `,
    ['--no-warnings'],
  );
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  const { before, after } = JSON.parse(ended.stdout);
  // The prototype of the class counts as one of them.
  expect(after).toMatchObject({ fds: before.fds, handles: 1, conns: before.conns });
  expect(after.conns).toBeLessThanOrEqual(1);
  // One leaked object for each would be a megabyte and more.
  const KiB = 1024;
  expect(after.heapUsed - before.heapUsed).toBeLessThan(500 * KiB);
  expect(after.external - before.external).toBeLessThan(500 * KiB);
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(500 * KiB);
});
