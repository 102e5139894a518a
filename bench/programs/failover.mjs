// failover.mjs standby|rebuild RATE CONNECTIONS SECONDS: sends RATE idempotent requests a second to the first of two
// servers, kills that process, and prints, as one line of JSON, the p99 in milliseconds of the requests around the
// kill, once for each time. Ends with status 1 where a request failed. Latency counts from when a request was due.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { listen, serve } from 'spliceway';
import { FramedConn } from 'spliceway/codec';
import { HealingClient } from 'spliceway/health';

const [how, rate, , seconds] = process.argv.slice(2);
// The client has the other one.
const SERVERS_CORE = '1';
const TICK = 2;
// Requests before those, so that the code is compiled.
const WARM_UP = 3000;
// Of each time, in milliseconds from its begin: all of it, the kill, and the requests that count.
const LENGTH = 2000;
const KILL = 1000;
const FROM = KILL - 50;
const TO = KILL + 450;

async function upstream() {
  const listener = await listen('tcp', '127.0.0.1:0');
  serve(listener, (conn) => new FramedConn(conn, { session: true }).onRequest(({ body }) => Buffer.from(body)));
  console.log(`${listener.addr}`);
}

async function startUpstream() {
  const argv = ['--cpu-list', SERVERS_CORE, process.execPath, process.argv[1], 'upstream'];
  const child = spawn('taskset', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  return { address: value, kill: () => child.kill('SIGKILL') };
}

/** The latencies of the requests that count. */
async function load(client, kill) {
  const perTick = (rate * TICK) / 1000;
  const began = performance.now();
  const latencies = [];
  const running = [];
  let killed = false;
  for (let due = 0; due < LENGTH; due += TICK) {
    // A turn of the loop even where it is late: answers have to be read.
    await nextTurn();
    const left = began + due - performance.now();
    if (left > 0) await sleep(left);
    if (due >= KILL && !killed) killed = kill();
    for (let i = 0; i < perTick; i++) {
      const request = client.request('x'.repeat(64), { idempotent: true });
      const counts = due >= FROM && due < TO;
      running.push(request.then(() => counts && latencies.push(performance.now() - began - due)));
    }
  }
  await Promise.all(running);
  return latencies.sort((a, b) => a - b);
}

async function measure() {
  const servers = await Promise.all([startUpstream(), startUpstream()]);
  const endpoints = servers.map(({ address }) => address);
  const client = new HealingClient({ endpoints, standby: how === 'standby' ? 1 : 0 });
  for (let i = 0; i < WARM_UP; i++) await client.request('warm');
  while (how === 'standby' && client.stats.standby < 1) await sleep(1);
  const active = servers[endpoints.indexOf(client.stats.active)];
  const latencies = await load(client, active.kill);
  for (const { kill } of servers) kill();
  client.close();
  return latencies[Math.floor(latencies.length * 0.99)];
}

if (how === 'upstream') {
  await upstream();
} else {
  const values = [];
  const times = Math.max(Math.floor((seconds * 1000) / LENGTH), 1);
  while (values.length < times) values.push(await measure());
  console.log(JSON.stringify(values));
  process.exit();
}
