// Counts lines with node:readline, as it is mostly written.

import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { addressesGiven, listenAndAnnounce } from './address.mjs';
import { Tally } from './tally.mjs';

const [address] = addressesGiven(1, 'node-readline.mjs host:port');

function count(socket) {
  const tally = new Tally((text) => socket.write(text));
  const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on('line', (line) => tally.add(line.length));
  lines.on('close', () => {
    tally.end();
    socket.end();
  });
  socket.on('error', () => socket.destroy());
}

listenAndAnnounce(createServer({ allowHalfOpen: true, noDelay: true }, count), address);
