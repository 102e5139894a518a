// Echo in handler style: each chunk is lent, and goes back in the call that brought it.

import { listen, serve } from 'spliceway';
import { addressesGiven } from './address.mjs';

const [address] = addressesGiven(1, 'spliceway-handler.mjs host:port');

function echo(conn) {
  conn.handle({
    data(chunk) {
      const taken = conn.tryWrite(chunk);
      // No room for all of it. The chunk stays lent until the promise settles, and nothing more is
      // read meanwhile.
      if (taken < chunk.length) return conn.write(chunk.subarray(taken));
    },
  });
}

const listener = await listen('tcp', address);
serve(listener, echo);
console.log(`listening tcp ${listener.addr}`);
