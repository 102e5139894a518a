// How long a PONG takes, beside an echo in plain C.

import { cEchoing, ponging } from '../contenders.mjs';
import { measureRoundTrips } from '../runner/measure.mjs';
import { atMost } from '../runner/targets.mjs';

const ALONE = 'alone';
const LOADED = 'beside 50 MB/s of frames';
const CONNECTIONS = 64;

export const heartbeatRtt = {
  name: 'heartbeat-rtt',
  title: 'Round trips of heartbeats',
  about:
    'A PING every 20 ms on each of 64 connections to a process on another core, until 5,000 for each second of a ' +
    'round were answered: 10,000 by default. Beside it as many bytes on as many connections, from a client in plain C ' +
    'to an echo server in plain C. Both alone, and beside a process that sends 50 MB/s of frames of 16 KiB from one of ' +
    'their cores to the other, in JavaScript.',
  unit: 'µs',
  samples: 'PINGs',
  contenders: [cEchoing, ponging],
  baselines: [cEchoing],
  cells: [
    { name: ALONE, load: { mode: 'alone', connections: CONNECTIONS }, quick: true },
    { name: LOADED, load: { mode: 'loaded', connections: CONNECTIONS }, quick: true },
  ],
  trial: (contender, cell, time) => measureRoundTrips(contender, cell.load, time),
  targets: [ALONE, LOADED].map((cell) => atMost(cell, ponging, 3, cEchoing, 'p99', 5000)),
};
