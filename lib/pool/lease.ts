// A connection that is lent.

import type { Entry } from './entry';

/** A connection on loan. `using` returns it at the end of the block. */
export class Lease<T> implements Disposable {
  /** The connection itself. It is somebody else's once the lease is over. */
  readonly conn: T;
  private entry: Entry<T> | null;

  /** @internal */
  constructor(entry: Entry<T>) {
    this.conn = entry.conn;
    this.entry = entry;
  }

  /**
   * Returns the connection, which is then ready for the next borrower. One that is not fit for another
   * is closed. True for the call that ended the lease. Never throws.
   */
  release(): boolean {
    const entry = this.over();
    entry?.keeper.takeBack(entry);
    return entry !== null;
  }

  /** Has the connection closed: for one whose exchange was cut short. True for the call that ended the lease. */
  discard(): boolean {
    const entry = this.over();
    entry?.keeper.takeAway(entry);
    return entry !== null;
  }

  /** release() */
  [Symbol.dispose](): void {
    this.release();
  }

  private over(): Entry<T> | null {
    const { entry } = this;
    this.entry = null;
    return entry;
  }
}
