// frame-load.mjs MEGABYTES: sends so many megabytes a second of frames to a process of its own, on another core, until
// it is killed. Says "sending" when it has begun. What else runs on these cores has to share them with it.

import { fileURLToPath } from 'node:url';
import { dial, listen, serve } from 'spliceway';
import { FramedConn } from 'spliceway/codec';
import { pace } from './pace.mjs';
import { addressIn, PEERS_CORE, start } from './start.mjs';

const [megabytes] = process.argv.slice(2);
const body = Buffer.alloc(16 * 1024);

async function receive() {
  const listener = await listen('tcp', '127.0.0.1:0');
  serve(listener, (conn) => new FramedConn(conn).onFrames(() => {}));
  console.log(`listening tcp ${listener.addr}`);
}

async function send() {
  const { line } = await start(PEERS_CORE, process.execPath, fileURLToPath(import.meta.url), 'receive');
  const framed = new FramedConn(await dial('tcp', addressIn(line)));
  console.log('sending');
  await pace(Number(megabytes) * 1e6, body.length, () => framed.send(1, body));
}

if (megabytes === 'receive') await receive();
else await send();
