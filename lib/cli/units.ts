// Times, sizes and counts on the command line: `250ms`, `5s`, `64KiB`, `10`.

import { InvalidArgumentError } from 'commander';

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
/** What a timer can be set to, in milliseconds. */
const LONGEST = 2 ** 31 - 1;
const BYTES = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** Milliseconds. */
export function parseDuration(text: string): number {
  return text === '0' ? 0 : measure(text, MILLISECONDS, 'a time such as 250ms, 5s, 5m or 1h');
}

/** Whole milliseconds, for what must end some time. */
export function parseLimit(text: string): number {
  const limit = Math.ceil(parseDuration(text));
  if (limit > 0 && limit <= LONGEST) return limit;
  throw new InvalidArgumentError('expected more than 0, and less than 24 days');
}

/** Bytes; a number alone is one of bytes. */
export function parseSize(text: string): number {
  const bytes = measure(/^\d+$/.test(text) ? `${text}B` : text, BYTES, 'a size such as 512B, 64KiB, 10MiB or 1GiB');
  return Math.round(bytes);
}

/** An integer from `least` on. */
export function countFrom(least: number): (text: string) => number {
  return (text) => {
    const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (count >= least && count <= Number.MAX_SAFE_INTEGER) return count;
    throw new InvalidArgumentError(`expected a whole number from ${least} on`);
  };
}

function measure(text: string, units: Readonly<Record<string, number>>, expected: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]+)$/.exec(text) ?? [];
  const value = Number(number) * (units[unit] ?? Number.NaN);
  if (number !== '' && value <= Number.MAX_SAFE_INTEGER) return value;
  throw new InvalidArgumentError(`expected ${expected}`);
}

/** Bytes for a person to read: `1.5 MiB`. */
export function showSize(bytes: number): string {
  const units = Object.entries(BYTES).reverse();
  const [unit, size] = units.find(([, each]) => bytes >= each) ?? ['B', 1];
  return `${size === 1 ? bytes : (bytes / size).toFixed(1)} ${unit}`;
}
