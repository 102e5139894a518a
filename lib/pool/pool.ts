// A pool of connections. This class brings borrowers and connections together:
//
//   borrow()    an idle connection at once; without one the borrower joins the line
//   settle()    after every change: connections are made as long as more wait than are on their way
//   offer()     a connection is free: it goes to whoever has waited longest, or idles
//
// While somebody waits nothing idles, so nobody is ever overtaken.

import { inspect } from 'node:util';
import { checkFunction, checkInteger, signalOf } from '../check';
import { shutdownTimeout } from '../closing';
import { invalidType } from '../errors';
import { keepAlive } from '../lifetime';
import { checked, rejected } from '../pending';
import type { Disturbance } from '../resting';
import { Draining, type DrainResult } from './draining';
import type { EndpointHealth } from './endpoints';
import type { Entry } from './entry';
import { poolClosed } from './errors';
import { HealthCheck } from './health-check';
import { Hooks, type Verdict } from './hooks';
import { Leaks, warnOfLeak } from './leaks';
import { Lease } from './lease';
import { List } from './list';
import { type BorrowOptions, type Config, checkTimeout, configOf, type Poolable, type PoolOptions } from './options';
import type { DiscardReason, PoolStats } from './stats';
import { Stock } from './stock';
import { type Demand, Supply } from './supply';
import { PendingUse, Waiter } from './waiter';

/** Why the pool closed a connection that nobody had used. These say that making more of them is no use. */
const IN_VAIN: ReadonlySet<DiscardReason> = new Set(['closed', 'ended', 'failed', 'stray', 'invalid']);

/**
 * Connections that are made once and used many times, by one borrower at a time.
 *
 * Idle connections keep no process alive; borrowers that wait do.
 */
export class Pool<T extends Poolable, E = undefined> implements AsyncDisposable, Disposable {
  private readonly config: Config<T, E>;
  private readonly hooks: Hooks<T>;
  private readonly stock: Stock<T>;
  private readonly supply: Supply<T, E>;
  private readonly line = new List<Waiter<T>>();
  private readonly healthCheck: HealthCheck<T> | null;
  private readonly leaks: Leaks<T> | null;
  /** Connections that are being validated for a borrower who waits. */
  private auditing = 0;
  private draining: Draining | null = null;
  private closed = false;
  private alive: NodeJS.Timeout | null = null;

  /** @throws TypeError, RangeError for wrong options */
  constructor(options: PoolOptions<T, E>) {
    const config = configOf(options);
    const { standby } = config;
    if (standby !== undefined && !(standby instanceof Pool)) {
      throw invalidType('options.standby', 'an instance of Pool', standby);
    }
    this.config = config;
    this.hooks = new Hooks(config);
    this.stock = new Stock(config, this, (entry, reason) => this.expire(entry, reason));
    this.supply = new Supply(config, this.stock, this.demand());
    this.healthCheck = this.makeHealthCheck(config);
    this.leaks = config.leakTimeout < Number.POSITIVE_INFINITY ? this.makeLeaks(config) : null;
    this.supply.meetDemand();
  }

  private demand(): Demand<T> {
    const pool = this;
    return {
      get unserved() {
        return pool.line.size - pool.auditing;
      },
      arrived: (entry) => this.offer(entry),
      failed: (error, short) => this.connectFailed(error, short),
    };
  }

  private makeHealthCheck({ validate, healthCheckInterval }: Config<T, E>): HealthCheck<T> | null {
    if (validate === undefined || healthCheckInterval === Number.POSITIVE_INFINITY) return null;
    return new HealthCheck(this.stock.idle, healthCheckInterval, (entry) => this.checkIdle(entry));
  }

  private makeLeaks(config: Config<T, E>): Leaks<T> {
    return new Leaks(config.leakTimeout, (report) => {
      this.stock.counters.leaks++;
      if (config.onLeak === undefined) warnOfLeak(report);
      else config.onLeak(report);
    });
  }

