// Closing idle connections when their time is up. One timer for all of them, which keeps no process alive.

import { MAX_TIMER } from '../deadline';
import type { Entry } from './entry';
import type { List } from './list';
import type { DiscardReason } from './stats';

export class Expiry<T> {
  private timer: NodeJS.Timeout | null = null;
  private ringsAt = Number.POSITIVE_INFINITY;

  constructor(
    private readonly idle: List<Entry<T>>,
    private readonly idleTimeout: number,
    private readonly expire: (entry: Entry<T>, reason: DiscardReason) => void,
  ) {}

  /** The connection idles from now on. */
  watch(entry: Entry<T>): void {
    const due = this.dueOf(entry);
    if (due < this.ringsAt) this.arm(due);
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.ringsAt = Number.POSITIVE_INFINITY;
  }

  private dueOf(entry: Entry<T>): number {
    return Math.min(entry.idleSince + this.idleTimeout, entry.expiresAt);
  }

  // Node drops fractions of a millisecond, and a timer of its may be early by one: sweep() looks again.
  private arm(due: number): void {
    this.stop();
    this.ringsAt = due;
    const left = Math.max(Math.ceil(due - performance.now()), 1);
    this.timer = setTimeout(() => this.sweep(), Math.min(left, MAX_TIMER));
    this.timer.unref();
  }

  private sweep(): void {
    this.stop();
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.idle) {
      const reason = entry.outdated(now, this.idleTimeout);
      if (reason !== null) this.expire(entry, reason);
      else next = Math.min(next, this.dueOf(entry));
    }
    if (next < this.ringsAt) this.arm(next);
  }
}
