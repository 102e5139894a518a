// A process without descriptors to spare. Each program here keeps its own limit low, hoards what is
// left, and gives back as many as it likes.

import { describe, expect, test } from 'vitest';
import { root, runScript } from '../support/child.ts';
import { hasPython } from '../support/python.ts';
import { PATIENCE } from '../support/time.ts';

const LIMIT = { timeout: 60_000 * PATIENCE };

const PRELUDE = `
import { copy, dial, listen, relay, serve } from 'spliceway';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

const native = Object.values(createRequire(${JSON.stringify(`${root}/`)}).cache)
  .find(({ filename }) => filename.endsWith('.node')).exports;
const listener = await listen('tcp', '127.0.0.1:0');
const connect = () => dial('tcp', String(listener.addr));
const hoarded = [];
function hoard() {
  try { for (;;) hoarded.push(openSync('/dev/null')); } catch {}
}
function giveBack(n) {
  for (const fd of hoarded.splice(0, n)) closeSync(fd);
}
const echo = async (conn) => { for await (const chunk of conn) await conn.write(chunk); conn.close(); };
async function ask(conn) {
  await conn.write('x');
  return String(await conn.read());
}
// How it is to be refused: the end of the stream, or a reset where bytes had been sent.
const refusal = (conn) => conn.read().then((chunk) => chunk ?? 'end', (error) => error.code);
`;

const run = (source: string) => runScript(PRELUDE + source, { limit: 50_000, maxOpenFiles: 120 });
const ended = (stdout: string) => ({ code: 0, signal: null, stdout });

describe.concurrent('a server without descriptors', LIMIT, () => {
  test('refuses who queues, stays, and serves again once there are some', async () => {
    const outcome = await run(`
      const queued = await Promise.all(Array.from({ length: 20 }, connect));
      hoard();
      const server = serve(listener, echo, { onError: console.log });
      console.log(new Set(await Promise.all(queued.map(refusal))), listener.refused, server.connections);
      giveBack(50);
      for (const conn of queued) conn.close();
      const conns = await Promise.all(Array.from({ length: 20 }, connect));
      console.log(new Set(await Promise.all(conns.map(ask))), listener.refused, server.connections);
      server.close();
    `);
    expect(outcome).toMatchObject(ended("Set(1) { 'end' } 20 0\nSet(1) { 'x' } 20 20\n"));
    expect(outcome.stderr.match(/SPLICEWAY_ACCEPT_PAUSED/g)).toHaveLength(1);
  });

  test('serves those it has, and whoever there is room for', async () => {
    const outcome = await run(`
      const server = serve(listener, echo, { onError: console.log });
      const first = await connect();
      console.log(await ask(first));
      hoard();
      for (let i = 0; i < 5; i++) {
        giveBack(1);
        const next = await connect();
        const asking = refusal(next);
        console.log(await ask(first), await asking);
        next.close();
        hoard();
      }
      giveBack(2);
      const last = await connect();
      console.log(await ask(last), server.connections);
      server.close();
    `);
    expect(outcome).toMatchObject(ended(`x\n${'x end\n'.repeat(5)}x 2\n`));
  });

  test('lets an accept() wait, and refuses who queues', async () => {
    const outcome = await run(`
      const refused = await connect();
      const waiting = await connect();
      hoard();
      const accepting = listener.accept();
      console.log(await refusal(refused), await refusal(waiting), listener.refused);
      giveBack(2);
      const client = await connect();
      const conn = await accepting;
      console.log(String(conn.remoteAddr) === String(client.localAddr));
    `);
    expect(outcome).toMatchObject(ended('end end 2\ntrue\n'));
  });

  test('lets go of a listener that is closed, or meets its deadline, in a pause', async () => {
    const outcome = await run(`
      const clients = await Promise.all(Array.from({ length: 3 }, connect));
      hoard();
      const code = (error) => error.code;
      const accepting = listener.accept().catch(code);
      listener.setDeadline(Date.now() + 3);
      console.log(await accepting);
      listener.setDeadline(null);
      const again = listener.accept().catch(code);
      await turn();
      listener.close();
      console.log(await again);
    `);
    expect(outcome).toMatchObject(ended('ERR_SPLICEWAY_DEADLINE_EXCEEDED\nERR_SPLICEWAY_CLOSED\n'));
  });

  // The clients are another process', so that they come however little there is here.
  const CROWD = `
import socket, sys, time
host, port = sys.argv[1].rsplit(':', 1)
until = time.time() + 2
while time.time() < until:
  conns = [socket.create_connection((host, int(port))) for _ in range(50)]
  for conn in conns:
    conn.settimeout(0.05)
    try: conn.recv(1)
    except OSError: pass
    conn.close()
`;

  test.runIf(hasPython)('does not burn the processor, however many come', async () => {
    const outcome = await run(`
      import { spawn } from 'node:child_process';
      import { once } from 'node:events';
      const server = serve(listener, echo, { onError: console.log });
      const crowd = spawn('python3', ['-I', '-S', '-c', ${JSON.stringify(CROWD)}, String(listener.addr)], { env: {}, stdio: 'inherit' });
      const exit = once(crowd, 'exit');
      hoard();
      while (listener.refused === 0) await sleep(1);
      const before = process.cpuUsage();
      const since = performance.now();
      const [code] = await exit;
      const { user, system } = process.cpuUsage(before);
      const share = (user + system) / 1000 / (performance.now() - since);
      giveBack(10);
      const conn = await connect();
      console.log(code, server.connections === 0, await ask(conn));
      console.error(JSON.stringify({ share, refused: listener.refused }));
      server.close();
    `);
    expect(outcome).toMatchObject(ended('0 true x\n'));
    const { share, refused } = JSON.parse(outcome.stderr.trim().split('\n').at(-1) as string);
    expect(share).toBeLessThan(0.5);
    expect(refused).toBeGreaterThan(0);
  });
});

