// Small messages through a proxy and back, one at a time on each connection.

import { cSplice, nodeNetPipe, relaying } from '../contenders.mjs';
import { goProxy, tokioProxy } from '../peers/built.mjs';
import { haproxyPlain, haproxySplice } from '../peers/haproxy.mjs';
import { nginxStream } from '../peers/nginx.mjs';
import { measureProxy } from '../runner/measure.mjs';
import { atMost } from '../runner/targets.mjs';

const NANOSECONDS_TO_MICROSECONDS = 1e-3;

const cells = [
  { name: '64 B x 1', load: { size: 64, connections: 1 } },
  { name: '64 B x 64', load: { size: 64, connections: 64 }, quick: true },
  { name: '1 KiB x 1', load: { size: 1024, connections: 1 } },
  { name: '1 KiB x 64', load: { size: 1024, connections: 64 } },
];

const targetsIn = ({ name }) => [
  atMost(name, relaying, 1.05, goProxy),
  ...['p50', 'p99'].flatMap((of) => [
    atMost(name, relaying, 1.25, goProxy, of),
    atMost(name, relaying, 1.25, haproxySplice, of),
  ]),
];

export const forwardPingPong = {
  name: 'forward-pingpong',
  title: 'Messages through a proxy',
  about:
    'Message size x connections. On each a message goes through a TCP proxy to its target and back, and then the ' +
    'next: one request.',
  unit: 'µs of proxy CPU per request',
  things: 'requests',
  contenders: [cSplice, nodeNetPipe, goProxy, tokioProxy, haproxySplice, haproxyPlain, nginxStream, relaying],
  baselines: [cSplice, nodeNetPipe, goProxy, haproxySplice],
  quick: [cSplice, goProxy, relaying],
  cells,
  trial: (contender, cell, time) => measureProxy('ping-pong', contender, cell.load, time, NANOSECONDS_TO_MICROSECONDS),
  targets: cells.flatMap(targetsIn),
};
