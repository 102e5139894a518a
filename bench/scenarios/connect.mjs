// Connections that carry one byte there and back.

import { awaiting, cEcho, handler, nodeNet, splicewayNet } from '../contenders.mjs';
import { measureServer } from '../runner/measure.mjs';
import { atMost } from '../runner/targets.mjs';

const NANOSECONDS_TO_MICROSECONDS = 1e-3;
const CELL = '64 at once';

export const connect = {
  name: 'connect',
  title: 'Connect',
  about: 'Connect, send a byte, receive it, reset; so many connections at once.',
  unit: 'µs of server CPU per connection',
  things: 'connections',
  contenders: [cEcho, nodeNet, splicewayNet, handler, awaiting],
  baselines: [cEcho, nodeNet],
  quick: [nodeNet, handler],
  cells: [{ name: CELL, load: { connections: 64 }, quick: true }],
  trial: (contender, cell, time) => measureServer('connect', contender, cell.load, time, NANOSECONDS_TO_MICROSECONDS),
  targets: [
    atMost(CELL, splicewayNet, 0.67, nodeNet),
    atMost(CELL, handler, 0.5, nodeNet),
    atMost(CELL, awaiting, 0.5, nodeNet),
  ],
};
