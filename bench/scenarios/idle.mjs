// What a connection costs that was used once and now waits.

import { awaiting, awaitingInto, cEcho, handler, nodeNet, splicewayNet } from '../contenders.mjs';
import { measureIdle } from '../runner/measure.mjs';
import { atMost } from '../runner/targets.mjs';

const CELL = '10,000 connections';

export const idle = {
  name: 'idle',
  title: 'Idle connections',
  about:
    'Growth of the resident set, divided by the connections, after each has had one message of 64 bytes ' +
    "echoed. The kernel's own memory for a socket is not in it.",
  unit: 'resident bytes per connection',
  samples: 'trials',
  contenders: [cEcho, nodeNet, splicewayNet, handler, awaiting, awaitingInto],
  baselines: [cEcho, nodeNet],
  quick: [handler],
  cells: [{ name: CELL, load: { connections: 10_000, size: 64 }, quick: true }],
  trial: (contender, cell) => measureIdle(contender, cell.load),
  targets: [atMost(CELL, handler, 0.3, nodeNet), atMost(CELL, awaiting, 0.6, nodeNet)],
};
