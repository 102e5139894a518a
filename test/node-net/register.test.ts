// In place of node:net: for the application, not for Node's own modules.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { root, runNode, runScript } from '../support/child.ts';

const folder = mkdtempSync(join(tmpdir(), 'spliceway-register-'));
afterAll(() => rmSync(folder, { recursive: true }));

const program = (name: string, source: string) => {
  const path = join(folder, name);
  writeFileSync(path, source);
  return path;
};

const ASK = `
const isOurs = (net) => 'setReadDeadline' in net.Socket.prototype;
const server = net.createServer((socket) => socket.pipe(socket)).listen(0, () => {
  const socket = net.connect(server.address().port, () => socket.end('x'));
  socket.on('data', (chunk) => console.log(isOurs(net), String(chunk), process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).join()));
  socket.on('close', () => server.close());
});
`;
const esm = program(
  'app.mjs',
  `import net, { Socket } from 'net'; import * as all from 'node:net'; ${ASK} console.log(net.Socket === Socket, all.default === net);`,
);
const commonjs = program(
  'app.cjs',
  `const net = require('node:net'); console.log(require('net') === net, net === net.default); ${ASK}`,
);
const http = program(
  'http.cjs',
  `const { createServer, get } = require('http');
  const server = createServer((request, response) => response.end(String('setReadDeadline' in request.socket)));
  server.listen(0, () => get({ port: server.address().port, agent: false }, (response) => {
    response.on('data', (chunk) => console.log(String(chunk))).on('end', () => server.close());
  }));`,
);
const worker = program(
  'worker.cjs',
  `const { Worker, isMainThread } = require('worker_threads');
  console.log('setReadDeadline' in require('net').Socket.prototype);
  if (isMainThread) new Worker(__filename);`,
);

const import_ = pathToFileURL(join(root, 'dist/net/register.js')).href;
const require_ = join(root, 'dist/net/register.js');

describe.each([
  ['--import', import_],
  ['--require', require_],
])('%s spliceway/net/register', (option, file) => {
  const run = (path: string) => runNode([option, file, path]);

  test.each([
    ['ES modules', esm],
    ['CommonJS', commonjs],
  ])('gives %s this package for node:net', async (_kind, path) => {
    expect(await run(path)).toMatchObject({ code: 0, stderr: '', stdout: 'true true\ntrue x \n' });
  });

  test("leaves Node's own modules theirs", async () => {
    expect(await run(http)).toMatchObject({ code: 0, stderr: '', stdout: 'false\n' });
  });

  test('holds in workers', async () => {
    expect(await run(worker)).toMatchObject({ code: 0, stderr: '', stdout: 'true\ntrue\n' });
  });
});

test("the subpath is the package's", async () => {
  const { stdout } = await runScript(`console.log('setReadDeadline' in (await import('node:net')).Socket.prototype)`, {
    node: ['--import', 'spliceway/net/register'],
  });
  expect(stdout).toBe('true\n');
});

describe('an import without it', () => {
  test('has a default, which is all of it', async () => {
    const { stdout } = await runScript(`
      import net, * as all from 'spliceway/net';
      import { createRequire } from 'node:module';
      const required = createRequire(import.meta.url)('spliceway/net');
      console.log(net === required, Object.keys(required).every((name) => all[name] === required[name]));
    `);
    expect(stdout).toBe('true true\n');
  });
});
