// The connections that a pool has open, and which of them idle: the one that was used last goes first.

import { closeQuietly } from './connector';
import { type Destination, Entry, type Keeper } from './entry';
import { Expiry } from './expiry';
import { List } from './list';
import type { Config, Poolable } from './options';
import { Counters, type DiscardReason } from './stats';

type Limits = 'maxIdle' | 'maxUses' | 'idleTimeout' | 'maxLifetime' | 'lifetimeJitter';

export class Stock<T extends Poolable> {
  readonly all = new Set<Entry<T>>();
  readonly idle = new List<Entry<T>>();
  readonly counters = new Counters();
  /** How many were closed. */
  gone = 0;
  private readonly expiry: Expiry<T> | null;

  constructor(
    private readonly config: Pick<Config<T, unknown>, Limits>,
    private readonly keeper: Keeper<T>,
    expire: (entry: Entry<T>, reason: DiscardReason) => void,
  ) {
    const { idleTimeout, maxLifetime } = config;
    const timed = Math.min(idleTimeout, maxLifetime) < Number.POSITIVE_INFINITY;
    this.expiry = timed ? new Expiry(this.idle, idleTimeout, expire) : null;
  }

  add(conn: T, destination: Destination): Entry<T> {
    const { maxLifetime, lifetimeJitter } = this.config;
    const now = performance.now();
    const expiresAt = now + maxLifetime * (1 - lifetimeJitter * Math.random());
    const entry = new Entry(this.keeper, conn, destination, now, expiresAt);
    this.all.add(entry);
    this.counters.connects++;
    return entry;
  }

  /** An idle connection, which idles no longer. Those whose time is up are closed on the way. */
  take(): Entry<T> | null {
    for (let entry = this.idle.newest; entry !== null; entry = this.idle.newest) {
      const reason = this.expiry === null ? null : entry.outdated(performance.now(), this.config.idleTimeout);
      this.leave(entry);
      if (reason === null) return entry;
      this.drop(entry, reason);
    }
    return null;
  }

  /** It idles no longer. */
  leave(entry: Entry<T>): void {
    this.idle.remove(entry);
    entry.rest.end();
  }

  /** It idles from now on; or why it cannot. */
  put(entry: Entry<T>): DiscardReason | null {
    return this.putBehind(this.idle.newest, entry);
  }

  /** The same for one that was away without being used: to where it was. */
  putBack(entry: Entry<T>): DiscardReason | null {
    let older: Entry<T> | null = null;
    for (const other of this.idle) {
      if (other.idleSince > entry.idleSince) break;
      older = other;
    }
    return this.putBehind(older, entry);
  }

  private putBehind(older: Entry<T> | null, entry: Entry<T>): DiscardReason | null {
    if (this.idle.size >= this.config.maxIdle) return 'maxIdle';
    const fault = entry.rest.begin(false);
    if (fault !== null) return fault;
    this.idle.insertAfter(older, entry);
    this.expiry?.watch(entry);
    return null;
  }

  /** It was returned. Why it must not be used again, by its age and its uses. */
  spent(entry: Entry<T>): DiscardReason | null {
    if (entry.uses >= this.config.maxUses) return 'maxUses';
    if (this.expiry === null) return null;
    entry.idleSince = performance.now();
    return entry.idleSince >= entry.expiresAt ? 'maxLifetime' : null;
  }

  /** Closes one that does not idle. */
  drop(entry: Entry<T>, reason: DiscardReason): void {
    entry.gone = true;
    entry.destination.open--;
    this.all.delete(entry);
    this.gone++;
    this.counters.discarded[reason]++;
    closeQuietly(entry.conn);
  }

  /** Closes those that idle. */
  dropIdle(): void {
    for (const entry of this.idle) {
      this.leave(entry);
      this.drop(entry, 'drained');
    }
    this.expiry?.stop();
  }
}
