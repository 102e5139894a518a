// A drain() under way.

import { Closing } from '../closing';

/** What came of the connections that were lent when a drain began, or after it. */
export interface DrainResult {
  /** Returned in time. */
  finished: number;
  /** Closed when the time was up. */
  forced: number;
}

export class Draining extends Closing {
  private readonly before: number;
  private forced = 0;

  constructor(
    private readonly pool: { close(): boolean },
    timeout: number,
    private readonly stock: { readonly gone: number },
    private readonly isEmpty: () => boolean,
  ) {
    super(pool, timeout);
    this.before = stock.gone;
  }

  advance(): void {
    if (this.isEmpty()) this.pool.close();
  }

  /** So many are to be closed now. */
  force(lent: number): void {
    this.forced = lent;
  }

  get result(): DrainResult {
    return { finished: this.stock.gone - this.before - this.forced, forced: this.forced };
  }
}
