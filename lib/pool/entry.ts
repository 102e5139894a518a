// A connection of a pool, with what the pool knows of it.

import { type Disturbance, type Rest, type Resting, restOf } from '../resting';
import type { List, Member } from './list';
import type { DiscardReason } from './stats';

/** Whoever lends connections. */
export interface Keeper<T> {
  /** The borrower is done with it. */
  takeBack(entry: Entry<T>): void;
  /** The borrower wants it closed. */
  takeAway(entry: Entry<T>): void;
  /** Something happened to it while nobody had it. */
  disturbed(entry: Entry<T>, why: Disturbance): void;
}

/** Where connections lead to: how many are open there, or being made. */
export interface Destination {
  open: number;
}

/** In a list exactly while it idles. */
export class Entry<T> implements Member<Entry<T>> {
  list: List<Entry<T>> | null = null;
  older: Entry<T> | null = null;
  newer: Entry<T> | null = null;
  readonly rest: Rest;
  uses = 0;
  /** The pool has closed it. */
  gone = false;
  /** Rings when it should have been returned. */
  leakTimer: NodeJS.Timeout | null = null;

  /**
   * @param idleSince when it was made or last returned, on the clock of performance.now()
   * @param expiresAt on the same clock
   */
  constructor(
    readonly keeper: Keeper<T>,
    readonly conn: T,
    readonly destination: Destination,
    public idleSince: number,
    readonly expiresAt: number,
  ) {
    this.rest = this.makeRest((why) => keeper.disturbed(this, why));
  }

  /** Why it idles no longer, by the clock. */
  outdated(now: number, idleTimeout: number): DiscardReason | null {
    if (now >= this.expiresAt) return 'maxLifetime';
    return now >= this.idleSince + idleTimeout ? 'idleTimeout' : null;
  }

  /** Why another user could not take it as it is, if so; `ask` asks the kernel. */
  fault(ask: boolean): Disturbance | null {
    const why = this.rest.begin(ask);
    if (why === null) this.rest.end();
    return why;
  }

  private makeRest(disturbed: (why: Disturbance) => void): Rest {
    const resting = this.conn as Partial<Resting>;
    return resting[restOf]?.(disturbed) ?? new PlainRest(this.conn as { state?: unknown });
  }
}

const FAULTS: Readonly<Record<string, Disturbance>> = {
  closed: 'closed',
  closing: 'closed',
  readExpired: 'deadline',
  writeExpired: 'deadline',
};

/** Of a connection that tells nobody what happens to it. As far as it has a Conn's state, that is asked. */
class PlainRest implements Rest {
  constructor(private readonly conn: { state?: unknown }) {}

  begin(): Disturbance | null {
    const { state } = this.conn;
    return typeof state === 'string' ? (FAULTS[state] ?? null) : null;
  }

  end(): void {}
}
