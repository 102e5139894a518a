// When a process ends: by itself, exactly when nothing is pending; by process.exit(), whatever is.

import { describe, expect, test } from 'vitest';
import { runScript } from '../support/child.ts';
import { PATIENCE } from '../support/time.ts';

const PRELUDE = `
import { copy, dial, listen, listenPacket, relay, resolveTCPAddr, serve } from 'spliceway';
import { setImmediate as turn } from 'node:timers/promises';

const listener = await listen('tcp', '127.0.0.1:0');
const connect = () => dial('tcp', String(listener.addr));
async function pair() {
  const [server, client] = await Promise.all([listener.accept(), connect()]);
  return { server, client };
}
const forever = () => new Promise(() => {});
const FULL = Buffer.alloc(64 << 20); // more than the kernel takes
`;

const run = (source: string) => runScript(PRELUDE + source, { limit: 50_000 });
const LIMIT = { timeout: 60_000 * PATIENCE };

describe.concurrent('a process ends by itself', LIMIT, () => {
  test.each([
    ['a listener', ''],
    ['an accept on a listener that was unref()ed', 'listener.unref(); listener.accept();'],
    ['a server whose listener was unref()ed', 'listener.unref(); serve(listener, () => {});'],
    ['a server whose listener was unref()ed later', 'serve(listener, () => {}); await turn(); listener.unref();'],
    ['connections that nobody waits on', 'const { client } = await pair(); await client.write("x");'],
    ['bytes that nobody reads', 'const { server, client } = await pair(); await client.write("x"); await turn();'],
    ['a deadline that nobody waits for', 'const { client } = await pair(); client.setDeadline(Date.now() + 1e6);'],
    ['a read on a connection that was unref()ed', 'const { client } = await pair(); client.unref().read();'],
    ['a read that was unref()ed later', 'const { client } = await pair(); client.read(); client.unref();'],
    ['a write on one', 'const { client } = await pair(); client.unref().write(FULL);'],
    ['a handler on one', 'const { client } = await pair(); client.unref(); client.handle({ data() {} });'],
    [
      'a relay between two',
      'const [{ client: a }, { client: b }] = [await pair(), await pair()]; relay(a.unref(), b.unref());',
    ],
    [
      'a read that was aborted',
      'const { client } = await pair(); client.read({ signal: AbortSignal.abort() }).catch(() => {});',
    ],
    [
      'a read that was aborted later',
      `const { client } = await pair();
       const stop = new AbortController();
       client.read({ signal: stop.signal }).catch(() => {});
       await turn();
       stop.abort();`,
    ],
    [
      'a read past its deadline',
      'const { client } = await pair(); client.setDeadline(Date.now() + 50); client.read();',
    ],
    [
      'what was pending before close()',
      `const { client, server } = await pair();
       client.read();
       client.write(FULL);
       server.handle({ data: forever });
       listener.accept();
       await turn();
       for (const each of [client, server, listener]) each.close();`,
    ],
    [
      'what was pending before the peer closed',
      'const { client, server } = await pair(); client.read(); server.close(); await turn();',
    ],
    [
      'a server that was shut down',
      'const server = serve(listener, () => {}); const conn = await connect(); conn.read(); server.shutdown({ timeout: 50 });',
    ],
    [
      'the promise of a data() on a connection that was unref()ed',
      `const { client, server } = await pair();
       client.handle({ data: forever });
       await server.write('x');
       await turn();
       await turn();
       client.unref();`,
    ],
    ['a lookup that its dial has given up', `dial('tcp', 'name.test:1', { lookup: forever, timeout: 50 });`],
    [
      'a lookup that was aborted',
      `for (const call of [dial, listen, listenPacket]) {
         const stop = new AbortController();
         const network = call === listenPacket ? 'udp' : 'tcp';
         call(network, 'name.test:1', { lookup: forever, signal: stop.signal }).catch(() => {});
         await turn();
         stop.abort();
       }`,
    ],
  ])('in spite of %s', async (_what, source) => {
    expect(await run(source)).toMatchObject({ code: 0, signal: null });
  });
});

