// Echo in await style, with chunks that are the caller's own.

import { listen, serve } from 'spliceway';
import { addressesGiven } from './address.mjs';

const [address] = addressesGiven(1, 'spliceway-await.mjs host:port');

async function echo(conn) {
  for (;;) {
    const chunk = await conn.read();
    if (chunk === null) return;
    await conn.write(chunk);
  }
}

const listener = await listen('tcp', address);
serve(listener, echo);
console.log(`listening tcp ${listener.addr}`);
