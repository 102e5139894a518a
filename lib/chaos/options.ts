// What a chaos proxy is told: checked, and with every default in its place.

import { checkBoolean, checkInteger, checkObject, checkRange } from '../check';
import { invalidValue } from '../errors';
import type { ListenOptions } from '../listen';
import type { ProxyTarget } from '../proxy/target';

/** `toTarget` is from the clients to the target, `toClient` back. */
export type Direction = 'toTarget' | 'toClient';

/** What happens to the bytes of one direction. */
export interface Impairment {
  /** How much later each byte comes out, in milliseconds: 0 to 3,600,000. Default 0. */
  delay?: number | undefined;
  /** A segment is early or late by so many milliseconds at most, evenly spread: 0 to 3,600,000. Order is kept. Default 0. */
  jitter?: number | undefined;
  /**
   * The chance of a segment to be lost, 0 to 1: it, and all behind it, waits for `retransmitTimeout`. It may be
   * lost again, up to eight times. Default 0.
   */
  loss?: number | undefined;
  /** How long a lost segment takes longer, in milliseconds: 0 to 3,600,000. Doubled for each further loss. Default 200. */
  retransmitTimeout?: number | undefined;
  /** Bytes a second of each connection, an integer. 0: as many as there are. Default 0. */
  bandwidth?: number | undefined;
  /** Bytes are written in slices of 1 to so many, each of a random size: 0 to 2^31 - 1. 0: as they come. Default 0. */
  slice?: number | undefined;
  /** The time between two slices, in milliseconds: 0 to 3,600,000. Default 0. */
  sliceGap?: number | undefined;
  /** Nothing comes out: no byte, no FIN, no reset. What was held comes when it ends. Default false. */
  blackHole?: boolean | undefined;
}

/** What can be changed while it runs. */
export interface ChaosSettings {
  toTarget?: Impairment | undefined;
  toClient?: Impairment | undefined;
}

export interface ChaosOptions extends ChaosSettings {
  /** Where connections go: `host:port`, `unix:/path`, or an object. A name is resolved once, to its first address. */
  target: string | Omit<ProxyTarget, 'weight'>;
  /** What its decisions are drawn from, an integer from 0 to 2^53 - 1. Default: a random one, which `seed` tells. */
  seed?: number | undefined;
  /** How it listens. */
  listen?: ListenOptions | undefined;
}

export type CompleteImpairment = Readonly<Required<{ [K in keyof Impairment]: NonNullable<Impairment[K]> }>>;

export const DIRECTIONS: readonly Direction[] = ['toTarget', 'toClient'];

export const UNIMPAIRED: CompleteImpairment = {
  delay: 0,
  jitter: 0,
  loss: 0,
  retransmitTimeout: 200,
  bandwidth: 0,
  slice: 0,
  sliceGap: 0,
  blackHole: false,
};

const LONGEST = 3_600_000;
const TIMES = ['delay', 'jitter', 'retransmitTimeout', 'sliceGap'] as const;
const NAMES = Object.keys(UNIMPAIRED) as (keyof Impairment)[];

/** The impairment with what is given changed. @throws TypeError, RangeError */
export function changed(name: string, before: CompleteImpairment, change: Impairment): CompleteImpairment {
  checkObject(name, change);
  const given = NAMES.filter((key) => change[key] !== undefined).map((key) => [key, change[key]]);
  const after: CompleteImpairment = { ...before, ...Object.fromEntries(given) };
  for (const key of TIMES) checkRange(`${name}.${key}`, after[key], 0, LONGEST, 'milliseconds');
  checkRange(`${name}.loss`, after.loss, 0, 1);
  checkInteger(`${name}.bandwidth`, after.bandwidth, 0, Number.MAX_SAFE_INTEGER);
  checkInteger(`${name}.slice`, after.slice, 0, 2 ** 31 - 1);
  checkBoolean(`${name}.blackHole`, after.blackHole);
  return after;
}

/** @throws TypeError for what is no direction, nor both */
export function directionsOf(direction: unknown): readonly Direction[] {
  if (direction === 'both') return DIRECTIONS;
  if (DIRECTIONS.includes(direction as Direction)) return [direction as Direction];
  throw invalidValue('direction', "must be 'toTarget', 'toClient' or 'both'", direction);
}
