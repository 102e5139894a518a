// The other end of the run, on a thread of its own: it beats, and its JavaScript can be had stuck.

import { parentPort } from 'node:worker_threads';
import { listen, serve } from 'spliceway';
import { FramedConn } from 'spliceway/codec';

const listener = await listen('tcp', '127.0.0.1:0');
const server = serve(listener, async (conn) => {
  const frames = new FramedConn(conn, { heartbeat: { interval: 60_000 } });
  while ((await frames.receive()) !== null);
});

parentPort.on('message', (block) => {
  if (block > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, block);
  else void server.shutdown({ timeout: 0 }).then(() => process.exit());
});
parentPort.postMessage(`${listener.addr}`);
