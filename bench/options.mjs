// The command line of run.mjs.

import { parseArgs } from 'node:util';
import { scenarios } from './scenarios/index.mjs';

const slow = scenarios
  .filter((scenario) => scenario.slow)
  .map(({ name }) => name)
  .join(', ');

export const USAGE = `usage: npm run bench -- [scenario...] [options]

scenarios: ${scenarios.map(({ name }) => name).join(', ')} (all of them where none is named)

  --rounds N          trials of each contender in each cell (3)
  --seconds S         measured time of each trial, after a warm-up of half as much (2)
  --cells TEXT        only cells whose name contains the text
  --contenders A,B    only these contenders
  --quick             one round of half a second in the cells that matter most; where no scenario is named,
                      of the contenders that matter most, and without ${slow}:
                      a trial of the bench itself, not of anything else
  --json FILE         write the figures there
  --update            write them to bench/RESULTS.md and bench/results.json
`;

const OPTIONS = {
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  cells: { type: 'string' },
  contenders: { type: 'string' },
  quick: { type: 'boolean', default: false },
  json: { type: 'string' },
  update: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

/** Throws a UsageError where the command line is wrong. */
export function parseOptions(args) {
  const { values, positionals } = parsed(args);
  const { quick, cells, contenders, json, update, help } = values;
  if (update && (quick || cells !== undefined || contenders !== undefined)) {
    throw new UsageError('--update takes whole scenarios: no --quick, --cells or --contenders beside it');
  }
  const named = positionals.map(scenarioNamed);
  const all = quick ? scenarios.filter(({ slow }) => !slow) : scenarios;
  const brief = quick && named.length === 0;
  return {
    scenarios: named.length === 0 ? all : named,
    rounds: numberOf('rounds', values.rounds ?? (quick ? 1 : 3), Number.isInteger),
    time: timeOf(numberOf('seconds', values.seconds ?? (quick ? 0.5 : 2), Number.isFinite)),
    wantsCell: (cell) => (!quick || cell.quick === true) && cell.name.includes(cells ?? ''),
    contendersOf: (scenario) => contendersOf(scenario, contenders?.split(','), brief),
    json,
    update,
    help,
  };
}

function contendersOf(scenario, names, brief) {
  if (names !== undefined) return scenario.contenders.filter(({ name }) => names.includes(name));
  return brief ? (scenario.quick ?? scenario.contenders) : scenario.contenders;
}

export class UsageError extends Error {}

function parsed(args) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function scenarioNamed(name) {
  const scenario = scenarios.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new UsageError(`there is no scenario ${name}`);
  return scenario;
}

function numberOf(name, text, isRight) {
  const number = Number(text);
  if (!isRight(number) || number <= 0) throw new UsageError(`--${name} ${text} is no number that it could be`);
  return number;
}

function timeOf(seconds) {
  return { warmUp: seconds / 2, seconds };
}