  /**
   * Resolves to a connection on loan: the one that was returned last, or else a new one, or else the next
   * that is returned. Borrowers are served in the order in which they came.
   * @throws PoolError (as a rejection) `ERR_SPLICEWAY_POOL_TIMEOUT`, with `timeout` true;
   *   `ERR_SPLICEWAY_POOL_CLOSED`; and whatever connect() rejects with
   */
  borrow(options?: BorrowOptions): Promise<Lease<T>> {
    const lease = options === undefined ? this.tryBorrow() : null;
    return lease === null ? this.borrowWith(options) : Promise.resolve(lease);
  }

  /** A connection that idles, at once; null where none does, and with `validateOnBorrow`. */
  tryBorrow(): Lease<T> | null {
    if (this.config.validateOnBorrow) return null;
    const entry = this.stock.take();
    if (entry === null) return null;
    this.supply.wasUseful();
    return this.lend(entry, this.leaks === null ? null : this.leaks.trace(this.tryBorrow));
  }

  /**
   * Calls the function with a connection and returns that when the function is through; or discards it
   * where the function threw or its promise rejected, for nobody knows what was left on the way then.
   */
  use<R>(use: (conn: T) => R | Promise<R>, options?: BorrowOptions): Promise<R> {
    try {
      checkFunction('use', use);
    } catch (error) {
      return Promise.reject(error);
    }
    const call = new PendingUse<R>();
    this.useOne(use, options).then(
      (result) => call.resolve(result),
      (error) => call.endWith(error),
    );
    return call.promise;
  }

  private async useOne<R>(use: (conn: T) => R | Promise<R>, options: BorrowOptions | undefined): Promise<R> {
    const lease = await this.borrow(options);
    try {
      const result = await use(lease.conn);
      lease.release();
      return result;
    } catch (error) {
      lease.discard();
      throw error;
    }
  }

  /**
   * Makes connections until so many idle, as far as `maxOpen` allows. Resolves to how many do.
   * @param count 0 to `maxIdle`; default `minIdle`
   * @throws what connect() rejects with (as a rejection)
   */
  prewarm(count: number = this.config.minIdle): Promise<number> {
    const most = Math.min(this.config.maxIdle, Number.MAX_SAFE_INTEGER);
    return checked(
      () => checkInteger('count', count, 0, most),
      () => this.warmUp(count),
    );
  }

  /**
   * Closes the pool gracefully: nobody can borrow any more, who waits already is served, and each connection is
   * closed when it is returned. Those that are lent after `timeout` milliseconds (default 5000) are closed then.
   */
  async drain(options: { timeout?: number | undefined } = {}): Promise<DrainResult> {
    const timeout = shutdownTimeout(options);
    if (this.closed && this.draining === null) return { finished: 0, forced: 0 };
    const draining = this.draining ?? this.startDraining(timeout);
    await draining.done;
    return draining.result;
  }

  /**
   * Closes the pool and all of its connections at once, those that are lent too. Borrowers that wait reject
   * with `ERR_SPLICEWAY_POOL_CLOSED`. True for the call that closed it.
   */
  close(): boolean {
    if (this.closed) return false;
    this.closed = true;
    for (const part of [this.supply, this.healthCheck]) part?.stop();
    for (const waiter of this.line) this.takeFromLine(waiter).fail(poolClosed());
    this.stock.dropIdle();
    this.draining?.force(this.stock.all.size);
    for (const entry of this.stock.all) {
      this.leaks?.returned(entry);
      this.stock.drop(entry, 'drained');
    }
    this.stayAlive();
    this.draining?.finish();
    return true;
  }

  stats(): PoolStats {
    const { stock, supply, line } = this;
    const { connecting } = supply;
    const { discarded, ...counters } = stock.counters;
    const [open, idle] = [stock.all.size, stock.idle.size];
    const now = { maxOpen: this.config.maxOpen, open, inUse: open - idle, idle, connecting, waiting: line.size };
    return { ...now, ...counters, discarded: { ...discarded } };
  }

