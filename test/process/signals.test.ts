// Signals interrupt system calls (EINTR) and wake the loop. Nobody who reads, writes, accepts or dials
// notices.

import { describe, expect, test } from 'vitest';
import { runScript } from '../support/child.ts';
import { PATIENCE } from '../support/time.ts';

const LIMIT = { timeout: 60_000 * PATIENCE };

// Traffic of every kind until `over`; \`report\` has what went wrong, and what came.
const TRAFFIC = `
import { copy, dial, listen, relay, serve } from 'spliceway';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

let over = false;
const report = { failures: [], rounds: 0 };
const up = async (network, address, handler) => {
  const listener = await listen(network, address);
  const server = serve(listener, handler, { onError: (error) => report.failures.push(String(error)) });
  return { server, to: String(listener.addr) };
};
const hash = (chunks) => createHash('sha256').update(Buffer.concat(chunks)).digest('hex');
const SENT = Buffer.alloc(3 << 20, 'not a byte is lost; ');

const echo = await up('tcp', '127.0.0.1:0', (conn) => copy(conn, conn).finally(() => conn.close()));
const local = await up('unix', '@spliceway-signals-' + process.pid, async (conn) => {
  for await (const chunk of conn) await conn.write(chunk);
});
const handled = await up('tcp', '127.0.0.1:0', (conn) => conn.handle({ async data(chunk) { await conn.write(chunk); } }));
const proxy = await up('tcp', '127.0.0.1:0', async (conn) => {
  const { error } = await relay(conn, await dial('tcp', echo.to));
  if (error !== null) throw error;
});

async function round(network, to) {
  const conn = await dial(network, to);
  const sending = conn.write(SENT).then((n) => { conn.closeWrite(); return n; });
  const chunks = [];
  for await (const chunk of conn) chunks.push(chunk);
  conn.close();
  if (await sending !== SENT.length || hash(chunks) !== hash([SENT])) report.failures.push('bytes of ' + to);
  report.rounds++;
}
async function client(network, to) {
  try {
    while (!over) await round(network, to);
  } catch (error) {
    report.failures.push(String(error));
  }
}
const clients = [['tcp', echo.to], ['unix', local.to], ['tcp', handled.to], ['tcp', proxy.to]]
  .map(([network, to]) => client(network, to));

// A connection on which nothing comes but its deadlines.
async function deadlines() {
  const conn = await dial('tcp', handled.to);
  while (!over) {
    const at = Date.now() + 5;
    conn.setReadDeadline(at);
    const error = await conn.read().catch((error) => error);
    if (error.timeout !== true || Date.now() < at) report.failures.push('a deadline: ' + error);
  }
  conn.close();
}
clients.push(deadlines());

async function finish(signals) {
  over = true;
  await Promise.all(clients);
  for (const { server } of [echo, local, handled, proxy]) server.close();
  console.log(JSON.stringify({ ...report, signals }));
}
`;

const outcomeOf = async (source: string) => {
  const { stdout, ...ended } = await runScript(TRAFFIC + source, { limit: 50_000 });
  expect(ended).toEqual({ code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout) as { failures: string[]; rounds: number; signals: number };
};

describe.runIf(process.platform === 'linux')('traffic loses nothing', LIMIT, () => {
  test.each(['SIGUSR2', 'SIGCHLD', 'SIGALRM', 'SIGPIPE'])('in a flood of %s', async (signal) => {
    const { failures, rounds, signals } = await outcomeOf(`
      let seen = 0;
      process.on('${signal}', () => seen++);
      // From threads, so that they meet the main one at whatever it is doing.
      const code = "for (;;) { process.kill(process.pid, '${signal}'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0.05); }";
      const worker = new Worker(code, { eval: true, execArgv: [] });
      setTimeout(async () => {
        await worker.terminate();
        await finish(seen);
      }, 1000);
    `);
    expect(failures).toEqual([]);
    expect(rounds).toBeGreaterThan(0);
    expect(signals).toBeGreaterThan(100);
  });

  test('when children come and go', async () => {
    const { failures, signals } = await outcomeOf(`
      let seen = 0;
      process.on('SIGCHLD', () => seen++);
      for (let i = 0; i < 40; i++) await once(spawn('/bin/true', { env: {} }), 'close');
      await finish(seen);
    `);
    expect(failures).toEqual([]);
    expect(signals).toBeGreaterThanOrEqual(40);
  });

  test('when it is stopped and continued, again and again', async () => {
    const { failures, rounds } = await outcomeOf(`
      const code = \`
        const nap = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
        for (let i = 0; i < 150; i++) {
          process.kill(process.ppid, 'SIGSTOP'); nap(1);
          process.kill(process.ppid, 'SIGCONT'); nap(5);
        }
      \`;
      await once(spawn(process.execPath, ['-e', code], { stdio: 'inherit' }), 'close');
      await finish(300);
    `);
    expect(failures).toEqual([]);
    expect(rounds).toBeGreaterThan(0);
  });
});
