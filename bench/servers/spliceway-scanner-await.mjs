// Counts lines with a Scanner in `for await`.

import { listen, serve } from 'spliceway';
import { Scanner } from 'spliceway/codec';
import { addressesGiven } from './address.mjs';
import { Tally } from './tally.mjs';

const [address] = addressesGiven(1, 'spliceway-scanner-await.mjs host:port');

async function count(conn) {
  const tally = new Tally((text) => conn.write(text));
  for await (const line of new Scanner(conn, { encoding: 'utf8' })) tally.add(line.length);
  tally.end();
}

const listener = await listen('tcp', address);
serve(listener, count);
console.log(`listening tcp ${listener.addr}`);
