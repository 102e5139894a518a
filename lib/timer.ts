// A deadline kept with Node's own timers, for what has no native handle.

import { type Deadline, MAX_TIMER, toEpoch } from './deadline';

/**
 * Whoever makes a call asks `passed`, so a timer is needed, and keeps the process alive, only while a
 * call waits. It runs on the monotonic clock: moving the wall clock moves no deadline.
 */
export class DeadlineTimer {
  private at = Number.POSITIVE_INFINITY;
  private timer: NodeJS.Timeout | null = null;
  private waiting = false;
  private referenced = true;

  /** @param onPassed is called when the instant comes while something waits */
  constructor(private readonly onPassed: () => void) {}

  get passed(): boolean {
    return performance.now() >= this.at;
  }

  /** True when it has passed already, which is for the caller to act on. */
  set(t: Deadline): boolean {
    const epoch = toEpoch(t);
    // Date.now() drops what it has of a millisecond, so this may come out late by that much, never early.
    this.at = Number.isNaN(epoch) ? Number.POSITIVE_INFINITY : performance.now() + epoch - Date.now();
    this.disarm();
    if (this.waiting && !this.passed) this.arm();
    return this.passed;
  }

  /** Whether something waits from now on. */
  wait(waiting: boolean): void {
    if (waiting === this.waiting) return;
    this.waiting = waiting;
    if (waiting) this.arm();
    else this.disarm();
  }

  /** Whether a wait for the instant keeps the process alive. */
  ref(on: boolean): void {
    this.referenced = on;
    if (on) this.timer?.ref();
    else this.timer?.unref();
  }

  private arm(): void {
    if (this.at === Number.POSITIVE_INFINITY) return;
    // Node drops fractions of a millisecond, and a timer of its may be early by one.
    const left = Math.ceil(this.at - performance.now());
    this.timer = setTimeout(() => this.ring(), Math.min(Math.max(left, 1), MAX_TIMER));
    if (!this.referenced) this.timer.unref();
  }

  private ring(): void {
    this.timer = null;
    if (this.passed) this.onPassed();
    else this.arm();
  }

  private disarm(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
