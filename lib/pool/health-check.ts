// Asking validate() about idle connections, now and then, off the way of any borrower.

import { MAX_TIMER } from '../deadline';
import type { Entry } from './entry';
import type { List } from './list';

// Of the idle connections no more than this share is away at once, and out of the borrowers' reach.
const SHARE = 4;

export class HealthCheck<T> {
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;

  /** @param check takes the connection, which idles, and puts it back or closes it */
  constructor(
    private readonly idle: List<Entry<T>>,
    private readonly interval: number,
    private readonly check: (entry: Entry<T>) => Promise<void>,
  ) {
    this.arm();
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  // The next round begins when this one is over.
  private arm(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.round().then(() => this.arm()), Math.min(this.interval, MAX_TIMER));
    this.timer.unref();
  }

  private async round(): Promise<void> {
    const due = [...this.idle];
    const atOnce = Math.ceil(due.length / SHARE);
    const next = due.values();
    await Promise.all(Array.from({ length: atOnce }, () => this.work(next)));
  }

  private async work(next: Iterable<Entry<T>>): Promise<void> {
    for (const entry of next) if (entry.list !== null) await this.check(entry);
  }
}
