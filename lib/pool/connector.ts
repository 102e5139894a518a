// Making a connection: to one endpoint after the other, each in its time.

import { MAX_TIMER } from '../deadline';
import { asError, invalidReturn } from '../errors';
import type { Endpoint, Endpoints } from './endpoints';
import { poolClosed, timedOut } from './errors';
import type { Config, Poolable } from './options';

export interface Made<T, E> {
  conn: T;
  endpoint: Endpoint<E>;
}

export class Connector<T extends Poolable, E> {
  private readonly underWay = new Set<AbortController>();
  private stopped = false;

  constructor(
    private readonly config: Config<T, E>,
    private readonly endpoints: Endpoints<E>,
  ) {}

  /** @param only that endpoint, instead of whichever works */
  async connect(only: Endpoint<E> | null): Promise<Made<T, E>> {
    let failure: unknown;
    for (const endpoint of only === null ? this.endpoints.candidates() : [only]) {
      try {
        return { conn: await this.connectTo(endpoint), endpoint };
      } catch (error) {
        failure = error;
      }
      if (this.stopped) break;
    }
    throw asError(failure);
  }

  /** The pool closes. */
  stop(): void {
    this.stopped = true;
    for (const attempt of this.underWay) attempt.abort(poolClosed());
  }

  private async connectTo(endpoint: Endpoint<E>): Promise<T> {
    endpoint.open++;
    try {
      const conn = await this.attempt(endpoint.endpoint);
      endpoint.succeeded();
      return conn;
    } catch (error) {
      endpoint.open--;
      if (!this.stopped) endpoint.failed(error);
      throw error;
    }
  }

  private async attempt(endpoint: E): Promise<T> {
    const { connectTimeout } = this.config;
    const attempt = new AbortController();
    const expire = () => attempt.abort(timedOut('not connected', connectTimeout));
    const timer = connectTimeout <= MAX_TIMER ? setTimeout(expire, Math.ceil(connectTimeout)) : null;
    this.underWay.add(attempt);
    try {
      const { signal } = attempt;
      return await untilAborted(Promise.resolve(this.config.connect({ endpoint, signal })), signal);
    } finally {
      this.underWay.delete(attempt);
      if (timer !== null) clearTimeout(timer);
    }
  }
}

/** The connection; or the signal's reason, and then a connection that comes later is closed. */
function untilAborted<T extends Poolable>(connecting: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    connecting.then((conn) => {
      if (typeof (conn as Partial<T> | null | undefined)?.close !== 'function') {
        reject(invalidReturn('connect()', 'an object with a close()', conn));
      } else if (signal.aborted) closeQuietly(conn);
      else resolve(conn);
    }, reject);
  });
}

/** Whatever close() throws or rejects with: the connection is not heard of again. */
export function closeQuietly(conn: Poolable): void {
  new Promise((resolve) => resolve(conn.close())).catch(() => {});
}
