// UDP echo in handler style: each datagram is lent, and goes back in the call that brought it.

import { listenPacket } from 'spliceway';
import { addressesGiven } from './address.mjs';

const [address] = addressesGiven(1, 'spliceway-udp-handler.mjs host:port');

const conn = await listenPacket('udp', address);
conn.handle({
  message(chunk, addr) {
    // No room: the chunk stays lent until the promise settles, and nothing more is read meanwhile.
    if (!conn.tryWriteTo(chunk, addr)) return conn.writeTo(chunk, addr);
  },
});
console.log(`listening udp ${conn.localAddr}`);
