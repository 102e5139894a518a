// Counts lines with node:readline in `for await`.

import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { addressesGiven, listenAndAnnounce } from './address.mjs';
import { Tally } from './tally.mjs';

const [address] = addressesGiven(1, 'node-readline-await.mjs host:port');

async function count(socket) {
  const tally = new Tally((text) => socket.write(text));
  socket.on('error', () => socket.destroy());
  for await (const line of createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY }))
    tally.add(line.length);
  tally.end();
  socket.end();
}

listenAndAnnounce(createServer({ allowHalfOpen: true, noDelay: true }, count), address);
