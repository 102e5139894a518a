// What the model of health is told, checked and complete, in the form that native code takes.

import { checkInteger, checkObject, checkRange } from '../check';
import { outOfRange } from '../errors';

/** Settings of the model: docs/health.md says what each is for. Durations in milliseconds. */
export interface HealthOptions {
  /** From one PING, or one look at a plain stream, to the next: 10 to 3600000. Default 5000. */
  interval?: number | undefined;
  /** Each interval is shorter by a random part of this share of it: 0 to 0.5. Default 0.1. */
  jitter?: number | undefined;
  /** Where so many round trips are longer than the interval, that is the interval: 0 to 100. Default 2. */
  rttWeight?: number | undefined;
  /** A reply may take so many times the median round trip, …: 1 to 100. Default 1.5. */
  replyFactor?: number | undefined;
  /** … or the median and `k` times the interquartile range, where that is more: 0 to 100. Default 1.5. */
  k?: number | undefined;
  /** But no less than this: 1 to `replyCap`. Default 250. */
  replyFloor?: number | undefined;
  /** And no more. A connection is lost at the latest when nothing was heard for interval + replyCap: 10 to 600000. Default 8000. */
  replyCap?: number | undefined;
  /** So many misses in a row make it `degraded`: an integer, 1 to 100. Default 3. */
  degradedAfter?: number | undefined;
  /** A peer whose JavaScript was stuck for so long is `stalled`: 1 to 3600000. Default 1000. */
  stalledAfter?: number | undefined;
  /** A turn of our own that comes so much later than it should judges nothing: 1 to 3600000. Default 100. */
  lateAfter?: number | undefined;
  /** The weights of the score's three parts: 0 to 1000, not all of them 0. Default 0.4 … */
  successWeight?: number | undefined;
  /** … 0.35 … */
  rttShiftWeight?: number | undefined;
  /** … and 0.25. */
  lossWeight?: number | undefined;
  /** By how many sigma the median of ten round trips is above the baseline before it stands out: 0 to 100. Default 2. */
  shiftSigmas?: number | undefined;
  /** And by how many milliseconds at least: 0 to 600000. Default 1. */
  shiftLeast?: number | undefined;
  /** So many windows running that stand out are a shift: an integer, 1 to 30. Default 3. */
  shiftWindows?: number | undefined;
  /** The share of losses above which PINGs follow faster, and at which half of that part of the score is left: 0.0001 to 1. Default 0.03. */
  lossThreshold?: number | undefined;
  /** The score below which healing begins: 0 (never for the score) to 1. Default 0.6. */
  healingBelow?: number | undefined;
}

interface Range {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly integer?: boolean;
}

const HOUR = 3_600_000;

// In the order in which native/binding/health.cc reads them.
const RANGES: Record<keyof HealthOptions, Range> = {
  interval: { default: 5000, min: 10, max: HOUR },
  jitter: { default: 0.1, min: 0, max: 0.5 },
  rttWeight: { default: 2, min: 0, max: 100 },
  replyFactor: { default: 1.5, min: 1, max: 100 },
  k: { default: 1.5, min: 0, max: 100 },
  replyFloor: { default: 250, min: 1, max: 600_000 },
  replyCap: { default: 8000, min: 10, max: 600_000 },
  degradedAfter: { default: 3, min: 1, max: 100, integer: true },
  stalledAfter: { default: 1000, min: 1, max: HOUR },
  lateAfter: { default: 100, min: 1, max: HOUR },
  successWeight: { default: 0.4, min: 0, max: 1000 },
  rttShiftWeight: { default: 0.35, min: 0, max: 1000 },
  lossWeight: { default: 0.25, min: 0, max: 1000 },
  shiftSigmas: { default: 2, min: 0, max: 100 },
  shiftLeast: { default: 1, min: 0, max: 600_000 },
  shiftWindows: { default: 3, min: 1, max: 30, integer: true },
  lossThreshold: { default: 0.03, min: 0.0001, max: 1 },
  healingBelow: { default: 0.6, min: 0, max: 1 },
};

export const NAMES = Object.keys(RANGES) as (keyof HealthOptions)[];

export type HealthSettings = Record<keyof HealthOptions, number>;

/** @throws TypeError, RangeError: for a value of another type, or out of range */
export function settingsOf(options: HealthOptions = {}, name = 'options'): HealthSettings {
  checkObject(name, options);
  const settings = {} as HealthSettings;
  for (const key of NAMES) settings[key] = settingOf(`${name}.${key}`, options[key], RANGES[key]);
  const { replyFloor, replyCap } = settings;
  if (replyFloor > replyCap) throw outOfRange(`${name}.replyFloor`, `<= replyCap (${replyCap})`, replyFloor);
  if (settings.successWeight + settings.rttShiftWeight + settings.lossWeight === 0) {
    throw outOfRange(`${name}.successWeight`, '> 0 where the other weights are 0', 0);
  }
  return settings;
}

/** For a change while it runs. */
export function checkInterval(interval: unknown): asserts interval is number {
  const { min, max } = RANGES.interval;
  checkRange('interval', interval, min, max);
}

/** As makeMonitor and the heartbeat take them. */
export function wordsOf(settings: HealthSettings): Float64Array {
  return Float64Array.from(NAMES, (name) => settings[name]);
}

function settingOf(name: string, value: unknown, { default: unless, min, max, integer = false }: Range): number {
  if (value === undefined) return unless;
  if (integer) checkInteger(name, value, min, max);
  else checkRange(name, value, min, max);
  return value;
}
