// What a pool counts.

import type { Disturbance } from '../resting';

/**
 * Why the pool closed a connection.
 *
 * Its rules: `maxIdle`, `idleTimeout`, `maxLifetime`, `maxUses`; `drained`: the pool was drained or closed.
 * The hooks: `invalid`: validate() said no; `reset`: reset() failed. The borrower: `discarded`.
 * The connection, when it was returned or while it idled: `closed`, `busy`, `deadline`, `ended`, `failed`, `stray`.
 */
export type DiscardReason =
  | 'maxIdle'
  | 'idleTimeout'
  | 'maxLifetime'
  | 'maxUses'
  | 'drained'
  | 'invalid'
  | 'reset'
  | 'discarded'
  | Disturbance;

/** Figures of a pool, as Go's sql.DBStats has them. Counters grow for as long as the pool lives. */
export interface PoolStats {
  /** The most that may be open; Infinity where there is no limit. */
  readonly maxOpen: number;
  /** Connections that are open: those in use and those idle. */
  readonly open: number;
  /** Lent, or being checked. */
  readonly inUse: number;
  readonly idle: number;
  /** Being made, beside those that are open. Both together are never more than maxOpen. */
  readonly connecting: number;
  /** Borrowers that wait. */
  readonly waiting: number;

  /** How often a connection was lent. */
  readonly borrowed: number;
  /** How many borrowers had to wait, for a connection to be made or to be returned. */
  readonly waitCount: number;
  /** How long they have waited, all together, in milliseconds. */
  readonly waitDuration: number;
  /** How many of them gave up for their timeout. */
  readonly waitTimeouts: number;
  readonly connects: number;
  readonly connectErrors: number;
  /** Connections that were not returned in time; see `leakTimeout`. */
  readonly leaks: number;
  /** Connections that the pool has closed, by the reason. */
  readonly discarded: Readonly<Record<DiscardReason, number>>;
}

/** The counters among them. */
export class Counters {
  borrowed = 0;
  waitCount = 0;
  waitDuration = 0;
  waitTimeouts = 0;
  connects = 0;
  connectErrors = 0;
  leaks = 0;
  readonly discarded: Record<DiscardReason, number> = {
    maxIdle: 0,
    idleTimeout: 0,
    maxLifetime: 0,
    maxUses: 0,
    drained: 0,
    invalid: 0,
    reset: 0,
    discarded: 0,
    closed: 0,
    busy: 0,
    deadline: 0,
    ended: 0,
    failed: 0,
    stray: 0,
  };
}
