// A shutdown() under way. What it waits for differs from one kind of conn to the next; that its time is
// limited does not.

import { checkDuration, checkObject } from './check';
import type { ShutdownOptions } from './conn';
import { MAX_TIMER } from './deadline';

const DEFAULT_TIMEOUT = 5000;

/** Checks the options of a shutdown() and returns its timeout, in milliseconds. */
export function shutdownTimeout(options: ShutdownOptions): number {
  checkObject('options', options);
  const { timeout = DEFAULT_TIMEOUT } = options;
  checkDuration('options.timeout', timeout);
  return timeout;
}

export abstract class Closing {
  readonly done: Promise<void>;
  private resolve!: () => void;
  private readonly timer: NodeJS.Timeout;

  /** @param conn is closed when the time is up */
  constructor(conn: { close(): boolean }, timeout: number) {
    this.done = new Promise((resolve) => {
      this.resolve = resolve;
    });
    this.timer = setTimeout(() => conn.close(), Math.min(timeout, MAX_TIMER));
  }

  /** Called whenever something may have changed: a write finished, or something arrived. */
  abstract advance(): void;

  /** The connection is closed. */
  finish(): void {
    clearTimeout(this.timer);
    this.resolve();
  }
}
