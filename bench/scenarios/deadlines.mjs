// What a deadline costs to set, and to move while calls wait.

import { settingDeadlines, settingTimeouts } from '../contenders.mjs';
import { measureProgram } from '../runner/measure.mjs';
import { noMore } from '../runner/targets.mjs';

const SETTING = 'set again and again';
const MOVING = '10,000 pending, moved each second';

export const deadlines = {
  name: 'deadlines',
  title: 'Deadlines',
  about:
    "The price of setReadDeadline(), and of node:net's setTimeout(): in a loop on one connection; and on 10,000 " +
    'connections that wait for data, all of which are given a new time once a second, with everything that the ' +
    'process does meanwhile. There 2,000 ns are 2 % of a core.',
  unit: 'ns of CPU per call',
  things: 'calls',
  contenders: [settingTimeouts, settingDeadlines],
  baselines: [settingTimeouts],
  cells: [
    { name: SETTING, load: { mode: 'set' }, quick: true },
    { name: MOVING, load: { mode: 'move', connections: 10_000 } },
  ],
  trial: (contender, cell, time) => measureProgram(contender, cell.load, time),
  targets: [noMore(SETTING, settingDeadlines, 100, 'ns'), noMore(MOVING, settingDeadlines, 2000, 'ns')],
};
