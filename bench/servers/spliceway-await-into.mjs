// Echo in await style, with one buffer for the life of each connection.

import { listen, serve } from 'spliceway';
import { addressesGiven } from './address.mjs';

const [address] = addressesGiven(1, 'spliceway-await-into.mjs host:port');

async function echo(conn) {
  const p = Buffer.allocUnsafeSlow(64 * 1024);
  for (;;) {
    const n = await conn.read(p);
    if (n === null) return;
    await conn.write(p.subarray(0, n));
  }
}

const listener = await listen('tcp', address);
serve(listener, echo);
console.log(`listening tcp ${listener.addr}`);
