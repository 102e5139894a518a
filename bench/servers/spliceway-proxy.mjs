// A TCP proxy that leaves the bytes in the kernel.

import { dial, listen, relay, serve } from 'spliceway';
import { addressesGiven } from './address.mjs';

const [address, target] = addressesGiven(2, 'spliceway-proxy.mjs host:port target-host:port');

// Nobody has a use for how it ends, so nothing waits for that: a promise and a function for each relay would.
async function forward(conn) {
  relay(conn, await dial('tcp', target));
}

const listener = await listen('tcp', address);
serve(listener, forward);
console.log(`listening tcp ${listener.addr}`);
