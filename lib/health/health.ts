// How well a connection is, as native code judges it: native/health/monitor.h has the model.

import { reportMistake } from '../calling';
import { checkDuration, checkFunction } from '../check';
import { outOfRange } from '../errors';

/**
 * `'healthy'`; `'degraded'`: replies are missing; `'stalled'`: the peer's JavaScript is stuck, while its I/O
 * thread answers; `'lost'`: nothing was heard for too long, for good.
 */
export type HealthState = 'healthy' | 'degraded' | 'stalled' | 'lost';

/** @internal In the order of native/health/figures.h. */
export const HEALTH_STATES: readonly HealthState[] = ['healthy', 'degraded', 'stalled', 'lost'];

/** A change of the state, or of whether healing is called for, or of both at once. */
export interface HealthChange {
  from: HealthState;
  to: HealthState;
  /** Whether healing is called for from now on. */
  healing: boolean;
  /** What happened, in words. */
  reason: string;
  /** When, in milliseconds since the epoch. */
  at: number;
}

/** What is known of a connection. Durations are in milliseconds, 0 where nothing was measured yet; shares are from 0 to 1. */
export interface HealthFigures {
  state: HealthState;
  /** Degraded, or a score below the threshold. */
  healing: boolean;
  /** There is so much loss that PINGs follow each other faster. */
  probing: boolean;
  score: number;
  /** The share of the last ten PINGs that were answered in time. */
  success: number;
  /** Round trips take longer than they used to. */
  rttShifted: boolean;
  /** The greater of the next two. */
  loss: number;
  pingLoss: number;
  segmentLoss: number;
  interval: number;
  replyTimeout: number;
  /** The last round trip. */
  rtt: number;
  /** The median of the last ten, and the distance of their quartiles. */
  median: number;
  iqr: number;
  baselineMean: number;
  baselineSigma: number;
  shiftedWindows: number;
  /** Rises by one with each miss, falls by one with each success. */
  failures: number;
  /** How long nothing has been heard. */
  silentFor: number;
  /** How long the peer's JavaScript had been stuck when it was last heard. */
  stuckFor: number;
  /** PINGs: sent; answered in time; missed; of these, answered later. */
  sent: number;
  answered: number;
  misses: number;
  late: number;
  /** Turns of our own that came too late to judge anything. */
  lateTurns: number;
}

/** @internal */
export const FIGURES = 25;

/** @internal What a Health asks. */
export interface HealthSource {
  /** Writes the figures, as native/binding/health_values.cc has them. */
  readFigures(values: Float64Array): void;
  setInterval(interval: number): void;
}

const SHORTEST_INTERVAL = 1;

export class Health {
  private readonly listeners = new Set<(change: HealthChange) => void>();
  private readonly values = new Float64Array(FIGURES);

  /** @internal */
  constructor(
    private readonly source: HealthSource,
    private readonly owner: object,
  ) {}

  get state(): HealthState {
    return this.figures.state;
  }

  /** From 0 (bad) to 1: PINGs that are answered, round trips as they used to be, nothing lost. */
  get score(): number {
    return this.figures.score;
  }

  /** All that is known now; after the connection has ended, as it was then. */
  get figures(): HealthFigures {
    this.source.readFigures(this.values);
    return figuresOf(this.values);
  }

  /** Calls the listener at each change. @returns a function that ends that */
  onChange(listener: (change: HealthChange) => void): () => void {
    checkFunction('listener', listener);
    // Each has a place of its own, though it be the same function twice.
    const own = (change: HealthChange) => listener(change);
    this.listeners.add(own);
    return () => {
      this.listeners.delete(own);
    };
  }

  /** Sets the interval of the heartbeat, in milliseconds, from 1 up, from now on. */
  setInterval(interval: number): void {
    checkInterval('interval', interval);
    this.source.setInterval(interval);
  }

  /** @internal */
  changed(change: HealthChange): void {
    for (const listener of [...this.listeners]) {
      try {
        listener(change);
      } catch (error) {
        reportMistake(this.owner, null, error);
      }
    }
  }
}

/** @internal */
export function checkInterval(name: string, value: unknown): asserts value is number {
  checkDuration(name, value);
  if ((value as number) < SHORTEST_INTERVAL) throw outOfRange(name, `>= ${SHORTEST_INTERVAL}`, value);
}

function figuresOf(values: Float64Array): HealthFigures {
  const [state = 0, healing, probing, score = 1, success = 1, shifted, loss = 0, pingLoss = 0, segmentLoss = 0] =
    values;
  const [interval = 0, replyTimeout = 0, rtt = 0, median = 0, iqr = 0, baselineMean = 0] = values.subarray(9);
  const [baselineSigma = 0, shiftedWindows = 0, failures = 0, silentFor = 0, stuckFor = 0] = values.subarray(15);
  const [sent = 0, answered = 0, misses = 0, late = 0, lateTurns = 0] = values.subarray(20);
  return {
    state: HEALTH_STATES[state] as HealthState,
    healing: healing === 1,
    probing: probing === 1,
    score,
    success,
    rttShifted: shifted === 1,
    loss,
    pingLoss,
    segmentLoss,
    interval,
    replyTimeout,
    rtt,
    median,
    iqr,
    baselineMean,
    baselineSigma,
    shiftedWindows,
    failures,
    silentFor,
    stuckFor,
    sent,
    answered,
    misses,
    late,
    lateTurns,
  };
}
