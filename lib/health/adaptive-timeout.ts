// How long to wait for a reply, by how long the last ones took.

import { checkFunction, checkInteger, checkMethods, checkObject, checkRange } from '../check';
import type { Conn } from '../conn';

/** Durations in milliseconds. */
export interface AdaptiveTimeoutOptions {
  /** So many durations are looked at, the latest: an integer, 1 to 10000. Default 10. */
  window?: number | undefined;
  /** The timeout is so many times their median, …: 1 to 100. Default 1.5. */
  factor?: number | undefined;
  /** … or the median and `k` times the interquartile range, where that is more: 0 to 100. Default 1.5. */
  k?: number | undefined;
  /** But no less than this: 0 to `cap`. Default 250. */
  floor?: number | undefined;
  /** And no more: 1 to 2147483647. Default 8000. */
  cap?: number | undefined;
  /** What it is while there are none: from `floor` to `cap`. Default: `cap`. */
  initial?: number | undefined;
}

/** What a deadline can be set on: any Conn. */
type Deadlines = Pick<Conn, 'setReadDeadline' | 'setWriteDeadline' | 'state'>;

const LONGEST = 2 ** 31 - 1;

/**
 * A timeout for replies that are waited for, which adapts to how long they take. It is for one kind of
 * question to one peer; a stream that is idle asks nothing, and is not ill.
 *
 * After a reply that did not come the timeout is doubled, up to the cap, until one comes: on a path that
 * has become slower every question would fail otherwise, and nothing be learned.
 */
export class AdaptiveTimeout {
  private readonly durations: number[] = [];
  private readonly window: number;
  private readonly factor: number;
  private readonly k: number;
  private readonly floor: number;
  private readonly cap: number;
  private base: number;
  private doubled = 1;

  /** @throws TypeError, RangeError: for options that are wrong */
  constructor(options: AdaptiveTimeoutOptions = {}) {
    checkObject('options', options);
    const { window = 10, factor = 1.5, k = 1.5, floor = 250, cap = 8000, initial = cap } = options;
    checkInteger('options.window', window, 1, 10_000);
    checkRange('options.factor', factor, 1, 100);
    checkRange('options.k', k, 0, 100);
    checkRange('options.cap', cap, 1, LONGEST);
    checkRange('options.floor', floor, 0, cap);
    checkRange('options.initial', initial, floor, cap);
    this.window = window;
    this.factor = factor;
    this.k = k;
    this.cap = cap;
    this.floor = floor;
    this.base = initial;
  }

  /** How long to wait now, in milliseconds. */
  get timeout(): number {
    return Math.min(this.base * this.doubled, this.cap);
  }

  /** The instant that lies so far ahead, in milliseconds since the epoch: for any deadline. */
  deadline(): number {
    return Date.now() + this.timeout;
  }

  /** A reply came after so many milliseconds: 0 or more. */
  add(duration: number): void {
    checkRange('duration', duration, 0, Number.MAX_SAFE_INTEGER);
    this.durations.push(duration);
    if (this.durations.length > this.window) this.durations.shift();
    const sorted = this.durations.toSorted((a, b) => a - b);
    const median = quantile(sorted, 0.5);
    const spread = quantile(sorted, 0.75) - quantile(sorted, 0.25);
    const base = Math.max(this.factor * median, median + this.k * spread);
    this.base = Math.min(Math.max(base, this.floor), this.cap);
    this.doubled = 1;
  }

  /** A reply did not come in time. */
  expire(): void {
    if (this.timeout < this.cap) this.doubled *= 2;
  }

  /**
   * Asks, and learns from how long the answer takes: `ask` is given the deadline, and what it resolves to is
   * returned. Where it fails with an error that has `timeout === true`, that counts as {@link expire}.
   */
  async measure<T>(ask: (deadline: number) => T | PromiseLike<T>): Promise<T> {
    checkFunction('ask', ask);
    const begin = performance.now();
    try {
      const answer = await ask(this.deadline());
      this.add(performance.now() - begin);
      return answer;
    } catch (error) {
      if ((error as { timeout?: unknown } | null | undefined)?.timeout === true) this.expire();
      throw error;
    }
  }

  /**
   * The same with the deadline set on the reads of a connection while `ask` runs. Where `ask` fails it stays
   * set: half an exchange is left, and a reply that comes late must not be taken for the next one.
   */
  reading<T>(conn: Deadlines, ask: () => T | PromiseLike<T>): Promise<T> {
    return this.within(conn, 'setReadDeadline', ask);
  }

  /** The same with its writes: for a peer that has to take what it is sent. */
  writing<T>(conn: Deadlines, ask: () => T | PromiseLike<T>): Promise<T> {
    return this.within(conn, 'setWriteDeadline', ask);
  }

  private async within<T>(
    conn: Deadlines,
    set: 'setReadDeadline' | 'setWriteDeadline',
    ask: () => T | PromiseLike<T>,
  ): Promise<T> {
    checkMethods('conn', conn, set);
    checkFunction('ask', ask);
    return this.measure(async (deadline) => {
      conn[set](deadline);
      const answer = await ask();
      if (conn.state !== 'closed') conn[set](null);
      return answer;
    });
  }
}

/** The value below which the share `q` of sorted values lies; between two of them it is interpolated. */
function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)] as number;
  const high = sorted[Math.ceil(at)] as number;
  return low + (at % 1) * (high - low);
}
