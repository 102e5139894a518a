// UDP echo in await style.

import { listenPacket } from 'spliceway';
import { addressesGiven } from './address.mjs';

const [address] = addressesGiven(1, 'spliceway-udp-await.mjs host:port');

const conn = await listenPacket('udp', address);
console.log(`listening udp ${conn.localAddr}`);
for (;;) {
  const { data, addr } = await conn.readFrom();
  await conn.writeTo(data, addr);
}
