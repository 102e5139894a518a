// serialise.mjs json|msgpackr|protobufjs|flatbuffers alone|socket connections --seconds S: prints, as one line of JSON,
// what it costs to make bytes of a structure and to read all of it from them: CPU nanoseconds in each slice of 1,000
// rounds, and the memory that a round takes, of V8's heap and outside of it. With `socket` each is sent in a frame to
// the other end of a connection, and read there.

import { dial, listen } from 'spliceway';
import { FramedConn } from 'spliceway/codec';
import { expected, makes, order } from './order.mjs';

const [make, mode, , seconds] = process.argv.slice(2);
const ROUNDS = 1000;
const { encode, total } = makes[make]();

function check(bytes) {
  if (total(bytes) !== expected) throw new Error('other values arrived than were sent');
}

async function alone() {
  const bytesOf = (body) =>
    typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.length);
  return () => {
    for (let i = 0; i < ROUNDS; i++) check(bytesOf(encode(order)));
  };
}

async function socket() {
  const listener = await listen('tcp', '127.0.0.1:0');
  const [a, b] = await Promise.all([dial('tcp', `${listener.addr}`), listener.accept()]);
  listener.close();
  const sender = new FramedConn(a);
  let left = 0;
  let done;
  new FramedConn(b).onFrames((batch) => {
    for (let i = 0; i < batch.count; i++) check(batch.body(i));
    left -= batch.count;
    if (left === 0) done();
  });
  return async () => {
    left = ROUNDS;
    const arrived = new Promise((resolve) => {
      done = resolve;
    });
    for (let i = 0; i < ROUNDS; i++) await sender.send(1, encode(order));
    await arrived;
  };
}

const run = await { alone, socket }[mode]();

async function cpuNs() {
  const from = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(from);
  return ((user + system) * 1000) / ROUNDS;
}

// Nothing is collected meanwhile: the young generation has room for all of it.
async function memory() {
  // The second one is through with what the first has left to be swept.
  globalThis.gc();
  globalThis.gc();
  const before = process.memoryUsage();
  await run();
  const after = process.memoryUsage();
  return {
    heapBytes: (after.heapUsed - before.heapUsed) / ROUNDS,
    outsideBytes: (after.arrayBuffers - before.arrayBuffers) / ROUNDS,
  };
}

const until = Date.now() + seconds * 1000;
const times = [];
while (Date.now() < until) times.push(await cpuNs());
const taken = await memory();
// The compiler is through by then.
const values = times.slice(Math.ceil(times.length / 4)).map((value) => ({ value, ...taken }));
console.log(JSON.stringify(values));
process.exit();
