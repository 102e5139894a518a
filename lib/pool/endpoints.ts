// The endpoints of a pool: which are up, and which is next.

import { MAX_TIMER } from '../deadline';
import { asError } from '../errors';
import type { Destination } from './entry';

const LONGEST_EJECTION = 30_000;

/** How an endpoint is doing. */
export interface EndpointHealth<E> {
  readonly endpoint: E;
  /** False from `ejectAfter` failures in a row until the next connection. */
  readonly up: boolean;
  /** Failures since the last connection. */
  readonly failures: number;
  /** What the last of them was; null once there is a connection again. */
  readonly lastError: Error | null;
  /** Connections that are open to it, or being made. */
  readonly open: number;
}

export interface Ejection {
  /** So many failures in a row. */
  after: number;
  /** For so many milliseconds at first. */
  time: number;
}

export class Endpoint<E> implements Destination, EndpointHealth<E> {
  open = 0;
  failures = 0;
  lastError: Error | null = null;
  private probe: NodeJS.Timeout | null = null;

  constructor(
    readonly endpoint: E,
    private readonly ejection: Ejection,
    private readonly tryAgain: ((endpoint: Endpoint<E>) => void) | null,
  ) {}

  get up(): boolean {
    return this.failures < this.ejection.after;
  }

  succeeded(): void {
    this.failures = 0;
    this.lastError = null;
    this.stop();
  }

  failed(error: unknown): void {
    this.failures++;
    this.lastError = asError(error);
    if (!this.up) this.probeLater();
  }

  /** Tries it again after a while, as nobody else does. */
  probeLater(): void {
    const { tryAgain, ejection, failures } = this;
    if (tryAgain === null) return;
    this.stop();
    const doubled = ejection.time * 2 ** Math.min(Math.max(failures - ejection.after, 0), 16);
    this.probe = setTimeout(
      () => tryAgain(this),
      Math.min(doubled, Math.max(LONGEST_EJECTION, ejection.time), MAX_TIMER),
    );
    this.probe.unref();
  }

  stop(): void {
    if (this.probe !== null) clearTimeout(this.probe);
    this.probe = null;
  }

  get health(): EndpointHealth<E> {
    const { endpoint, up, failures, lastError, open } = this;
    return { endpoint, up, failures, lastError, open };
  }
}

export class Endpoints<E> {
  private readonly all: readonly Endpoint<E>[];

  /** @param tryAgain is asked to connect to one that is down; null where borrowers do so anyway */
  constructor(endpoints: readonly E[], ejection: Ejection, tryAgain: ((endpoint: Endpoint<E>) => void) | null) {
    this.all = endpoints.map((endpoint) => new Endpoint(endpoint, ejection, tryAgain));
  }

  /** Those to try for a new connection, in order. Where none is up, all of them. */
  candidates(): Endpoint<E>[] {
    const up = this.all.filter((endpoint) => endpoint.up);
    return (up.length > 0 ? up : [...this.all]).sort((a, b) => a.open - b.open);
  }

  /** None is up. */
  get down(): boolean {
    return this.all.every((endpoint) => !endpoint.up);
  }

  get health(): EndpointHealth<E>[] {
    return this.all.map((endpoint) => endpoint.health);
  }

  stop(): void {
    for (const endpoint of this.all) endpoint.stop();
  }
}
