// Echo with node:net as it is mostly written, minding back-pressure.

import { createServer } from 'node:net';
import { addressesGiven, listenAndAnnounce } from './address.mjs';

const [address] = addressesGiven(1, 'node-net.mjs host:port');

function echo(socket) {
  socket.on('data', (chunk) => {
    if (!socket.write(chunk)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('error', () => socket.destroy());
}

listenAndAnnounce(createServer({ noDelay: true }, echo), address);
