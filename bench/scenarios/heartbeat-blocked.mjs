// Whether heartbeats take a busy peer for a dead one.

import { beating, beatingByMisses, beatingBySilence } from '../contenders.mjs';
import { measureProgram } from '../runner/measure.mjs';
import { noLess, noMore } from '../runner/targets.mjs';

const IDLE = '100 connections, 1 s';
const FLOODED = '10 connections, 1 s, flooded';
// For reports to come from an end that stands still.
const PATIENCE = 60_000;
// Three blocks in each of three rounds.
const LEAST = 20;

export const heartbeatBlocked = {
  name: 'heartbeat-blocked',
  title: 'Heartbeats while JavaScript is blocked',
  about:
    "One end's JavaScript stands still for five of every six heartbeat intervals: for 5 s of every 6 s, with an " +
    'interval of 1 s. How many of the connections, all of which are healthy, either end declares lost, and in which ' +
    'share of its looks the other end says stalled. With node:net and timers a peer is lost after three PINGs without ' +
    'an answer, or after as much silence as here by default: interval + 8 s. Flooded: the other end offers 100 MB/s ' +
    'besides. The time of each round is 20 s where no more is asked for.',
  unit: 'connections declared lost',
  samples: 'rounds',
  things: 'MB',
  perThing: 1e-6,
  showsWorst: true,
  slow: true,
  contenders: [beatingByMisses, beatingBySilence, beating],
  baselines: [],
  cells: [
    { name: IDLE, load: { mode: '1000', connections: 100, patience: PATIENCE }, least: LEAST },
    { name: FLOODED, load: { mode: '1000 flooded', connections: 10, patience: PATIENCE }, least: LEAST },
    {
      name: '10 connections, 0.2 s, flooded',
      load: { mode: '200 flooded', connections: 10, patience: PATIENCE },
      least: 2.4,
      quick: true,
    },
  ],
  trial: (contender, { load, least }, { seconds }) =>
    measureProgram(contender, load, { seconds: Math.max(seconds, least) }),
  targets: [IDLE, FLOODED].flatMap((cell) => [
    noMore(cell, beating, 0, 'connections', 'worst'),
    noLess(cell, beating, 0.5, 'of all looks', 'stalled'),
  ]),
};
