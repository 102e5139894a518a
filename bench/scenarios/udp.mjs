// Datagrams to a UDP echo server, for sizes and numbers of datagrams on their way.

import { cUdp, nodeDgram, udpAwait, udpAwaitBatch, udpBatch, udpHandler } from '../contenders.mjs';
import { measureServer } from '../runner/measure.mjs';
import { atLeast } from '../runner/targets.mjs';

const NANOSECONDS_TO_MICROSECONDS = 1e-3;

// All of them fit into one socket's receive buffer, whose usual 208 KiB hold 277 of the smallest.
const BUSY = '64 B x 16 x 8';
const cells = [
  { name: '64 B x 16 x 1', load: { size: 64, connections: 16, 'in-flight': 1 } },
  { name: BUSY, load: { size: 64, connections: 16, 'in-flight': 8 }, quick: true },
  { name: '1 KiB x 16 x 4', load: { size: 1024, connections: 16, 'in-flight': 4 } },
];

export const udp = {
  name: 'udp',
  title: 'UDP echo',
  about: 'Datagram size x peers x datagrams on their way at each of them.',
  unit: 'µs of server CPU per datagram',
  inverse: 'the packets per CPU second',
  things: 'datagrams',
  contenders: [cUdp, nodeDgram, udpAwait, udpAwaitBatch, udpHandler, udpBatch],
  baselines: [cUdp, nodeDgram],
  quick: [nodeDgram, udpBatch],
  cells,
  trial: (contender, cell, time) => measureServer('packets', contender, cell.load, time, NANOSECONDS_TO_MICROSECONDS),
  // An awaited writeTo() is one sendto for each datagram, as in C, which itself has some 2 times node:dgram's packets.
  targets: [
    atLeast(BUSY, udpAwait, 2, nodeDgram),
    atLeast(BUSY, udpHandler, 2, nodeDgram),
    atLeast(BUSY, udpAwaitBatch, 3, nodeDgram),
    atLeast(BUSY, udpBatch, 3, nodeDgram),
  ],
};
