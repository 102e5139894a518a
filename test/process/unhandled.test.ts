// Nobody's process dies of a peer: what a peer, a deadline or close() makes fail may go unawaited. A
// mistake of the caller's may not.

import { describe, expect, test } from 'vitest';
import { runScript } from '../support/child.ts';
import { PATIENCE } from '../support/time.ts';

const LIMIT = { timeout: 60_000 * PATIENCE };

const PRELUDE = `
import { copy, dial, listen, relay, serve } from 'spliceway';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

process.on('unhandledRejection', (error) => console.log('unhandled', error.code ?? String(error)));
process.on('uncaughtException', (error) => console.log('uncaught', error.code ?? String(error)));

const listener = await listen('tcp', '127.0.0.1:0');
const connect = () => dial('tcp', String(listener.addr));
async function pair() {
  const [server, client] = await Promise.all([listener.accept(), connect()]);
  return { server, client };
}
function reset(conn) {
  conn.setLinger(0);
  conn.close();
}
const FULL = Buffer.alloc(16 << 20);

// Every call that waits, or fails, and that nobody awaits.
function call(conn) {
  conn.read();
  conn.read(Buffer.alloc(8));
  conn.write(FULL);
  conn.writev([FULL, FULL]);
  conn.write('short');
}
`;

const run = (source: string, options = {}) =>
  runScript(`${PRELUDE}${source}\nconsole.log('lives');`, { limit: 50_000, ...options });
const lives = { code: 0, signal: null, stdout: 'lives\n', stderr: '' };

describe.concurrent('nobody awaits, and nothing happens:', LIMIT, () => {
  const failing: [string, string][] = [
    [
      'calls that wait when the peer resets',
      'const { server, client } = await pair(); call(client); await turn(); reset(server); await sleep(20);',
    ],
    [
      'calls after a reset',
      'const { server, client } = await pair(); reset(server); await sleep(20); call(client); await turn(); call(client);',
    ],
    [
      'calls that wait when the peer closes',
      'const { server, client } = await pair(); call(client); await turn(); server.close(); await sleep(20); call(client);',
    ],
    ['calls that wait at close()', 'const { client } = await pair(); call(client); await turn(); client.close();'],
    [
      'calls after close()',
      'const { client } = await pair(); client.close(); call(client); await turn(); call(client);',
    ],
    [
      'calls at a deadline',
      'const { client } = await pair(); call(client); client.setDeadline(Date.now() + 5); await sleep(30);',
    ],
    [
      'calls past a deadline',
      'const { client } = await pair(); client.setDeadline(1); call(client); await turn(); call(client);',
    ],
    [
      'calls while a handler, or a relay, has the connection',
      `
      const [one, two] = [await pair(), await pair()];
      one.client.handle({ data() {} });
      call(one.client);
      relay(one.server, two.client);
      relay(one.server, two.client);
      copy(one.server, two.client);
      call(one.server);
      one.server.shutdown().catch(() => {});
      await turn();
      for (const conn of [one.client, two.server]) reset(conn);
      await sleep(20);`,
    ],
    [
      'shutdown(), then a reset',
      'const { server, client } = await pair(); client.write(FULL); client.shutdown(); call(client); await turn(); reset(server); await sleep(20);',
    ],
    [
      'shutdown() after a reset, and its timeout',
      'const { server, client } = await pair(); client.shutdown({ timeout: 5 }); const other = await pair(); reset(other.server); await sleep(20); other.client.shutdown();',
    ],
    [
      'shutdown() and close()',
      'const { client } = await pair(); client.shutdown(); client.shutdown(); client.close(); client.shutdown();',
    ],
    [
      'accept() at a deadline and at close()',
      `
      listener.accept();
      listener.setDeadline(Date.now() + 5);
      await sleep(20);
      listener.accept();
      listener.setDeadline(null);
      listener.accept();
      listener.close();
      listener.accept();`,
    ],
    [
      'dial() to nobody, to no name, past its time and to nowhere',
      `
      listener.close();
      connect();
      dial('tcp', 'no port');
      dial('carrier pigeon', 'x');
      dial('unix', '/no/such/socket');
      dial('unix', 'x'.repeat(200));
      dial('tcp', '127.0.0.1:1', { deadline: 1 });
      await sleep(20);`,
    ],
    [
      'copy() that meets a reset, a deadline and close()',
      `
      const [one, two, three, four] = [await pair(), await pair(), await pair(), await pair()];
      copy(one.client, one.client);
      copy(two.client, two.client);
      two.client.setDeadline(Date.now() + 5);
      copy(three.client, three.client);
      copy(four.client, three.server);
      await turn();
      reset(one.server);
      three.client.close();
      four.client.close();
      await three.server.write('x').catch(() => {});
      await sleep(20);
      copy(one.client, four.client);
      three.server.close();`,
    ],
    [
      'relay() that meets a reset, close(), and a connection that is closed',
      `
      const [one, two, three] = [await pair(), await pair(), await pair()];
      relay(one.server, two.client);
      await turn();
      reset(one.client);
      await sleep(20);
      relay(two.server, three.client);
      two.server.close();
      relay(two.server, three.client);
      await turn();`,
    ],
    [
      'for await over what resets, from then on',
      `
      const { server, client } = await pair();
      const loop = (async () => { try { for await (const _ of client); } catch (error) { return error.code; } })();
      await turn();
      reset(server);
      if (await loop !== 'ECONNRESET') console.log('no reset');
      for await (const _ of client);`,
    ],
  ];

  test.each(failing)('%s', async (_what, source) => {
    expect(await run(`${source}\nlistener.close();`)).toEqual(lives);
  });
});

