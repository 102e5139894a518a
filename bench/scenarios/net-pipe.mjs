// Bytes through a proxy that is written as a.pipe(b).pipe(a), with node:net and with spliceway/net.

import { nodeNetPipe, relaying, splicewayNetPipe } from '../contenders.mjs';
import { measureProxy } from '../runner/measure.mjs';
import { atLeast } from '../runner/targets.mjs';
import { CPU_SECONDS_PER_GIB } from './units.mjs';

const MANY = '16 streams';

export const netPipe = {
  name: 'net-pipe',
  title: 'socket.pipe()',
  about: 'One way through a TCP proxy of two sockets and pipe(), to a target that discards the bytes.',
  ...CPU_SECONDS_PER_GIB,
  contenders: [nodeNetPipe, splicewayNetPipe, relaying],
  baselines: [nodeNetPipe],
  quick: [nodeNetPipe, splicewayNetPipe],
  cells: [
    { name: '1 stream', load: { connections: 1 } },
    { name: MANY, load: { connections: 16 }, quick: true },
  ],
  trial: (contender, cell, time) => measureProxy('forward', contender, cell.load, time, CPU_SECONDS_PER_GIB.scale),
  targets: [atLeast(MANY, splicewayNetPipe, 3, nodeNetPipe)],
};
