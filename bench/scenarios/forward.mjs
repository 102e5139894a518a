// Bytes through a proxy, as many as it can forward.

import { cSplice, nodeNetPipe, relaying } from '../contenders.mjs';
import { goProxy, tokioProxy } from '../peers/built.mjs';
import { haproxyPlain, haproxySplice } from '../peers/haproxy.mjs';
import { nginxStream } from '../peers/nginx.mjs';
import { measureProxy } from '../runner/measure.mjs';
import { atLeast } from '../runner/targets.mjs';
import { CPU_SECONDS_PER_GIB } from './units.mjs';

const MANY = '16 streams';

export const forward = {
  name: 'forward',
  title: 'Forwarding',
  about: 'One way through a TCP proxy, from a client that never pauses to a target that discards the bytes.',
  ...CPU_SECONDS_PER_GIB,
  contenders: [cSplice, nodeNetPipe, goProxy, tokioProxy, haproxySplice, haproxyPlain, nginxStream, relaying],
  baselines: [cSplice, nodeNetPipe, goProxy, haproxySplice],
  quick: [cSplice, nodeNetPipe, relaying],
  cells: [
    { name: '1 stream', load: { connections: 1 } },
    { name: MANY, load: { connections: 16 }, quick: true },
    { name: '1,000 streams', load: { connections: 1000 } },
  ],
  trial: (contender, cell, time) => measureProxy('forward', contender, cell.load, time, CPU_SECONDS_PER_GIB.scale),
  targets: [
    atLeast(MANY, relaying, 3.17, nodeNetPipe),
    atLeast(MANY, relaying, 0.95, goProxy),
    atLeast(MANY, relaying, 0.85, cSplice),
    atLeast(MANY, relaying, 2, haproxySplice),
  ],
};
