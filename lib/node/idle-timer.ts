// The time without traffic that net.Socket.setTimeout() is about.

import { checkDuration } from '../check';
import { MAX_TIMER } from '../deadline';

export class IdleTimer {
  milliseconds = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly onIdle: () => void) {}

  /** Begins anew. @param milliseconds 0: no timer */
  set(milliseconds: number): void {
    checkDuration('milliseconds', milliseconds);
    clearTimeout(this.timer ?? undefined);
    this.milliseconds = milliseconds;
    this.timer = milliseconds === 0 ? null : setTimeout(this.onIdle, Math.min(milliseconds, MAX_TIMER)).unref();
  }

  /** Traffic. */
  refresh(): void {
    this.timer?.refresh();
  }
}
