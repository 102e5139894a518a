// Random borrowing, returning, failing and closing: what must hold holds after each step.

import { type Lease, Pool } from 'spliceway/pool';
import { expect, test } from 'vitest';
import { turns } from '../support/time.ts';
import { Thing } from './support.ts';

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A pool, its connections and its borrowers, all of them acting at random. */
class World {
  readonly made: Thing[] = [];
  readonly lent = new Map<Thing, Lease<Thing>>();
  readonly waiting: number[] = [];
  readonly pool: Pool<Thing>;
  readonly maxOpen: number;
  readonly validatesOnBorrow: boolean;
  private readonly aborts = new Map<number, AbortController>();
  private borrowers = 0;

  constructor(private readonly random: () => number) {
    this.maxOpen = 1 + this.upTo(6);
    this.validatesOnBorrow = this.random() < 0.3;
    const maxIdle = this.upTo(this.maxOpen + 2);
    this.pool = new Pool({
      connect: () => this.connect(),
      validate: (thing) => this.answer(thing),
      reset: (thing) => void this.answer(thing),
      maxOpen: this.maxOpen,
      maxIdle,
      minIdle: this.upTo(Math.min(maxIdle, this.maxOpen) + 1),
      maxUses: 1 + this.upTo(20),
      validateOnBorrow: this.validatesOnBorrow,
      validateOnReturn: this.random() < 0.7,
    });
  }

  upTo(n: number): number {
    return Math.floor(this.random() * n);
  }

  private async pause(): Promise<void> {
    for (let i = this.upTo(4); i > 0; i--) await null;
  }

  private async connect(): Promise<Thing> {
    await this.pause();
    if (this.random() < 0.2) throw new Error('refused');
    const thing = new Thing(this.made.length);
    this.made.push(thing);
    expect(this.made.filter(({ closed }) => closed === 0).length).toBeLessThanOrEqual(this.maxOpen);
    return thing;
  }

  private answer(thing: Thing): boolean | Promise<boolean> {
    expect(this.lent.has(thing)).toBe(false);
    expect(thing.closed).toBe(0);
    const good = this.random() > 0.1;
    return this.random() < 0.5 ? good : this.pause().then(() => good);
  }

  private borrow(): void {
    const borrower = this.borrowers++;
    const abort = new AbortController();
    this.aborts.set(borrower, abort);
    this.waiting.push(borrower);
    const options = this.random() < 0.5 ? undefined : { signal: abort.signal };
    if (options === undefined) this.aborts.delete(borrower);
    this.pool.borrow(options).then(
      (lease) => this.served(borrower, lease),
      () => this.gone(borrower),
    );
  }

  private served(borrower: number, lease: Lease<Thing>): void {
    // Those who came before were served, or have given up.
    expect(this.waiting[0]).toBe(borrower);
    this.gone(borrower);
    expect(this.lent.has(lease.conn)).toBe(false);
    if (!this.ended) expect(lease.conn.closed).toBe(0);
    this.lent.set(lease.conn, lease);
  }

  private gone(borrower: number): void {
    this.waiting.splice(this.waiting.indexOf(borrower), 1);
    this.aborts.delete(borrower);
  }

  ended = false;

  step(): void {
    const [lease] = [...this.lent.values()].slice(this.upTo(this.lent.size));
    const dice = this.random();
    if (dice < 0.45) this.borrow();
    else if (dice < 0.55) [...this.aborts.values()][this.upTo(this.aborts.size)]?.abort(new Error('enough'));
    else if (lease !== undefined) {
      this.lent.delete(lease.conn);
      expect(dice < 0.9 ? lease.release() : lease.discard()).toBe(true);
      expect(lease.release()).toBe(false);
    }
  }

  check(): void {
    const { open, idle, inUse, connecting, waiting } = this.pool.stats();
    expect(open + connecting).toBeLessThanOrEqual(this.maxOpen);
    expect(open).toBe(idle + inUse);
    if (waiting > 0 && !this.validatesOnBorrow) expect(idle).toBe(0);
    expect(inUse).toBeGreaterThanOrEqual(this.lent.size);
    const openThings = this.made.filter(({ closed }) => closed === 0).length;
    expect(open).toBeLessThanOrEqual(openThings + connecting);
  }

  async end(): Promise<void> {
    this.ended = true;
    for (const lease of this.lent.values()) lease.release();
    this.lent.clear();
    this.pool.close();
    await turns();
    expect(this.made.map(({ closed }) => closed)).toEqual(this.made.map(() => 1));
    expect(this.waiting).toEqual([]);
    const { discarded, connects, ...now } = this.pool.stats();
    expect(now).toMatchObject({ open: 0, idle: 0, inUse: 0, connecting: 0, waiting: 0 });
    expect(Object.values(discarded).reduce((a, b) => a + b)).toBe(connects);
    expect(this.pool.health()).toMatchObject([{ open: 0 }]);
  }
}

test.each(Array.from({ length: 60 }, (_, i) => i + 1))('run %i', async (seed) => {
  const random = randomFrom(seed);
  const world = new World(random);
  for (let i = 0; i < 400; i++) {
    world.step();
    world.check();
    if (random() < 0.5) await null;
    if (random() < 0.02) await turns();
  }
  await world.end();
});
