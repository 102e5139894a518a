// Connections that were lent and not returned in time.

import { MAX_TIMER } from '../deadline';
import { rethrowLater } from '../dispatch';
import type { Entry } from './entry';

/** A connection that was not returned. */
export interface LeakReport<T> {
  readonly conn: T;
  /** For how long it has been lent, in milliseconds. */
  readonly heldFor: number;
  /** Where it was borrowed: the stack of the call. */
  readonly stack: string;
}

export class Leaks<T> {
  constructor(
    private readonly timeout: number,
    private readonly onLeak: (report: LeakReport<T>) => void,
  ) {}

  /** The stack of the caller of `entrance`. */
  trace(entrance: (...args: never[]) => unknown): string {
    const here: { stack?: string } = {};
    Error.captureStackTrace(here, entrance);
    return (here.stack ?? '').replace(/^.*\n/, '');
  }

  lent(entry: Entry<T>, stack: string): void {
    const report = () => this.report({ conn: entry.conn, heldFor: this.timeout, stack });
    entry.leakTimer = setTimeout(report, Math.min(Math.ceil(this.timeout), MAX_TIMER));
    entry.leakTimer.unref();
  }

  returned(entry: Entry<T>): void {
    if (entry.leakTimer !== null) clearTimeout(entry.leakTimer);
    entry.leakTimer = null;
  }

  private report(report: LeakReport<T>): void {
    try {
      this.onLeak(report);
    } catch (error) {
      rethrowLater(error);
    }
  }
}

export function warnOfLeak({ heldFor, stack }: LeakReport<unknown>): void {
  process.emitWarning(`A connection was not returned to its pool for ${heldFor} ms. It was borrowed\n${stack}`, {
    type: 'SplicewayWarning',
    code: 'SPLICEWAY_POOL_LEAK',
  });
}
