// Counts frames with a FramedConn, batch by batch.

import { listen, serve } from 'spliceway';
import { FramedConn } from 'spliceway/codec';
import { addressesGiven } from './address.mjs';
import { Tally } from './tally.mjs';

const [address] = addressesGiven(1, 'spliceway-frames.mjs host:port');

function count(conn) {
  const tally = new Tally((text) => conn.write(text));
  const countBatch = (batch) => {
    for (let i = 0; i < batch.count; i++) tally.add(batch.length(i));
  };
  new FramedConn(conn).onFrames(countBatch, { end: () => tally.end() });
}

const listener = await listen('tcp', address);
serve(listener, count);
console.log(`listening tcp ${listener.addr}`);
