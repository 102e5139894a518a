// deadlines.mjs spliceway|node-net set|move [connections] --seconds S: prints, as one line of JSON,
// the CPU nanoseconds of each call in each slice of time. It is its own peer, in a process apart.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from 'spliceway';

const [implementation, mode, connections = '1', seconds = '2'] = process.argv.slice(2);
const FAR = 60_000;
const CALLS_AT_ONCE = 100_000;
// For the collector to be through with what making the connections has left.
const SETTLE = 3000;

const implementations = {
  /** Functions that move the deadline of one connection each, whose read waits. */
  async spliceway(count, dialPeer) {
    const listener = await listen('tcp', '127.0.0.1:0', { backlog: count });
    dialPeer(listener.addr.port);
    const setters = [];
    while (setters.length < count) {
      const conn = await listener.accept();
      conn.read();
      setters.push((ms) => conn.setReadDeadline(ms));
    }
    return setters;
  },
  async 'node-net'(count, dialPeer) {
    const setters = [];
    const server = createServer((socket) => {
      socket.resume();
      setters.push((ms) => socket.setTimeout(ms));
    });
    await once(server.listen({ host: '127.0.0.1', port: 0, backlog: count }), 'listening');
    dialPeer(server.address().port);
    while (setters.length < count) await sleep(10);
    return setters;
  },
};

// A deadline is an instant, a timeout a duration.
function farAhead() {
  return implementation === 'spliceway' ? Date.now() + FAR : FAR;
}

function cpuNs(since) {
  const { user, system } = process.cpuUsage(since);
  return (user + system) * 1000;
}

/** Calls in a tight loop. */
async function set([setter]) {
  const values = [];
  const until = Date.now() + seconds * 1000;
  while (Date.now() < until) {
    const from = process.cpuUsage();
    const far = farAhead();
    for (let i = 0; i < CALLS_AT_ONCE; i++) setter(far + (i & 1023));
    values.push(cpuNs(from) / CALLS_AT_ONCE);
    await sleep(0); // whatever the calls have left to be done
  }
  return values.slice(Math.ceil(values.length / 4)); // the compiler is through by then
}

/** All of them once a second: a tenth every 100 ms. */
async function move(setters) {
  const SLICES = 10;
  await sleep(SETTLE);
  const values = [];
  for (let second = 0; second <= seconds; second++) {
    const from = process.cpuUsage();
    const began = Date.now();
    for (let slice = 0; slice < SLICES; slice++) {
      const far = farAhead();
      for (let i = slice; i < setters.length; i += SLICES) setters[i](far);
      await sleep(Math.max(0, began + (slice + 1) * (1000 / SLICES) - Date.now()));
    }
    values.push(cpuNs(from) / setters.length);
  }
  return values.slice(1);
}

/** The other end, told where to connect and how often. */
async function bePeer() {
  const [{ port, count }] = await once(process, 'message');
  for (let i = 0; i < count; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
  }
}

async function measure() {
  const peer = fork(process.argv[1], ['peer']);
  const count = Number(connections);
  const setters = await implementations[implementation](count, (port) => peer.send({ port, count }));
  const values = mode === 'set' ? await set(setters) : await move(setters);
  peer.kill();
  console.log(JSON.stringify(values));
  process.exit();
}

await (implementation === 'peer' ? bePeer() : measure());
