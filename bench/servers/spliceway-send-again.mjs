// Sends a file over and over, until the connection ends: as a whole, or in pieces of 32 KiB.

import { listen, serve } from 'spliceway';
import { addressesGiven } from './address.mjs';
import { sendFile, sendFileInPieces } from './sending.mjs';

const [address, path, how] = addressesGiven(3, 'spliceway-send-again.mjs host:port file whole|pieces');
const PIECE = 32 * 1024;

async function send(conn) {
  for (;;) await (how === 'whole' ? sendFile(conn, path) : sendFileInPieces(conn, path, PIECE));
}

const listener = await listen('tcp', address);
serve(listener, send);
console.log(`listening tcp ${listener.addr}`);
