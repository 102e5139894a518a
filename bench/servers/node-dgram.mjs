// UDP echo with node:dgram.

import { createSocket } from 'node:dgram';
import { addressesGiven, announce, hostAndPort } from './address.mjs';

const [address] = addressesGiven(1, 'node-dgram.mjs host:port');
const { host, port } = hostAndPort(address);

const socket = createSocket('udp4');
socket.on('message', (message, from) => socket.send(message, from.port, from.address));
socket.bind(port, host, () => announce({ host, port: socket.address().port }, 'udp'));
