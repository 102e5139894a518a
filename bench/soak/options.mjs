// The command line of soak.mjs.

import { parseArgs } from 'node:util';

export const USAGE = `usage: npm run soak -- [options]

  --transfers N   end after so many (200,000 where no --minutes are given)
  --minutes M     end after so many, whatever --transfers says
  --seed S        a whole number that says what happens on each relay; without it a new one, which is told
`;

export class UsageError extends Error {}

/** Throws a UsageError where the command line is wrong. */
export function parseOptions(args) {
  const values = parsed(args);
  const number = (name, otherwise) => (values[name] === undefined ? otherwise : Number(values[name]));
  const minutes = number('minutes', Number.POSITIVE_INFINITY);
  const transfers = number('transfers', values.minutes === undefined ? 200_000 : Number.POSITIVE_INFINITY);
  const seed = number('seed', Math.floor(Math.random() * 2 ** 31));
  check(transfers > 0, `--transfers ${values.transfers} is no number above 0`);
  check(minutes > 0, `--minutes ${values.minutes} is no number above 0`);
  check(Number.isSafeInteger(seed), `--seed ${values.seed} is no whole number`);
  return { transfers, minutes, seed, help: values.help };
}

function parsed(args) {
  const text = { type: 'string' };
  try {
    return parseArgs({ args, options: { transfers: text, minutes: text, seed: text, help: { type: 'boolean' } } })
      .values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function check(right, complaint) {
  if (!right) throw new UsageError(complaint);
}
