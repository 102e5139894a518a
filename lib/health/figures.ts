// What can be read of a connection's health.

import type { NativeTransition } from '../binding';

/**
 * - `healthy`
 * - `degraded`: replies are missing, three in a row; it may still come back
 * - `stalled`: the peer's JavaScript is stuck, and its I/O thread answers
 * - `lost`: nothing was heard for too long. For good: close the connection
 */
export type HealthState = (typeof STATES)[number];

export const STATES = ['healthy', 'degraded', 'stalled', 'lost'] as const;

/** Durations in milliseconds, with fractions; 0 where nothing was measured yet. Shares are from 0 to 1. */
export interface HealthFigures {
  state: HealthState;
  /** Degraded, lost, or of a score below `healingBelow`. */
  healing: boolean;
  /** The loss is above `lossThreshold`, and PINGs follow faster. */
  probing: boolean;

  /** 0 (bad) to 1. */
  score: number;
  /** The share of the last ten PINGs that were answered in time: the first part of the score. */
  success: number;
  /** Round trips have become slower: the second part. */
  rttShifted: boolean;
  /** The greater of the next two: the third part. */
  loss: number;
  /** The share of PINGs that were not answered in time, of late. */
  pingLoss: number;
  /** The share of TCP segments that were sent again, of late. */
  segmentLoss: number;

  /** The interval as it is set now. */
  interval: number;
  /** How long a reply may take now. */
  replyTimeout: number;
  /** The last round trip, … */
  rtt: number;
  /** … and of the last ten their median, … */
  rttMedian: number;
  /** … and interquartile range. */
  rttIqr: number;
  /** The mean of round trips in the long run, … */
  baselineMean: number;
  /** … and their standard deviation. */
  baselineSigma: number;
  /** Windows of ten running that stand out. */
  shiftedWindows: number;

  /** Misses that no success has taken off. */
  failures: number;
  /** Time since something was last heard. */
  silentFor: number;
  /** How long the peer's JavaScript had been stuck when it last said so. */
  stuckFor: number;
  /** PINGs sent, or looks at a plain stream. */
  sent: number;
  /** Of those, answered in time, … */
  answered: number;
  /** … and not. */
  missed: number;
  /** Of these, answered afterwards. */
  late: number;
  /** Turns of our own that came late and judged nothing. */
  lateTurns: number;
}

/** A change of the state, of whether healing is called for, or of both. */
export interface HealthTransition {
  from: HealthState;
  to: HealthState;
  /** From now on. */
  healing: boolean;
  /** Why, in words: `3 replies in a row were not there after 250 ms`. */
  reason: string;
  /** Milliseconds since the epoch. */
  at: number;
}

// In the order in which native/binding/health.cc writes them.
const FLAGS = ['healing', 'probing', 'rttShifted'] as const;
const ORDER = [
  'state',
  'healing',
  'probing',
  'score',
  'success',
  'rttShifted',
  'loss',
  'pingLoss',
  'segmentLoss',
  'interval',
  'replyTimeout',
  'rtt',
  'rttMedian',
  'rttIqr',
  'baselineMean',
  'baselineSigma',
  'shiftedWindows',
  'failures',
  'silentFor',
  'stuckFor',
  'sent',
  'answered',
  'missed',
  'late',
  'lateTurns',
] as const satisfies readonly (keyof HealthFigures)[];

/** How many words the figures take. */
export const FIGURE_WORDS = ORDER.length;

export function figuresIn(words: Float64Array): HealthFigures {
  const figures: Record<string, unknown> = {};
  for (const [i, name] of ORDER.entries()) figures[name] = words[i];
  for (const name of FLAGS) figures[name] = figures[name] !== 0;
  figures.state = stateOf(words[0] as number);
  return figures as unknown as HealthFigures;
}

export function transitionOf({ from, to, healing, reason, ago }: NativeTransition): HealthTransition {
  return { from: stateOf(from), to: stateOf(to), healing, reason, at: Date.now() - ago };
}

function stateOf(index: number): HealthState {
  return STATES[index] as HealthState;
}
