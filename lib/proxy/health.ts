// Passive health: what a proxy learns of a target from connecting to it.
//
//   up    every connection may try it; `failures` failed attempts in a row take it down
//   down  nobody tries it until its back-off is over; then one connection at a time does. A success
//         brings it up, a failure doubles the back-off

/** When a target is skipped, and for how long. */
export interface ProxyHealthOptions {
  /** Failed attempts to connect, in a row, after which a target is down; 0: it never is. Default 3. */
  failures?: number | undefined;
  /** How long a target that went down is left alone, in milliseconds; doubled by each trial that fails. Default 1000. */
  backoff?: number | undefined;
  /** The longest back-off, in milliseconds. Default 30,000. */
  maxBackoff?: number | undefined;
}

export type HealthLimits = Readonly<Record<keyof ProxyHealthOptions, number>>;

export class Health {
  /** Failed attempts since the last success. */
  failures = 0;
  /** On the monotonic clock; before the first, minus infinity. */
  failedAt = Number.NEGATIVE_INFINITY;
  private downSince: number | null = null;
  private backoff = 0;
  private retryAt = 0;
  private trial: Attempt | null = null;

  constructor(private readonly limits: HealthLimits) {}

  get isUp(): boolean {
    return this.downSince === null;
  }

  /** Whether a connection may try the target now. */
  get isAvailable(): boolean {
    return this.isUp || (this.trial === null && performance.now() >= this.retryAt);
  }

  /** Milliseconds for which it has been down; 0 while it is up. */
  get downFor(): number {
    return this.downSince === null ? 0 : performance.now() - this.downSince;
  }

  /** Milliseconds until a connection may try it; 0 where one may. */
  get retryIn(): number {
    return this.isUp ? 0 : Math.max(0, this.retryAt - performance.now());
  }

  /** A connection tries the target. Whoever begins an attempt ends it, in one of its three ways. */
  begin(): Attempt {
    const attempt = new Attempt(this);
    if (!this.isUp && this.isAvailable) this.trial = attempt;
    return attempt;
  }

  /** @internal True when it came up thereby. */
  succeeded(): boolean {
    const cameUp = !this.isUp;
    this.failures = 0;
    this.downSince = this.trial = null;
    return cameUp;
  }

  /** @internal True when it went down thereby. */
  failed(attempt: Attempt): boolean {
    this.failures++;
    this.failedAt = performance.now();
    if (!this.isUp) {
      // Those that were under way when it went down, or tried it for want of another, prove nothing new.
      if (attempt === this.trial) this.rest(2 * this.backoff);
      return false;
    }
    const { failures } = this.limits;
    if (failures === 0 || this.failures < failures) return false;
    this.downSince = this.failedAt;
    this.rest(this.limits.backoff);
    return true;
  }

  /** @internal */
  cancelled(attempt: Attempt): void {
    if (attempt === this.trial) this.trial = null;
  }

  // Proxies that lost the same target at the same moment must not all come back to it at the same moment.
  private rest(backoff: number): void {
    this.trial = null;
    this.backoff = Math.min(backoff, this.limits.maxBackoff);
    this.retryAt = performance.now() + this.backoff * (0.5 + Math.random() / 2);
  }
}

/** One connection's try at a target. */
export class Attempt {
  constructor(private readonly health: Health) {}

  /** True when the target came up thereby. */
  succeeded(): boolean {
    return this.health.succeeded();
  }

  /** True when the target went down thereby. */
  failed(): boolean {
    return this.health.failed(this);
  }

  /** It says nothing about the target: the client left, or this process is short of something. */
  cancelled(): void {
    this.health.cancelled(this);
  }
}
