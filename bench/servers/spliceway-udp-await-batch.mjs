// UDP echo in await style, in batches.

import { listenPacket } from 'spliceway';
import { addressesGiven } from './address.mjs';

const [address] = addressesGiven(1, 'spliceway-udp-await-batch.mjs host:port');

const conn = await listenPacket('udp', address);
console.log(`listening udp ${conn.localAddr}`);
for (;;) await conn.writeBatch(await conn.readBatch());
