// Making connections: as many as are wanted, none too soon.

import { asError, invalidReturn } from '../../errors';
import type { Carrier } from './carrier';
import { timedOut } from './errors';
import { dialFramed } from './framed-carrier';
import type { Config } from './options';
import { Site } from './site';

// How long an attempt is waited for, in milliseconds, before the next endpoint is tried beside it (as dial() does with
// the two families): so that the active connection is at the first one that is up.
const HEAD_START = 300;

export interface SupplyOwner {
  /** How many connections are missing; `urgent` where requests have none to go to. */
  missing(): { count: number; urgent: boolean };
  connected(carrier: Carrier, site: Site): void;
  connectFailed(site: Site, error: Error, retryIn: number): void;
}

export class Supply {
  private readonly sites: readonly Site[];
  private readonly closing = new AbortController();
  private timer: NodeJS.Timeout | null = null;
  private connecting = 0;
  private notBefore = 0;
  /** When the last attempt began. */
  private began = 0;

  constructor(
    private readonly config: Config,
    private readonly owner: SupplyOwner,
  ) {
    this.sites = config.endpoints.map((endpoint) => new Site(endpoint, config));
  }

  /** Connects, or waits until it may, as long as connections are missing. */
  meetDemand(): void {
    this.stopWaiting();
    for (;;) {
      const { count, urgent } = this.owner.missing();
      if (this.closing.signal.aborted || count <= this.connecting) return;
      const site = this.pick(urgent);
      if (site === undefined) return;
      const headStart = urgent && this.connecting > 0 ? this.began + HEAD_START : 0;
      const wait = Math.max(site.notBefore, this.notBefore, headStart) - performance.now();
      if (wait > 0) return this.waitFor(wait);
      void this.connect(site);
    }
  }

  /** A connection was left. Others may have left theirs in the same instant, and must not all come back in one. */
  left(site: Site, since: number): void {
    site.left(since);
    this.notBefore = performance.now() + Math.random() * this.config.backoff;
  }

  close(): void {
    this.stopWaiting();
    this.closing.abort(timedOut());
  }

  // In need whichever may be tried first; else the one that has the fewest connections.
  private pick(urgent: boolean): Site | undefined {
    const rank = (site: Site) =>
      (urgent ? [site.notBefore, site.links] : [site.links, site.notBefore]) as [number, number];
    return this.sites
      .filter((site) => !site.connecting)
      .sort((a, b) => rank(a)[0] - rank(b)[0] || rank(a)[1] - rank(b)[1])[0];
  }

  // The process lives for requests, not for this.
  private waitFor(milliseconds: number): void {
    this.timer = setTimeout(() => this.meetDemand(), Math.ceil(milliseconds)).unref();
  }

  private stopWaiting(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private async connect(site: Site): Promise<void> {
    site.connecting = true;
    this.began = performance.now();
    this.connecting++;
    const outcome = await this.attempt(site).catch(asError);
    site.connecting = false;
    this.connecting--;
    if (!(outcome instanceof Error)) this.owner.connected(outcome, site);
    else if (!this.closing.signal.aborted) this.owner.connectFailed(site, outcome, site.failed());
    this.meetDemand();
  }

  private attempt(site: Site): Promise<Carrier> {
    const giveUp = new AbortController();
    const closed = () => giveUp.abort(this.closing.signal.reason);
    this.closing.signal.addEventListener('abort', closed, { once: true });
    const timer = setTimeout(() => giveUp.abort(timedOut()), this.config.connectTimeout);
    return inTime(this.prepared(site, giveUp.signal), giveUp.signal).finally(() => {
      clearTimeout(timer);
      this.closing.signal.removeEventListener('abort', closed);
    });
  }

  private async prepared({ given, target }: Site, signal: AbortSignal): Promise<Carrier> {
    const { connect, frames, warmUp } = this.config;
    const context = { endpoint: given, signal };
    const carrier = await (connect === undefined ? dialFramed(target, frames, signal) : connect(context));
    if (!isCarrier(carrier)) throw invalidReturn('connect', 'a Carrier', carrier);
    // At once: warming up may never come to an end.
    signal.addEventListener('abort', () => carrier.close(), { once: true });
    try {
      signal.throwIfAborted();
      await warmUp?.(carrier, context);
      signal.throwIfAborted();
      return carrier;
    } catch (error) {
      carrier.close();
      throw error;
    }
  }
}

// Of a stranger's make, perhaps. What is asked of it later has to be there.
function isCarrier(value: unknown): value is Carrier {
  const { request, verdict, shutdown, close, ended } = (value ?? {}) as Partial<Carrier>;
  return [request, verdict, shutdown, close, ended?.then].every((each) => typeof each === 'function');
}

/** The promise's outcome, or the signal's reason if that comes first. */
function inTime<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}
