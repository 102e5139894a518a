// Whether bytes go on while JavaScript does not.

import { nodeNetPipeBlocked, relayingBlocked } from '../contenders.mjs';
import { measureBlocked } from '../runner/blocked.mjs';
import { noLess } from '../runner/targets.mjs';

const CELL = '16 streams';

export const blocked = {
  name: 'blocked',
  title: 'Forwarding while JavaScript is blocked',
  about:
    "As `forward`; then the proxy's JavaScript stands still for five seconds (`Atomics.wait`). Slices of that time, " +
    'as a share of the median before it: 1 is as if nothing were.',
  unit: 'throughput / throughput before',
  things: 'GiB',
  perThing: 2 ** -30,
  moreIsBetter: true,
  slow: true,
  contenders: [nodeNetPipeBlocked, relayingBlocked],
  baselines: [],
  cells: [{ name: CELL, load: { connections: 16 }, quick: true }],
  trial: (contender, cell, time) => measureBlocked(contender, cell.load, time),
  targets: [noLess(CELL, relayingBlocked, 0.9)],
};
