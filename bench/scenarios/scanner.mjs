// Lines of text to a server that counts them, as many as it can take.

import { readline, readlineAwaiting, scanning, scanningAwaiting, scanningBytes } from '../contenders.mjs';
import { goLines } from '../peers/built.mjs';
import { measureServer } from '../runner/measure.mjs';
import { atLeast } from '../runner/targets.mjs';

const SHORT = '50 B';
const LONG = '200 B';

export const scanner = {
  name: 'scanner',
  title: 'Lines',
  about: 'Lines of so many bytes on one connection, from a client that never pauses.',
  unit: 'ns of server CPU per line',
  inverse: 'lines per CPU second',
  things: 'lines',
  contenders: [readline, readlineAwaiting, scanning, scanningAwaiting, scanningBytes, goLines],
  baselines: [readline, readlineAwaiting, goLines],
  quick: [readline, scanning],
  cells: [
    { name: SHORT, load: { connections: 1, size: 50 }, bytes: 50, quick: true },
    { name: LONG, load: { connections: 1, size: 200 }, bytes: 200 },
  ],
  trial: (contender, cell, time) => measureServer('lines', contender, cell.load, time, 1),
  targets: [atLeast(SHORT, scanning, 3, readline), atLeast(SHORT, scanningAwaiting, 1.5, readlineAwaiting)],
};
