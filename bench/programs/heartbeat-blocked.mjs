// heartbeat-blocked.mjs spliceway|misses|silence MODE CONNECTIONS SECONDS: connections with heartbeats to a process on
// another core, whose JavaScript stands still for five of every six intervals. MODE is the interval in milliseconds, and
// may be followed by "flooded": this end then offers 100 MB/s besides. Prints, as one line of JSON, how many connections
// either end declared lost, in which share of all looks this end said stalled, and the bytes sent per second.

import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dial, listen, serve } from 'spliceway';
import { makesOf } from './heartbeat-ends.mjs';
import { pace } from './pace.mjs';
import { PEERS_CORE, start } from './start.mjs';

const [implementation, mode, connections, seconds, target] = process.argv.slice(2);
const [milliseconds, flooded] = mode.split(' ');
const interval = Number(milliseconds);
const LOOK_EVERY = 50;
const FLOOD = 100e6;
const body = Buffer.alloc(16 * 1024);

const makeEnd = makesOf(interval)[implementation];
const overNode = implementation !== 'spliceway';
const ends = [];

async function listenForEnds() {
  if (overNode) {
    const server = createServer((socket) => ends.push(makeEnd(socket, socket.remotePort))).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    return `127.0.0.1:${server.address().port}`;
  }
  const listener = await listen('tcp', '127.0.0.1:0');
  serve(listener, (conn) => void ends.push(makeEnd(conn, conn.remoteAddr.port)));
  return `${listener.addr}`;
}

async function dialEnd() {
  if (!overNode) {
    const conn = await dial('tcp', target);
    return makeEnd(conn, conn.localAddr.port);
  }
  const [host, port] = target.split(':');
  const socket = connect(Number(port), host);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return makeEnd(socket, socket.localPort);
}

const lostPorts = () => ends.filter((end) => end.state === 'lost').map(({ port }) => port);

async function standStill() {
  while (ends.length < connections) ends.push(await dialEnd());
  process.once('message', () => process.send(lostPorts()));
  console.log('connected');
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    await sleep(interval);
    Atomics.wait(never, 0, 0, 5 * interval);
  }
}

/** Offers bytes to one after the other; the number of those that were sent. */
function flood() {
  const sent = { bytes: 0 };
  let next = 0;
  const sendToNext = () => {
    next = (next + 1) % ends.length;
    if (ends[next].send(body)) sent.bytes += body.length;
  };
  pace(FLOOD, body.length, sendToNext);
  return sent;
}

async function shareStalled(until) {
  let [looks, stalled] = [0, 0];
  while (performance.now() < until) {
    await sleep(LOOK_EVERY);
    looks += ends.length;
    stalled += ends.filter((end) => end.state === 'stalled').length;
  }
  return overNode ? undefined : stalled / looks;
}

async function measure() {
  const address = await listenForEnds();
  const argv = [fileURLToPath(import.meta.url), implementation, mode, connections, seconds, address];
  const { child } = await start(PEERS_CORE, process.execPath, ...argv);
  while (ends.length < connections) await sleep(1);
  const sent = flooded && flood();
  const stalled = await shareStalled(performance.now() + seconds * 1000);
  const perSecond = sent && sent.bytes / seconds;
  const theirs = new Promise((resolve) => child.once('message', resolve));
  child.send('report');
  const lost = new Set([...lostPorts(), ...(await theirs)]);
  console.log(JSON.stringify([{ value: lost.size, stalled, perSecond }]));
  process.exit();
}

if (target === undefined) await measure();
else await standStill();
