// Calls that wait: a borrower's, and a use() of a connection.

import { isOfNetwork } from '../calling';
import { MAX_TIMER } from '../deadline';
import { Pending } from '../pending';
import { PoolError, timedOut } from './errors';
import type { Lease } from './lease';
import type { List, Member } from './list';

/** The pool that a borrower waits for. */
export interface Line<T> {
  /** The borrower, who is in line, gives up. */
  left(waiter: Waiter<T>, timedOut: boolean): void;
}

/** In a list exactly while it waits. */
export class Waiter<T> extends Pending<Lease<T>> implements Member<Waiter<T>> {
  list: List<Waiter<T>> | null = null;
  older: Waiter<T> | null = null;
  newer: Waiter<T> | null = null;
  /** When it joined the line that it is in. */
  since = 0;
  line!: Line<T>;
  private timer: NodeJS.Timeout | null = null;

  /** @param trace where the call was made, for reports of leaks */
  constructor(
    readonly timeout: number,
    signal: AbortSignal | undefined,
    readonly trace: string | null,
  ) {
    super();
    if (signal !== undefined) this.abortOn(signal, () => this.line.left(this, false));
    if (timeout <= MAX_TIMER) this.timer = setTimeout(() => this.expire(), Math.ceil(timeout));
  }

  override resolve(lease: Lease<T>): void {
    this.stop();
    super.resolve(lease);
  }

  override abort(reason: unknown): void {
    this.stop();
    super.abort(reason);
  }

  private expire(): void {
    this.line.left(this, true);
    this.fail(timedOut('no connection', this.timeout));
  }

  private stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}

/** A use() that is not through. */
export class PendingUse<R> extends Pending<R> {
  /** What the network does to it is no mistake of the caller's. */
  endWith(error: unknown): void {
    if (isOfNetwork(error) || error instanceof PoolError) this.fail(error);
    else this.abort(error);
  }
}