// A timer that does not keep the process alive comes only if something else does.
describe.concurrent('a process lives for', LIMIT, () => {
  test.each([
    ['accept()', 'listener.accept();', 'listener.close();'],
    ['accept() after ref()', 'listener.unref().ref().accept();', 'listener.close();'],
    ['a server', 'const server = serve(listener, () => {});', 'server.close();'],
    [
      'a connection that a handler of a server reads',
      `const server = serve(listener.unref(), async (conn) => { await conn.read(); });
       const conn = await connect();`,
      'conn.close();',
    ],
    ['read()', 'const { client, server } = await pair(); client.read();', 'server.close();'],
    ['read() after ref()', 'const { client } = await pair(); client.unref().ref().read();', 'client.close();'],
    ['write()', 'const { client } = await pair(); client.write(FULL);', 'client.close();'],
    ['writev()', 'const { client } = await pair(); client.writev([FULL, FULL]);', 'client.close();'],
    [
      'dial() while it looks a name up',
      `dial('tcp', 'name.test:1', { lookup, signal }).catch(() => {});`,
      'stop.abort();',
    ],
    [
      'dial() while it looks its own address up',
      `dial('tcp', '127.0.0.1:1', { lookup, signal, localAddr: 'name.test:0' }).catch(() => {});`,
      'stop.abort();',
    ],
    ['listen() while it does', `listen('tcp', 'name.test:0', { lookup, signal }).catch(() => {});`, 'stop.abort();'],
    [
      'listenPacket() while it does',
      `listenPacket('udp', 'name.test:0', { lookup, signal }).catch(() => {});`,
      'stop.abort();',
    ],
    ['resolveTCPAddr()', `resolveTCPAddr('tcp', 'name.test:0', { lookup, signal }).catch(() => {});`, 'stop.abort();'],
    ['handle()', 'const { client, server } = await pair(); client.handle({ data() {} });', 'server.close();'],
    [
      'the promise that data() answered with',
      `const { client, server } = await pair();
       client.handle({ data: forever });
       await server.write('x');
       await turn();
       await turn();`,
      'client.close();',
    ],
    [
      'the promise that message() answered with',
      `const socket = await listenPacket('udp', '127.0.0.1:0');
       socket.handle({ message: forever });
       await socket.writeTo('x', socket.localAddr);
       await turn();
       await turn();`,
      'socket.close();',
    ],
    [
      'for await',
      'const { client, server } = await pair(); (async () => { for await (const _ of client); })();',
      'server.close();',
    ],
    [
      'relay()',
      'const [one, two] = [await pair(), await pair()]; relay(one.server, two.client);',
      'one.client.close(); two.server.close();',
    ],
    ['copy()', 'const { client, server } = await pair(); copy(client, client);', 'server.close();'],
    ['shutdown()', 'const { client, server } = await pair(); client.shutdown();', 'server.close();'],
    [
      'an accept that has no descriptor to accept with, and the pause that follows',
      `const { openSync } = await import('node:fs');
       const conn = await connect();
       try { for (;;) openSync('/dev/null'); } catch {}
       listener.accept();`,
      'listener.close();',
    ],
  ])('%s', async (_what, source, finish) => {
    const watching = `
      const stop = new AbortController();
      const [lookup, { signal }] = [forever, stop];
      ${source}
      setTimeout(() => { console.log('lives'); ${finish} }, 300).unref();
    `;
    const ended = await runScript(PRELUDE + watching, { limit: 50_000, maxOpenFiles: 100 });
    expect(ended).toMatchObject({ code: 0, signal: null, stdout: 'lives\n' });
  });
});

const CROWD = `
const conns = [];
const server = serve(listener, (conn) => {
  conns.push(conn);
  if (conns.length % 3 === 0) conn.handle({ data() {} });
  else if (conns.length % 3 === 1) conn.read();
  else { conn.setWriteBuffer(1); conn.write(FULL.subarray(0, 1 << 20)); }
});
for (let i = 0; i < 20; i++) conns.push(...await Promise.all(Array.from({ length: 50 }, connect)));
while (conns.length < 2000) await turn();
for (const conn of conns) conn.setReadDeadline(Date.now() + 1e6);
`;

