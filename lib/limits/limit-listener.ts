// limitListener(): so many connections at a time, and the others wait in the kernel's queue.

import { inspect } from 'node:util';
import type { Addr } from '../addr';
import { checkFunction, checkInteger, checkObject, signalOf } from '../check';
import type { CallOptions, Conn } from '../conn';
import type { Deadline } from '../deadline';
import { ErrBusy, ErrClosed, ErrDeadlineExceeded, OpError } from '../errors';
import { untilClosed } from '../iterating';
import { keepAlive } from '../lifetime';
import { type Listener, takenByServer } from '../listener';
import { advanced, checked, joined, Pending, rejected, without } from '../pending';
import { DeadlineTimer } from '../timer';
import { whenClosed } from './when-closed';

/**
 * A listener that has at most n accepted connections open at a time (x/net's netutil.LimitListener).
 * While there are n, accept() waits until one of them is closed here; that its peer hangs up is not
 * enough. Who connects meanwhile is connected by the kernel and waits in its queue, up to the backlog.
 *
 * Connections are those of the listener that is wrapped, unchanged. A connection that is collected
 * while open counts as closed. serve() on this listener takes connections one at a time.
 */
export function limitListener<C extends Conn>(listener: Listener<C>, n: number): Listener<C> {
  checkObject('listener', listener);
  checkFunction('listener.accept', (listener as Partial<Listener>).accept);
  checkInteger('n', n, 1, Number.MAX_SAFE_INTEGER);
  return new LimitListener(listener, n);
}

/** A call that waits for one of the n places. */
class PendingPlace extends Pending<void> {}

class LimitListener<C extends Conn> implements Listener<C> {
  private taken = 0;
  private places: PendingPlace | null = null;
  private closed = false;
  /** A server takes all connections. */
  private served = false;
  /** Calls of accept() that have not settled. */
  private accepting = 0;
  private referenced = true;
  private alive: NodeJS.Timeout | null = null;
  private readonly timer = new DeadlineTimer(() => this.failPlaces(ErrDeadlineExceeded));

  constructor(
    private readonly inner: Listener<C>,
    private readonly n: number,
  ) {}

  get addr(): Addr {
    return this.inner.addr;
  }

  accept(options: CallOptions = {}): Promise<C> {
    return checked(
      () => void signalOf(options),
      () => this.acceptOne(options, this.served),
    );
  }

  /** @internal From serve(): all connections go to the server, until the listener closes. */
  [takenByServer](): AsyncIterable<C> {
    if (this.served || this.accepting > 0) throw this.error(ErrBusy);
    this.served = true;
    return this.connections();
  }

  private async *connections(): AsyncGenerator<C, undefined> {
    try {
      yield* untilClosed(
        () => this.acceptOne({}, false),
        () => this.closed,
      );
    } finally {
      this.served = false;
    }
  }

  private acceptOne(options: CallOptions, busy: boolean): Promise<C> {
    if (options.signal?.aborted === true) return Promise.reject(options.signal.reason);
    if (this.closed) return rejected(this.error(ErrClosed));
    if (busy) return rejected(this.error(ErrBusy));
    this.accepting++;
    return this.acceptWithin(options).finally(() => {
      this.accepting--;
    });
  }

  private acceptWithin(options: CallOptions): Promise<C> {
    if (this.taken < this.n) {
      this.taken++;
      return this.acceptInPlace(options);
    }
    if (this.timer.passed) return rejected(this.error(ErrDeadlineExceeded));
    return this.waitForPlace(options.signal).then(() => this.acceptInPlace(options));
  }

  private async acceptInPlace(options: CallOptions): Promise<C> {
    try {
      const conn = await this.inner.accept(options);
      whenClosed(conn, () => this.leave());
      return conn;
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  private waitForPlace(signal: AbortSignal | undefined): Promise<void> {
    const call = new PendingPlace();
    this.places = joined(this.places, call);
    if (signal !== undefined) {
      call.abortOn(signal, () => {
        this.places = without(this.places, call);
        this.settle();
      });
    }
    this.settle();
    return call.promise;
  }

  /** A place is free: it goes to the first who waits for one. */
  private leave(): void {
    const first = this.places;
    if (first === null) {
      this.taken--;
      return;
    }
    this.places = advanced(first);
    first.resolve();
    this.settle();
  }

  private failPlaces(cause: Error): void {
    const first = this.places;
    this.places = null;
    for (let call = first; call !== null; call = call.next) call.fail(this.error(cause));
    this.settle();
  }

  // A call that waits for a place keeps the process alive, as one that waits for a client does.
  private settle(): void {
    const waiting = this.places !== null;
    this.timer.wait(waiting);
    if (waiting && this.referenced) this.alive ??= keepAlive();
    else clearInterval(this.alive ?? undefined);
    if (!waiting || !this.referenced) this.alive = null;
  }

  private error(cause: Error): OpError {
    const { net = this.addr.network } = this.inner as { net?: string };
    return new OpError('accept', net, null, this.addr, cause);
  }

  close(): boolean {
    const closed = this.inner.close();
    this.closed = true;
    this.failPlaces(ErrClosed);
    return closed;
  }

  setDeadline(t: Deadline): void {
    this.inner.setDeadline(t);
    if (this.timer.set(t)) this.failPlaces(ErrDeadlineExceeded);
  }

  ref(): this {
    this.inner.ref();
    return this.reference(true);
  }

  unref(): this {
    this.inner.unref();
    return this.reference(false);
  }

  private reference(on: boolean): this {
    this.referenced = on;
    this.timer.ref(on);
    this.settle();
    return this;
  }

  [Symbol.asyncIterator](): AsyncGenerator<C, undefined> {
    return untilClosed(
      () => this.accept(),
      () => this.closed,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](): string {
    return `LimitListener { ${this.addr}, ${this.closed ? 'closed' : 'listening'}, ${this.taken} of ${this.n} }`;
  }
}
