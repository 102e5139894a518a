// node-net.mjs with spliceway/net in place of node:net.

import { createServer } from 'spliceway/net';
import { addressesGiven, listenAndAnnounce } from './address.mjs';

const [address] = addressesGiven(1, 'spliceway-net.mjs host:port');

function echo(socket) {
  socket.on('data', (chunk) => {
    if (!socket.write(chunk)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('error', () => socket.destroy());
}

listenAndAnnounce(createServer({ noDelay: true }, echo), address);
