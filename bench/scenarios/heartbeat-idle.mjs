// What heartbeats cost of connections on which nothing else happens.

import { heartbeat } from '../contenders.mjs';
import { measureProgram } from '../runner/measure.mjs';
import { noMore } from '../runner/targets.mjs';

const CELL = '10,000 connections, 5 s';
// All are connected, and have beaten twice.
const PATIENCE = 60_000;

export const heartbeatIdle = {
  name: 'heartbeat-idle',
  title: 'Idle heartbeats',
  about:
    'Connections to another process of this machine with a heartbeat of 5 seconds on both ends and nothing else on ' +
    'them: what one end spends, in each second.',
  unit: '% of a core',
  contenders: [heartbeat],
  baselines: [],
  quick: [heartbeat],
  cells: [
    { name: CELL, load: { mode: '5000', connections: 10_000, patience: PATIENCE } },
    { name: '100 connections, 0.5 s', load: { mode: '500', connections: 100, patience: PATIENCE }, quick: true },
  ],
  trial: (contender, cell, time) => measureProgram(contender, cell.load, time),
  targets: [noMore(CELL, heartbeat, 6, '% of a core')],
};
