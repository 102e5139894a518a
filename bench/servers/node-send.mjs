// Sends a file with node:fs and node:net.

import { createReadStream } from 'node:fs';
import { createServer } from 'node:net';
import { addressesGiven, listenAndAnnounce } from './address.mjs';

const [address, path] = addressesGiven(2, 'node-send.mjs host:port file');

function send(socket) {
  const file = createReadStream(path);
  file.pipe(socket);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => file.destroy());
}

listenAndAnnounce(createServer({ noDelay: true }, send), address);