  /** How each endpoint is doing; one, of undefined, where none were given. */
  health(): EndpointHealth<E>[] {
    return this.supply.health;
  }

  /** drain() */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  /** close() */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    const { open, inUse, maxOpen, waiting } = this.stats();
    const state = this.closed ? 'closed' : this.isOpen ? 'open' : 'draining';
    return `Pool { ${state}, ${inUse} of ${open} in use, at most ${maxOpen}, ${waiting} waiting }`;
  }

  // Borrowers.

  private borrowWith(options: BorrowOptions = {}): Promise<Lease<T>> {
    let signal: AbortSignal | undefined;
    let timeout: number;
    try {
      signal = signalOf(options);
      ({ timeout = this.config.borrowTimeout } = options);
      checkTimeout('options.timeout', timeout);
    } catch (error) {
      return Promise.reject(error);
    }
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (!this.isOpen) return rejected(poolClosed());
    const lease = this.tryBorrow();
    return lease === null ? this.waitInLine(timeout, signal) : Promise.resolve(lease);
  }

  private waitInLine(timeout: number, signal: AbortSignal | undefined): Promise<Lease<T>> {
    const trace = this.leaks === null ? null : this.leaks.trace(this.borrow);
    const waiter = new Waiter<T>(timeout, signal, trace);
    const standby = this.supply.down ? this.openStandby : null;
    (standby ?? this).join(waiter);
    return waiter.promise;
  }

  /** @internal A borrower waits here from now on. */
  join(waiter: Waiter<T>): void {
    const lease = this.tryBorrow();
    if (lease !== null) return waiter.resolve(lease);
    waiter.line = this;
    waiter.since = performance.now();
    this.stock.counters.waitCount++;
    this.line.push(waiter);
    this.settle();
  }

  /** @internal It gives up: aborted, or out of time. */
  left(waiter: Waiter<T>, timedOut: boolean): void {
    this.takeFromLine(waiter);
    if (timedOut) this.stock.counters.waitTimeouts++;
    this.settle();
  }

  private takeFromLine(waiter: Waiter<T>): Waiter<T> {
    this.line.remove(waiter);
    this.stock.counters.waitDuration += performance.now() - waiter.since;
    return waiter;
  }

  private lend(entry: Entry<T>, trace: string | null): Lease<T> {
    entry.uses++;
    this.stock.counters.borrowed++;
    if (trace !== null) this.leaks?.lent(entry, trace);
    return new Lease(entry);
  }

  private async warmUp(count: number): Promise<number> {
    if (!this.isOpen) throw poolClosed();
    await this.supply.warmUp(count);
    return this.stock.idle.size;
  }

  private get isOpen(): boolean {
    return !this.closed && this.draining === null;
  }

  private get openStandby(): Pool<T, unknown> | null {
    const { standby } = this.config;
    return standby?.isOpen === true ? standby : null;
  }

  // Connections.

  /** @internal A borrower is done with it. */
  takeBack(entry: Entry<T>): void {
    if (this.leaks !== null) this.leaks.returned(entry);
    if (entry.gone) return;
    const reason = this.stock.spent(entry);
    if (reason !== null) this.discard(entry, reason);
    else if (this.hooks.onReturn) this.checkReturned(entry);
    else this.free(entry);
  }

  /** @internal A borrower wants it closed. */
  takeAway(entry: Entry<T>): void {
    this.leaks?.returned(entry);
    if (!entry.gone) this.discard(entry, 'discarded');
  }

  /** @internal Something happened to it while nobody had it. */
  disturbed(entry: Entry<T>, why: Disturbance): void {
    if (entry.list !== null) this.expire(entry, why);
  }

  private expire(entry: Entry<T>, reason: DiscardReason): void {
    this.stock.leave(entry);
    this.discard(entry, reason);
  }

  // The hooks are not asked about what is closed, or still in use.
  private checkReturned(entry: Entry<T>): void {
    const verdict = entry.fault(false) ?? this.hooks.returned(entry.conn);
    if (verdict === null || typeof verdict === 'string') this.judged(entry, verdict);
    else void verdict.then((reason) => this.judged(entry, reason));
  }

  private judged(entry: Entry<T>, verdict: Verdict): void {
    if (entry.gone) return;
    if (verdict === null) this.free(entry);
    else this.discard(entry, verdict);
  }

  /** It was returned, and the hooks have nothing against it. */
  private free(entry: Entry<T>): void {
    if (this.line.size === 0) return this.putAway(entry, this.put(entry));
    const { validateOnBorrow, validateOnReturn } = this.config;
    if (validateOnBorrow && !validateOnReturn) void this.audit(entry);
    else this.handOver(entry);
  }

  /** The hooks have nothing against it. Meanwhile its peer may have. */
  private handOver(entry: Entry<T>): void {
    const fault = entry.fault(false);
    if (fault === null) this.offer(entry);
    else this.discard(entry, fault);
  }

  private offer(entry: Entry<T>): void {
    const waiter = this.line.oldest;
    if (waiter === null) return this.putAway(entry, this.put(entry));
    this.takeFromLine(waiter).resolve(this.lend(entry, waiter.trace));
    this.settle();
  }

  private put(entry: Entry<T>): DiscardReason | null {
    return this.isOpen ? this.stock.put(entry) : 'drained';
  }

  /** @param reason why it does not idle; null if it does */
  private putAway(entry: Entry<T>, reason: DiscardReason | null): void {
    if (reason !== null) this.discard(entry, reason);
  }

  private discard(entry: Entry<T>, reason: DiscardReason): void {
    this.stock.drop(entry, reason);
    if (entry.uses === 0 && IN_VAIN.has(reason)) this.supply.wasInVain();
    this.settle();
  }

  /** Asks before it is lent. */
  private async audit(entry: Entry<T>): Promise<void> {
    this.auditing++;
    const { validate } = this.config;
    const verdict = await (validate === undefined ? entry.fault(true) : this.hooks.validate(entry.conn));
    this.auditing--;
    if (entry.gone) return;
    if (verdict === null) this.handOver(entry);
    else this.discard(entry, verdict);
  }

  /** Asks now and then. */
  private async checkIdle(entry: Entry<T>): Promise<void> {
    this.stock.leave(entry);
    const verdict = await this.hooks.validate(entry.conn);
    if (entry.gone) return;
    if (verdict !== null) this.discard(entry, verdict);
    else if (this.line.size > 0) this.handOver(entry);
    else this.putAway(entry, this.isOpen ? this.stock.putBack(entry) : 'drained');
  }

  // Demand and supply.

  private settle(): void {
    if (this.closed) return;
    if (this.config.validateOnBorrow) this.auditForLine();
    this.supply.meetDemand();
    this.stayAlive();
    this.draining?.advance();
  }

  private auditForLine(): void {
    while (this.line.size > this.auditing) {
      const entry = this.stock.take();
      if (entry === null) return;
      void this.audit(entry);
    }
  }

  // A borrower is told where those connections that are still being made are too few for all.
  private connectFailed(error: unknown, short: boolean): void {
    const waiter = this.line.oldest;
    if (short && waiter !== null) this.turnAway(this.takeFromLine(waiter), error);
    this.settle();
  }

  private turnAway(waiter: Waiter<T>, error: unknown): void {
    const { openStandby } = this;
    if (openStandby === null) waiter.fail(error);
    else openStandby.join(waiter);
  }

  // The end.

  private startDraining(timeout: number): Draining {
    const { stock, supply, line } = this;
    supply.stopRefilling();
    stock.dropIdle();
    const draining = new Draining(this, timeout, stock, () => stock.all.size + line.size === 0);
    this.draining = draining;
    this.settle();
    return draining;
  }

  // A borrower that waits is a pending call.
  private stayAlive(): void {
    if (this.line.size > 0) this.alive ??= keepAlive();
    else if (this.alive !== null) {
      clearInterval(this.alive);
      this.alive = null;
    }
  }
}
