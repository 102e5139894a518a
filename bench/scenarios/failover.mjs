// How long requests take when the server that answers them is killed.

import { rebuilding, standingBy } from '../contenders.mjs';
import { measureProgram } from '../runner/measure.mjs';
import { noMore } from '../runner/targets.mjs';

const RATE = '5,000 requests/s';

export const failover = {
  name: 'failover',
  title: 'Failover',
  about:
    'A HealingClient sends 5,000 idempotent requests a second, on a schedule, to one of two servers, which is killed ' +
    '(SIGKILL). The p99 of those that were due from 50 ms before to 450 ms after, once for each kill; latency counts ' +
    'from when a request was due. Every request has to succeed.',
  unit: 'ms, p99',
  samples: 'kills',
  contenders: [standingBy, rebuilding],
  baselines: [],
  cells: [{ name: RATE, load: { mode: '5000' }, quick: true }],
  trial: (contender, cell, time) => measureProgram(contender, cell.load, time),
  targets: [noMore(RATE, standingBy, 250, 'ms')],
};
