// Counts lines with a Scanner, batch by batch.

import { listen, serve } from 'spliceway';
import { Scanner } from 'spliceway/codec';
import { addressesGiven } from './address.mjs';
import { Tally } from './tally.mjs';

const [address] = addressesGiven(1, 'spliceway-scanner.mjs host:port');

async function count(conn) {
  const tally = new Tally((text) => conn.write(text));
  for await (const lines of new Scanner(conn, { encoding: 'utf8' }).batches()) tally.addAll(lines);
  tally.end();
}

const listener = await listen('tcp', address);
serve(listener, count);
console.log(`listening tcp ${listener.addr}`);