test('a mistake of the caller that nobody awaits is an ordinary rejection', LIMIT, async () => {
  const mistakes = [
    'conn.read(1)',
    'conn.read({ signal: 1 })',
    'conn.read(new ArrayBuffer(1))',
    'conn.write(1)',
    'conn.write()',
    'conn.writev("x")',
    'conn.writev([1])',
    'conn.shutdown(1)',
    'conn.shutdown({ timeout: "x" })',
    'listener.accept(1)',
    'listener.accept({ signal: 1 })',
    'dial(1, 2)',
    'dial("tcp", String(listener.addr), { timeout: "x" })',
    'listen("tcp", 1)',
    'copy(conn, 1)',
    'copy(conn, conn, { limit: "x" })',
    'relay(conn, 1)',
    'server.shutdown({ timeout: "x" })',
  ];
  const outcome = await run(
    `
    const { client: conn } = await pair();
    const server = serve(await listen('tcp', '127.0.0.1:0'), () => {});
    const mistakes = [${mistakes.map((each) => `() => ${each}`).join(', ')}];
    for (const mistake of mistakes) {
      let seen = 0;
      const count = (error) => { seen += error.code === 'ERR_INVALID_ARG_TYPE' ? 1 : 100; };
      process.once('unhandledRejection', count);
      mistake();
      await turn();
      if (seen !== 1) console.log(String(mistake), seen);
      process.off('unhandledRejection', count);
    }
    conn.close();
    server.close();
    listener.close();
  `.replace('const mistakes', "process.removeAllListeners('unhandledRejection');\n    const mistakes"),
  );
  expect(outcome).toEqual(lives);
});

describe.concurrent('a handler that throws', LIMIT, () => {
  // Whatever else the server has goes on: connections from before and after.
  test.each([
    ['at once', '() => { throw mine; }'],
    ['later', 'async () => { await turn(); throw mine; }'],
    ['in data()', '(conn) => { conn.handle({ data() { throw mine; } }); }'],
    ['in the promise of data()', '(conn) => { conn.handle({ async data() { await turn(); throw mine; } }); }'],
    ['in end()', '(conn) => { conn.handle({ data() {}, end() { throw mine; } }); }'],
    ['in drain()', '(conn) => { conn.handle({ data() {}, drain() { throw mine; } }); conn.tryWrite(FULL); }'],
    ['in error()', '(conn) => { conn.handle({ data() {}, error() { throw mine; } }); conn.setReadDeadline(1); }'],
    ['something that is no error', '() => { throw undefined; }'],
  ])('ends its own connection only: %s', async (_where, handler) => {
    const outcome = await run(`
      const mine = new Error('mine');
      const bad = ${handler};
      const thrown = [];
      let connections = 0;
      const server = serve(listener, (conn) => {
        if (++connections === 2) return bad(conn);
        conn.handle({ data(chunk) { conn.tryWrite(chunk); } });
      }, { onError: (error, conn) => thrown.push([error === mine || error === undefined, conn.state]) });
      const ask = async (conn) => { await conn.write('x'); return String(await conn.read()); };
      const before = await connect();
      await ask(before);
      const victim = await connect();
      const reading = (async () => { for await (const _ of victim); })().catch(() => {});
      await victim.write('x').catch(() => {});
      while (connections < 2) await turn();
      await turn();
      await victim.shutdown({ timeout: 1000 });
      await reading;
      const after = await connect();
      console.log(JSON.stringify([await ask(before), await ask(after), thrown, server.connections]));
      server.close();
    `);
    expect(outcome).toEqual({ ...lives, stdout: '["x","x",[[true,"closed"]],2]\nlives\n' });
  });
});

describe.concurrent('a storm of resets', LIMIT, () => {
  test.each([
    ['awaits', 'async (conn) => { for await (const chunk of conn) await conn.write(chunk); }'],
    [
      'awaits nothing',
      '(conn) => { conn.setWriteBuffer(1); call(conn); call(conn); copy(conn, conn); conn.shutdown(); }',
    ],
    [
      'has handlers',
      '(conn) => { conn.setWriteBuffer(1); conn.handle({ data(chunk) { conn.tryWrite(chunk); conn.write(FULL); } }); }',
    ],
    [
      'has handlers for all',
      '(conn) => { conn.handle({ async data(chunk) { await conn.write(chunk); }, end() { conn.shutdown(); }, error() { conn.close(); }, drain() {} }); }',
    ],
    ['copies', '(conn) => { copy(conn, conn).catch(() => {}).then(() => conn.close()); }'],
    ['relays', 'async (conn) => { await relay(conn, await dial("tcp", String(backend.addr))); }'],
  ])('leaves a server alone that %s', async (_what, handler) => {
    const outcome = await run(
      `
      const backend = await listen('tcp', '127.0.0.1:0');
      const echo = serve(backend, async (conn) => { for await (const chunk of conn) await conn.write(chunk); });
      const server = serve(listener, ${handler}, { onError() {} });
      for (let storm = 0; storm < 6; storm++) {
        const conns = await Promise.all(Array.from({ length: 100 }, connect));
        for (const [i, conn] of conns.entries()) {
          conn.tryWrite('x'.repeat(i * 100));
          if (i % 5 === 0) await turn();
          if (i % 3 === 0) conn.read();
        }
        for (const conn of conns) reset(conn);
      }
      while (server.connections > 0 || echo.connections > 0) await sleep(1);
      echo.close();
      server.close();
    `,
      { openFiles: 4096 },
    );
    expect(outcome).toEqual(lives);
  });
});
