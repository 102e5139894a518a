// Messages to an echo server, for sizes, numbers of connections and numbers of messages in flight.

import { awaiting, awaitingInto, cEcho, handler, nodeNet, nodeNetOnread, splicewayNet } from '../contenders.mjs';
import { measureServer } from '../runner/measure.mjs';
import { atMost } from '../runner/targets.mjs';

const SIZES = { '64 B': 64, '1 KiB': 1024, '16 KiB': 16 * 1024 };
const CONNECTIONS = [1, 64, 1000];
const IN_FLIGHT = [1, 16];

const NANOSECONDS_TO_MICROSECONDS = 1e-3;

const SMALL = '64 B x 64 x 1';
const BULK = '16 KiB x 64 x 1';

function* cells() {
  for (const [label, size] of Object.entries(SIZES)) {
    for (const connections of CONNECTIONS) {
      for (const inFlight of IN_FLIGHT) {
        const name = `${label} x ${connections} x ${inFlight}`;
        const load = { size, connections, 'in-flight': inFlight };
        yield { name, load, quick: name === SMALL || name === BULK };
      }
    }
  }
}

export const echo = {
  name: 'echo',
  title: 'Echo',
  about: 'Message size x connections x messages in flight on each of them.',
  unit: 'µs of server CPU per request',
  things: 'requests',
  contenders: [cEcho, nodeNet, nodeNetOnread, splicewayNet, handler, awaiting, awaitingInto],
  baselines: [cEcho, nodeNet],
  quick: [cEcho, nodeNet, handler, awaiting],
  cells: [...cells()],
  trial: (contender, cell, time) => measureServer('echo', contender, cell.load, time, NANOSECONDS_TO_MICROSECONDS),
  targets: [
    atMost(SMALL, handler, 1.2, cEcho),
    atMost(SMALL, handler, 0.68, nodeNet),
    atMost(SMALL, splicewayNet, 0.85, nodeNet),
    atMost(SMALL, awaiting, 1.3, cEcho),
    atMost(SMALL, awaiting, 0.74, nodeNet),
    atMost(BULK, handler, 1.3, cEcho),
    atMost(BULK, handler, 0.6, nodeNet),
    atMost(BULK, awaitingInto, 1.3, cEcho),
    atMost(BULK, awaitingInto, 0.6, nodeNet),
    atMost(BULK, awaiting, 0.75, nodeNet),
  ],
};
