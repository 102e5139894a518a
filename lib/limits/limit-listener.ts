// limitListener(): so many connections at a time, and the others wait in the kernel's queue.

import { inspect } from 'node:util';
import { checkFunction, checkInteger, checkObject, signalOf } from '../check';
import type { CallOptions, Conn } from '../conn';
import type { Deadline } from '../deadline';
import { ErrBusy, ErrClosed, ErrDeadlineExceeded } from '../errors';
import { untilClosed } from '../iterating';
import { keepAlive } from '../lifetime';
import { type Listener, takenByServer } from '../listener';
import { ListenerWrapper } from '../listener-wrapper';
import { checked, rejected } from '../pending';
import { whenClosed } from '../when-closed';

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

/** Calls in line wait for one of the n places. */
class LimitListener<C extends Conn> extends ListenerWrapper<C, void> {
  private taken = 0;
  /** A server takes all connections. */
  private served = false;
  /** Calls of accept() that have not settled. */
  private accepting = 0;
  private alive: NodeJS.Timeout | null = null;

  constructor(
    inner: Listener<C>,
    private readonly n: number,
  ) {
    super(inner);
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
    return this.wait(options.signal).then(() => this.acceptInPlace(options));
  }

  private async acceptInPlace(options: CallOptions): Promise<C> {
    try {
      const conn = await this.inner.accept(options);
      whenClosed(conn, () => this.placeFree());
      return conn;
    } catch (error) {
      this.placeFree();
      throw error;
    }
  }

  /** A place is free: it goes to the first who waits for one. */
  private placeFree(): void {
    if (!this.settleFirst((call) => call.resolve())) this.taken--;
  }

  // A call that waits for a place keeps the process alive, as one that waits for a client does.
  protected lineChanged(): void {
    const waiting = this.anyWaits;
    this.timer.wait(waiting);
    if (waiting && this.referenced) this.alive ??= keepAlive();
    else clearInterval(this.alive ?? undefined);
    if (!waiting || !this.referenced) this.alive = null;
  }

  setDeadline(t: Deadline): void {
    this.inner.setDeadline(t);
    if (this.timer.set(t)) this.failLine(ErrDeadlineExceeded);
  }

  protected override reference(on: boolean): void {
    super.reference(on);
    this.lineChanged();
  }

  [inspect.custom](): string {
    return `LimitListener { ${this.addr}, ${this.closed ? 'closed' : 'listening'}, ${this.taken} of ${this.n} }`;
  }
}
