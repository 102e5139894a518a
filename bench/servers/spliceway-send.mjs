// Sends a file without its bytes ever being in this process.

import { listen, serve } from 'spliceway';
import { addressesGiven } from './address.mjs';
import { sendFile } from './sending.mjs';

const [address, path] = addressesGiven(2, 'spliceway-send.mjs host:port file');

async function send(conn) {
  await sendFile(conn, path);
  await conn.shutdown();
}

const listener = await listen('tcp', address);
serve(listener, send);
console.log(`listening tcp ${listener.addr}`);
