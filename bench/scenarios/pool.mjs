// What a pool costs: borrowing a connection and returning it.

import { borrowing, genericPool, tryBorrowing } from '../contenders.mjs';
import { measureProgram } from '../runner/measure.mjs';
import { atLeast, noMore } from '../runner/targets.mjs';

const ALONE = 'one borrower';
const CROWD = '100 borrowers, 10 connections';

export const pool = {
  name: 'pool',
  title: 'Pool',
  about:
    'Borrowing a connection (a TCP socket) and returning it, with nothing in between. Of 100 borrowers with ' +
    '10 connections 90 wait at any time.',
  unit: 'ns of CPU per loan',
  inverse: 'loans per CPU second',
  things: 'loans',
  contenders: [genericPool, borrowing, tryBorrowing],
  baselines: [genericPool],
  cells: [
    { name: ALONE, load: { mode: 'alone', connections: 10 }, quick: true },
    { name: CROWD, load: { mode: 'crowd', connections: 10 } },
  ],
  trial: (contender, cell, time) => measureProgram(contender, cell.load, time),
  targets: [
    noMore(ALONE, borrowing, 1000, 'ns'),
    atLeast(ALONE, borrowing, 5, genericPool),
    atLeast(ALONE, tryBorrowing, 5, genericPool),
  ],
};
