// An endpoint: who is connected to it, and when it may be tried again.

import { nameOf, type TargetSpec } from '../../proxy/target';
import { Backoff } from './backoff';
import type { Config, Endpoint } from './options';

// A connection that lived so long, in milliseconds, was a good one.
const STABLE = 1000;

export class Site {
  readonly name: string;
  readonly given: Endpoint;
  readonly target: TargetSpec;
  links = 0;
  connecting = false;
  /** On the clock of performance.now(). */
  notBefore = 0;
  private readonly backoff: Backoff;

  constructor({ given, target }: Config['endpoints'][number], { backoff, maxBackoff }: Config) {
    this.name = nameOf(target);
    this.given = given;
    this.target = target;
    this.backoff = new Backoff(backoff, maxBackoff);
  }

  /** A connection could not be made. For how many milliseconds the endpoint is left alone. */
  failed(): number {
    const delay = this.backoff.next();
    this.notBefore = performance.now() + delay;
    return delay;
  }

  /** A connection that was made at `since` is not well. */
  left(since: number): void {
    if (performance.now() - since >= STABLE) this.backoff.reset();
    this.failed();
  }
}
