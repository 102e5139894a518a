// HealingClient: requests that go to whichever connection is well.
//
//                 connected              degraded, lost, going away
//   Supply ──▶ standby ──▶ active ────────────────────────────────▶ draining ──▶ closed
//      ▲       (ready)     (new requests)                           (old requests move,
//      └───── one is missing ◀──────┘                                or are answered)

import { inspect } from 'node:util';
import { checkBytesOrText } from '../../check';
import { shutdownTimeout } from '../../closing';
import type { Body } from '../../codec/outbox';
import { MAX_TIMER } from '../../deadline';
import { keepAlive } from '../../lifetime';
import { checked, rejected } from '../../pending';
import { clientClosed, QueueFullError } from './errors';
import type { ClientStats } from './events';
import { type ClientRequestOptions, type Config, checkRequest, configOf, type HealingClientOptions } from './options';
import { type Ending, Request } from './request';
import { Switchboard } from './switchboard';

/**
 * Sends requests over a connection, and replaces that, when it is no longer well, by one that stands ready.
 *
 * Each request ends in exactly one of three ways: with its answer, with an error, or with
 * {@link UnknownOutcomeError}. None is sent twice unless it is marked idempotent.
 */
export class HealingClient implements AsyncDisposable {
  private readonly config: Config;
  private readonly switchboard: Switchboard;
  private readonly pending = new Set<Request>();
  private readonly counts = { requests: 0, results: 0, errors: 0, unknown: 0 };
  private alive: NodeJS.Timeout | null = null;
  private closing: Promise<void> | null = null;
  private whenIdle: (() => void) | null = null;

  /**
   * Connects in the background from now on.
   * @throws TypeError, RangeError; OpError for an endpoint whose text is no address
   */
  constructor(options: HealingClientOptions) {
    this.config = configOf(options);
    this.switchboard = new Switchboard(this.config);
  }

  /**
   * Sends a request, once there is a connection, and resolves to the body of its answer. Bytes must stay
   * unchanged until it settles.
   * @throws UnknownOutcomeError where it was sent and not answered, unless it is idempotent; RequestError where
   *   the peer answers with an error; OpError for its timeout and for a client that is closed; QueueFullError
   */
  request(body: Uint8Array | string, options: ClientRequestOptions = {}): Promise<Buffer> {
    return checked(
      () => {
        checkBytesOrText('body', body);
        checkRequest(options);
      },
      () => this.start(body, options),
    );
  }

  private start(body: Body, options: ClientRequestOptions): Promise<Buffer> {
    if (options.signal?.aborted === true) return Promise.reject(options.signal.reason);
    if (this.closing !== null) return rejected(clientClosed());
    const { maxQueued, timeout } = this.config;
    const { active, waiting } = this.switchboard;
    if (active === null && waiting.size >= maxQueued) return rejected(new QueueFullError(maxQueued));
    const request = new Request(body, options, options.timeout ?? timeout, (...of) => this.ended(...of));
    this.counts.requests++;
    this.pending.add(request);
    this.alive ??= keepAlive();
    this.switchboard.dispatch(request);
    return request.promise;
  }

  private ended(request: Request, ending: Ending): void {
    this.counts[ending]++;
    this.pending.delete(request);
    this.switchboard.waiting.delete(request);
    if (this.pending.size > 0) return;
    if (this.alive !== null) clearInterval(this.alive);
    this.alive = null;
    this.whenIdle?.();
  }

  /** What it has counted up to now. */
  get stats(): ClientStats {
    const { active, standbys, draining, waiting, counts } = this.switchboard;
    return {
      active: active?.site.name ?? null,
      score: active?.carrier.health?.score ?? null,
      standby: standbys.length,
      draining: draining.size,
      pending: this.pending.size,
      waiting: waiting.size,
      ...this.counts,
      ...counts,
    };
  }

  /**
   * Takes no more requests, waits for those that are pending, and closes the connections gracefully. What is
   * not done after `timeout` milliseconds, default 5000, ends as with close().
   */
  shutdown(options: { timeout?: number | undefined } = {}): Promise<void> {
    return checked(
      () => shutdownTimeout(options),
      (timeout) => {
        this.closing ??= this.shutDown(timeout);
        return this.closing;
      },
    );
  }

  private async shutDown(timeout: number): Promise<void> {
    const until = performance.now() + timeout;
    const giveUp = setTimeout(() => this.end(), Math.min(timeout, MAX_TIMER));
    if (this.pending.size > 0) {
      await new Promise<void>((resolve) => {
        this.whenIdle = resolve;
      });
    }
    clearTimeout(giveUp);
    await this.switchboard.shutdown(Math.max(until - performance.now(), 0));
  }

  /**
   * Closes every connection at once. Requests that wait for one reject with `ERR_SPLICEWAY_CLOSED`, as those
   * do that are idempotent; of the others the outcome is unknown. True for the call that closed it.
   */
  close(): boolean {
    const first = this.closing === null;
    this.closing ??= Promise.resolve();
    this.end();
    return first;
  }

  private end(): void {
    this.switchboard.close();
    for (const request of [...this.pending]) {
      if (request.sends > 0 && !request.idempotent) request.lose('the client was closed');
      else request.refuse(clientClosed());
    }
  }

  /** shutdown() */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** close() */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    const { active, standby, pending } = this.stats;
    return `HealingClient { ${active ?? 'not connected'}, ${standby} standing by, ${pending} pending }`;
  }
}
