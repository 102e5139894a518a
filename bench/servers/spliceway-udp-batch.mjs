// UDP echo in batches: what has come with one system call goes back with one.

import { listenPacket } from 'spliceway';
import { addressesGiven } from './address.mjs';

const [address] = addressesGiven(1, 'spliceway-udp-batch.mjs host:port');

const conn = await listenPacket('udp', address);
conn.handle({
  batch(packets) {
    const taken = conn.tryWriteBatch(packets);
    if (taken < packets.length) return conn.writeBatch(packets.slice(taken));
  },
});
console.log(`listening udp ${conn.localAddr}`);
