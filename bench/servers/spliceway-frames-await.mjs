// Counts frames with a FramedConn in `for await`.

import { listen, serve } from 'spliceway';
import { FramedConn } from 'spliceway/codec';
import { addressesGiven } from './address.mjs';
import { Tally } from './tally.mjs';

const [address] = addressesGiven(1, 'spliceway-frames-await.mjs host:port');

async function count(conn) {
  const tally = new Tally((text) => conn.write(text));
  for await (const { body } of new FramedConn(conn)) tally.add(body.length);
  tally.end();
}

const listener = await listen('tcp', address);
serve(listener, count);
console.log(`listening tcp ${listener.addr}`);
