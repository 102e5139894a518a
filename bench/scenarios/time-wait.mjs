// What connecting for each request leaves behind in the kernel, and a pool does not.

import { dialing, pooling } from '../contenders.mjs';
import { measureProgram } from '../runner/measure.mjs';
import { noMore } from '../runner/targets.mjs';

const ALL = '100,000 requests';
// Connecting waits for ports to become free.
const PATIENCE = 300_000;

export const timeWait = {
  name: 'time-wait',
  title: 'Sockets in TIME_WAIT',
  about:
    'Requests of one byte, one after the other, to a server on this machine: each on a connection of its own, which ' +
    'the client closes, or on one from a pool. The most sockets in TIME_WAIT at a time; counted every 5,000 requests.',
  unit: 'sockets in TIME_WAIT',
  samples: 'trials',
  contenders: [dialing, pooling],
  baselines: [dialing],
  slow: true,
  cells: [{ name: ALL, load: { mode: '100000', patience: PATIENCE } }],
  trial: (contender, cell, time) => measureProgram(contender, cell.load, time),
  targets: [noMore(ALL, pooling, 0)],
};
