// A TCP proxy that leaves the bytes in the kernel.

import { dial, listen, relay, serve } from 'spliceway';
import { addressesGiven } from './address.mjs';

const [address, target] = addressesGiven(2, 'spliceway-proxy.mjs host:port target-host:port');

async function forward(conn) {
  const upstream = await dial('tcp', target);
  await relay(conn, upstream);
}

const listener = await listen('tcp', address);
serve(listener, forward);
console.log(`listening tcp ${listener.addr}`);