describe.concurrent('without descriptors', LIMIT, () => {
  // `call` fails with none left; what it had opened before that is closed again.
  test.each([
    ['dial()', 0, `connect()`, 'dial EMFILE socket true'],
    ['dial() to a Unix socket', 0, `dial('unix', '/nowhere')`, 'dial EMFILE socket true'],
    ['listen()', 0, `listen('tcp', '127.0.0.1:0')`, 'listen EMFILE socket true'],
    ['listen(), whose second one is missing', 1, `listen('tcp', '127.0.0.1:0')`, 'listen EMFILE open true'],
    ['copy() of a file', 0, `copy(client, file)`, 'readfrom EMFILE fcntl true'],
    ['copy() to a file', 0, `copy(file, client)`, 'writeto EMFILE fcntl true'],
  ])('%s rejects, and leaves nothing open', async (_what, room, call, error) => {
    const outcome = await run(`
      const [server, client] = await Promise.all([listener.accept(), connect()]);
      const file = await open(process.execPath);
      hoard();
      giveBack(${room});
      const [handles, descriptors] = [native.openHandles(), hoarded.length];
      const told = new Set();
      for (let i = 0; i < 100; i++) {
        const { op, code, syscall, temporary } = await (${call}).catch((error) => error);
        told.add([op, code, syscall, temporary].join(' '));
      }
      hoard();
      console.log([...told].join(', '), native.openHandles() - handles, hoarded.length - descriptors);
      process.exit();
    `);
    expect(outcome).toEqual({ ...ended(`${error} 0 ${room}\n`), stderr: '' });
  });

  test('connections read, write, relay and copy as ever', async () => {
    const outcome = await run(`
      const pair = async () => (await Promise.all([listener.accept(), connect()]));
      const [[a, left], [b, right], [c, client]] = [await pair(), await pair(), await pair()];
      hoard();
      const sent = Buffer.alloc(4 << 20, 'spliceway ');
      const relaying = relay(a, b);
      const echoing = copy(c, c);
      async function exchange(from, to) {
        from.write(sent).then(() => from.closeWrite());
        const chunks = [];
        for await (const chunk of to) chunks.push(chunk);
        return Buffer.concat(chunks).equals(sent);
      }
      const relayed = exchange(left, right).finally(() => right.closeWrite());
      const echoed = exchange(client, { async *[Symbol.asyncIterator]() {
        let size = 0;
        for await (const chunk of client) { yield chunk; size += chunk.length; if (size === sent.length) return; }
      } });
      console.log(await relayed, (await relaying).reason, await echoed, await echoing === sent.length);
      process.exit();
    `);
    expect(outcome).toEqual({ ...ended('true end true true\n'), stderr: '' });
  });
});
