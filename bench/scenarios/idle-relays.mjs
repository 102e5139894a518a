// What a pair of connections costs that is joined, was used once and now waits.

import { cEcho, nodeNetPipe, proxyCommand, relaying, relayingSmall } from '../contenders.mjs';
import { tokioProxy } from '../peers/built.mjs';
import { haproxyIdle } from '../peers/haproxy.mjs';
import { nginxStream } from '../peers/nginx.mjs';
import { measureIdle } from '../runner/measure.mjs';
import { withServer } from '../runner/server.mjs';
import { atMost } from '../runner/targets.mjs';

const CELL = '9,000 relays';

export const idleRelays = {
  name: 'idle-relays',
  title: 'Idle relays',
  about:
    "Growth of a proxy's resident set, all threads, divided by the pairs of connections, after each has had one " +
    "message of 64 bytes echoed by the target. The kernel's own memory for sockets is not in it.",
  unit: 'resident bytes per relay',
  samples: 'trials',
  slow: true,
  // Not those that hold a pipe for each direction: 9,000 relays would be 54,000 descriptors in C, splice and in Go.
  contenders: [haproxyIdle, nodeNetPipe, tokioProxy, nginxStream, relaying, relayingSmall, proxyCommand],
  baselines: [haproxyIdle, nodeNetPipe],
  cells: [{ name: CELL, load: { connections: 9000, size: 64 }, quick: true }],
  // Clients, proxy and target in a process each: no process has more than 18,000 descriptors.
  trial: (contender, cell) => withServer(cEcho, undefined, ({ address }) => measureIdle(contender, cell.load, address)),
  targets: [relaying, relayingSmall, proxyCommand].map((ours) => atMost(CELL, ours, 1, haproxyIdle)),
};
