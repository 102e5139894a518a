// examples/failover-client.mjs with two servers, one of which is killed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { childEnv, root } from '../support/child.ts';
import { type Serving, startProgram } from '../support/cli.ts';

const example = (name: string) => join(root, 'examples', name);
const startServer = () => startProgram(example('failover-server.mjs'), '127.0.0.1:0');

/** Runs the client to its end; ends the first server with a signal as soon as the second stands by. */
async function runClient(a: Serving, b: Serving, signal: NodeJS.Signals) {
  const argv = [example('failover-client.mjs'), a.address, b.address, '100'];
  const child = spawn(process.execPath, argv, { env: childEnv(), stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    if (text.includes(': standby\n')) a.child.kill(signal);
  });
  const [code] = await once(child, 'close');
  return { code, stdout };
}

test('the server is killed: every request is answered, those after that by the other one', async () => {
  await using a = await startServer();
  await using b = await startServer();
  const { code, stdout } = await runClient(a, b, 'SIGKILL');
  expect(code).toBe(0);
  expect(stdout).toContain(`connected to ${a.address}: active\n`);
  expect(stdout).toContain(`connected to ${b.address}: standby\n`);
  expect(stdout).toContain(`from ${a.address} to ${b.address}: `);
  expect(stdout).toContain('REQUEST 100\n100 answers, 0 errors, 0 unknown, 1 switches\n');
});

test('the server is stopped: the same, and it ends in order', async () => {
  await using a = await startServer();
  await using b = await startServer();
  const { stdout } = await runClient(a, b, 'SIGTERM');
  expect(stdout).toContain('100 answers, 0 errors, 0 unknown, 1 switches\n');
  expect((await a.stop()).code).toBe(0);
});
