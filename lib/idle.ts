// Noticing that nothing has happened for a while.

import { MAX_TIMER } from './deadline';

/** Calls back once, when nothing has happened for so many milliseconds. Keeps no process alive. */
export class IdleTimer {
  private movedAt = performance.now();
  private timer!: NodeJS.Timeout;

  constructor(
    private readonly timeout: number,
    private readonly onIdle: () => void,
  ) {
    this.arm(timeout);
  }

  /** Something has happened. */
  touch(): void {
    this.movedAt = performance.now();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  // One timer that looks again, instead of one that is moved for every byte.
  private arm(ms: number): void {
    this.timer = setTimeout(() => this.look(), Math.min(Math.ceil(ms), MAX_TIMER));
    this.timer.unref();
  }

  private look(): void {
    const left = this.movedAt + this.timeout - performance.now();
    if (left <= 0) this.onIdle();
    else this.arm(left);
  }
}
