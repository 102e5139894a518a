// Workers of a cluster share what they listen on, as with node:net.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root, runNode } from '../support/child.ts';

const PROGRAM = `
const cluster = require('node:cluster');
const { once } = require('node:events');
const [name, policy, place] = process.argv.slice(2);
const net = require(name);
const isOurs = 'setReadDeadline' in net.Socket.prototype;
const nodes = () => process.getActiveResourcesInfo().filter((each) => each === 'TCPSocketWrap').length;

async function ask(where) {
  const socket = net.connect(where);
  socket.end('question ');
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

async function primary() {
  cluster.schedulingPolicy = cluster[policy];
  const workers = [cluster.fork(), cluster.fork()];
  const told = await Promise.all(workers.map((worker) => once(worker, 'listening')));
  const { port } = told[0][0];
  console.log('one port', told[1][0].port === port);
  const where = place === 'tcp' ? { port, host: '127.0.0.1' } : place;
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(where)));
  const by = new Set(answers.map((each) => each.split(' ')[1]));
  console.log(answers.every((each) => each.startsWith('question ')), policy === 'SCHED_NONE' || by.size);
  await Promise.all(workers.map((worker) => (worker.disconnect(), once(worker, 'exit'))));
  const [again] = await once(net.connect(where), 'error');
  console.log(again.code, workers.map((worker) => worker.process.exitCode));
}

function worker() {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('end', () => socket.end(cluster.worker.id + (isOurs && nodes() > 0 ? ' on a handle of Node' : '')));
  });
  if (place === 'tcp') server.listen(0, '127.0.0.1');
  else server.listen(place);
}

if (cluster.isPrimary) primary();
else worker();
`;

const TWICE = `
const cluster = require('node:cluster');
const net = require(process.argv[2]);
if (cluster.isPrimary) {
  const taken = net.createServer().listen(0, '127.0.0.1', () => {
    cluster.fork({ PORT: taken.address().port }).on('exit', (code) => taken.close(() => console.log(code)));
  });
} else {
  const { PORT } = process.env;
  const show = ({ message, code, syscall, address }) => console.log(message.replace(PORT, 'PORT'), code, syscall, address);
  net.createServer().listen(PORT, '127.0.0.1').on('error', (error) => {
    show(error);
    const own = net.createServer().listen({ port: 0, exclusive: true }, () => {
      console.log(own.address().port > 0);
      own.close(() => process.disconnect());
    });
  });
}
`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spliceway-cluster-'));
  writeFileSync(join(folder, 'program.cjs'), PROGRAM);
  writeFileSync(join(folder, 'twice.cjs'), TWICE);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs it on both modules; they are to do the same, in the end. */
async function same(program: string, ...args: string[]): Promise<void> {
  const run = (name: string) => runNode([join(folder, program), name, ...args], { limit: 20_000 });
  const [theirs, ours] = [await run('node:net'), await run(join(root, 'dist/net/index.js'))];
  expect(theirs).toMatchObject({ code: 0, stderr: '' });
  expect(ours).toEqual(theirs);
}

test.each([
  ['a port', 'SCHED_RR', 'tcp'],
  ['a port', 'SCHED_NONE', 'tcp'],
  ['a path', 'SCHED_RR', 'path'],
])('workers share %s with %s', async (_what, policy, place) => {
  await same('program.cjs', policy, place === 'tcp' ? place : join(folder, place));
});

test('a port that is taken, and one of its own', () => same('twice.cjs'));
