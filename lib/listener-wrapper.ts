// What listeners around another one share: a line of calls that wait here rather than below, with the
// deadline, the closing and the liveliness of accept().

import type { Addr } from './addr';
import type { CallOptions, Conn } from './conn';
import type { Deadline } from './deadline';
import { ErrClosed, ErrDeadlineExceeded, OpError } from './errors';
import { untilClosed } from './iterating';
import type { Listener } from './listener';
import { advanced, joined, Pending, without } from './pending';
import { DeadlineTimer } from './timer';

class Waiting<T> extends Pending<T> {}

/** @typeParam T what a call in line waits for */
export abstract class ListenerWrapper<C extends Conn, T, L extends Listener<C> = Listener<C>> implements Listener<C> {
  protected closed = false;
  protected referenced = true;
  protected readonly timer = new DeadlineTimer(() => this.failLine(ErrDeadlineExceeded));
  private line: Waiting<T> | null = null;

  constructor(readonly inner: L) {}

  abstract accept(options?: CallOptions): Promise<C>;
  abstract setDeadline(t: Deadline): void;
  /** After every change of the line. */
  protected abstract lineChanged(): void;

  get addr(): Addr {
    return this.inner.addr;
  }

  protected get anyWaits(): boolean {
    return this.line !== null;
  }

  /** Joins the line. */
  protected wait(signal: AbortSignal | undefined): Promise<T> {
    const call = new Waiting<T>();
    this.line = joined(this.line, call);
    if (signal !== undefined) call.abortOn(signal, () => this.leave(call));
    this.lineChanged();
    return call.promise;
  }

  private leave(call: Waiting<T>): void {
    this.line = without(this.line, call);
    this.lineChanged();
  }

  /** Settles the first in line; false where there is none. */
  protected settleFirst(settle: (call: Pending<T>) => void): boolean {
    const call = this.line;
    if (call === null) return false;
    this.line = advanced(call);
    settle(call);
    this.lineChanged();
    return true;
  }

  protected failLine(cause: Error): void {
    const first = this.line;
    this.line = null;
    for (let call = first; call !== null; call = call.next) call.fail(this.error(cause));
    this.lineChanged();
  }

  protected error(cause: Error): OpError {
    const { net = this.addr.network } = this.inner as { net?: string };
    return new OpError('accept', net, null, this.addr, cause);
  }

  close(): boolean {
    const closed = this.inner.close();
    this.closed = true;
    this.failLine(ErrClosed);
    return closed;
  }

  ref(): this {
    this.inner.ref();
    this.reference(true);
    return this;
  }

  unref(): this {
    this.inner.unref();
    this.reference(false);
    return this;
  }

  protected reference(on: boolean): void {
    this.referenced = on;
    this.timer.ref(on);
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
}
