// Bytes through a proxy, as many as it can forward.

import { cSplice, nodeNetPipe, relaying } from '../contenders.mjs';
import { measureProxy } from '../runner/measure.mjs';
import { atLeast } from '../runner/targets.mjs';

const GIB = 2 ** 30;
const NANOSECONDS_PER_BYTE_TO_SECONDS_PER_GIB = GIB / 1e9;
const MANY = '16 streams';

export const forward = {
  name: 'forward',
  title: 'Forwarding',
  about: 'One way through a TCP proxy, from a client that never pauses to a target that discards the bytes.',
  unit: 'CPU seconds per GiB',
  inverse: 'bytes per CPU second',
  things: 'GiB',
  perThing: 1 / GIB,
  contenders: [cSplice, nodeNetPipe, relaying],
  baselines: [cSplice, nodeNetPipe],
  cells: [
    { name: '1 stream', load: { connections: 1 } },
    { name: MANY, load: { connections: 16 }, quick: true },
  ],
  trial: (contender, cell, time) => measureProxy(contender, cell.load, time, NANOSECONDS_PER_BYTE_TO_SECONDS_PER_GIB),
  targets: [atLeast(MANY, relaying, 3, nodeNetPipe)],
};
