// Instants as callers give them, turned into the one number that native code takes.

import { invalidType, outOfRange } from './errors';

/** A Date, milliseconds since the epoch, or null for "never". */
export type Deadline = Date | number | null;

/** The longest that a timer of Node's can be set to; what is later is as good as never. */
export const MAX_TIMER = 2 ** 31 - 1;

/** Milliseconds since the epoch; NaN, which native code reads as "never", for null. */
export function toEpoch(t: unknown): number {
  if (t === null) return Number.NaN;
  const at = t instanceof Date ? t.getTime() : t;
  if (typeof at !== 'number') throw invalidType('t', 'a Date, a number of milliseconds or null', t);
  if (Number.isNaN(at)) throw outOfRange('t', 'a valid instant', t);
  return at === Number.POSITIVE_INFINITY ? Number.NaN : at;
}