describe.concurrent('process.exit()', LIMIT, () => {
  const clean = { code: 7, signal: null, stderr: '', stdout: '' };

  test('with a thousand connections, in use in every way', async () => {
    const ended = await runScript(`${PRELUDE}${CROWD}process.exit(7);`, { limit: 50_000, openFiles: 4096 });
    expect(ended).toEqual(clean);
  });

  test.each([
    [
      'reads, writes, accepts and dials',
      'const { client } = await pair(); client.read(); client.write(FULL); listener.accept(); connect(); await turn(); process.exit(7);',
    ],
    [
      'relays and copies that move bytes',
      `const [one, two, three] = [await pair(), await pair(), await pair()];
       relay(one.server, two.client);
       copy(three.server, three.server);
       for (const conn of [one.client, three.client]) (async () => { for (;;) await conn.write(FULL); })();
       for (const conn of [two.server, three.client]) conn.handle({ data() {} });
       setTimeout(() => process.exit(7), 50);`,
    ],
    ['a shutdown', 'const { client } = await pair(); client.shutdown(); await turn(); process.exit(7);'],
    ['a lookup', `dial('tcp', 'localhost:1', { lookup: forever }); dial('tcp', 'localhost:1'); process.exit(7);`],
  ])('amid %s', async (_what, source) => {
    expect(await run(source)).toEqual(clean);
  });

  const exit = '() => process.exit(7)';
  test.each([
    ['data()', `const { client, server } = await pair(); client.handle({ data: ${exit} }); server.write('x');`],
    ['end()', `const { client, server } = await pair(); client.handle({ data() {}, end: ${exit} }); server.close();`],
    [
      'error()',
      `const { client, server } = await pair();
       client.handle({ data() {}, error: ${exit} });
       server.setLinger(0);
       server.close();`,
    ],
    [
      'drain()',
      `const { client, server } = await pair();
       client.handle({ data() {}, drain: ${exit} });
       client.tryWrite(FULL);
       server.handle({ data() {} });`,
    ],
    ['the handler of a server', `serve(listener, ${exit}); connect();`],
    ['onError of a server', `serve(listener, () => { throw 1; }, { onError: ${exit} }); connect();`],
    ['what follows read()', `const { client, server } = await pair(); client.read().then(${exit}); server.write('x');`],
    [
      'what follows write()',
      `const { client, server } = await pair(); client.write(FULL).then(${exit}); server.handle({ data() {} });`,
    ],
    ['what follows accept()', `listener.accept().then(${exit}); connect();`],
    ['what follows dial()', `connect().then(${exit});`],
    [
      'what follows a deadline',
      `const { client } = await pair(); client.setDeadline(Date.now() + 20); client.read().catch(${exit});`,
    ],
    [
      'what follows a relay',
      `const [one, two] = [await pair(), await pair()]; relay(one.server, two.client).then(${exit}); one.client.close(); two.server.close();`,
    ],
    [
      'a worker',
      `const { Worker } = await import('node:worker_threads');
      const code = "require('spliceway').listen('tcp', '127.0.0.1:0').then((l) => { l.accept(); require('node:worker_threads').parentPort.postMessage('up'); })";
      new Worker(code, { eval: true, execArgv: [] }).on('message', ${exit});`,
    ],
  ])('inside %s', async (_where, source) => {
    expect(await run(source)).toEqual(clean);
  });

  test("'exit' listeners may still write, and close", async () => {
    const ended = await run(`
      const { client, server } = await pair();
      server.read();
      process.on('exit', () => {
        console.log(client.tryWrite('bye'), client.close(), server.close(), listener.close());
      });
      process.exit(7);
    `);
    expect(ended).toEqual({ ...clean, stdout: '3 true true true\n' });
  });

  test('after an exception nobody caught: its code is 1, and nothing crashes', async () => {
    const ended = await run(`
      const { client, server } = await pair();
      client.handle({ data() { throw new Error('mine'); } });
      server.write('x');
      server.read();
      listener.accept();
    `);
    expect(ended).toMatchObject({ code: 1, signal: null, stdout: '' });
    expect(ended.stderr).toContain('Error: mine');
  });
});
