// What a pool does by the clock, on a clock that the tests move.

import { type LeakReport, Pool } from 'spliceway/pool';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { caught } from '../support/caught.ts';
import { deferred, Thing, thingPool } from './support.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('waiting', () => {
  test('ends after the timeout, of the call or of the pool', async () => {
    const { pool } = thingPool({ maxOpen: 1, borrowTimeout: 100 });
    const lease = await pool.borrow();
    const errors: unknown[] = [];
    pool.borrow().catch((error) => errors.push(error));
    pool.borrow({ timeout: 50 }).catch((error) => errors.push(error));
    await pass(49);
    expect(errors).toEqual([]);
    await pass(1);
    expect(errors.length).toBe(1);
    await pass(50);
    expect(errors).toMatchObject([
      { code: 'ERR_SPLICEWAY_POOL_TIMEOUT', timeout: true, message: 'no connection within 50 ms' },
      { code: 'ERR_SPLICEWAY_POOL_TIMEOUT', timeout: true, message: 'no connection within 100 ms' },
    ]);
    const patient = pool.borrow({ timeout: Number.POSITIVE_INFINITY });
    await pass(1e6);
    lease.release();
    expect((await patient).conn).toBe(lease.conn);
    expect(pool.stats()).toMatchObject({ waitTimeouts: 2, waiting: 0 });
  });

  test('is counted', async () => {
    const { pool } = thingPool({ maxOpen: 1 });
    const lease = await pool.borrow();
    const before = pool.stats();
    const waiting = pool.borrow();
    await pass(250);
    lease.release();
    await waiting;
    const { waitCount, waitDuration } = pool.stats();
    expect([waitCount - before.waitCount, waitDuration - before.waitDuration]).toEqual([1, 250]);
  });
});

describe('connect()', () => {
  test('has connectTimeout; what comes later is closed', async () => {
    const slow = deferred<Thing>();
    let told: AbortSignal | undefined;
    const pool = new Pool<Thing>({
      connectTimeout: 100,
      connect({ signal }) {
        told = signal;
        return slow.promise;
      },
    });
    const error = caught(pool.borrow());
    await pass(100);
    expect(await error).toMatchObject({ code: 'ERR_SPLICEWAY_POOL_TIMEOUT', timeout: true });
    expect(told?.reason).toBe(await error);
    const thing = new Thing(0);
    slow.resolve(thing);
    await pass(0);
    expect(thing.closed).toBe(1);
    expect(pool.stats()).toMatchObject({ open: 0, connecting: 0, connectErrors: 1 });
  });

  test('for minIdle is repeated, later and later', async () => {
    let calls = 0;
    const pool = new Pool<Thing>({
      minIdle: 1,
      connect: () => {
        calls++;
        throw new Error('down');
      },
    });
    const callsAfter = async (ms: number) => {
      await pass(ms);
      return calls;
    };
    expect(await callsAfter(0)).toBe(1);
    expect(await callsAfter(99)).toBe(1);
    expect(await callsAfter(1)).toBe(2);
    expect(await callsAfter(199)).toBe(2);
    expect(await callsAfter(1)).toBe(3);
    await pass(600_000);
    expect(calls).toBeLessThan(40);
    pool.close();
    expect(await callsAfter(600_000)).toBe(calls);
  });

  test('for minIdle waits after connections that nobody could use', async () => {
    let made = 0;
    const pool = new Pool({
      minIdle: 1,
      connect: () => {
        made++;
        return { close() {}, state: 'closed' };
      },
    });
    await pass(1000);
    expect(made).toBeLessThan(6);
    expect(pool.stats().discarded.closed).toBe(made);
  });
});

describe('age', () => {
  test('idleTimeout closes what idles, the longest first', async () => {
    const { pool, made } = thingPool({ idleTimeout: 1000 });
    const leases = await Promise.all([pool.borrow(), pool.borrow()]);
    leases[0]?.release();
    await pass(400);
    leases[1]?.release();
    await pass(599);
    expect(made.map(({ closed }) => closed)).toEqual([0, 0]);
    await pass(1);
    expect(made.map(({ closed }) => closed)).toEqual([1, 0]);
    await pass(400);
    expect(made.map(({ closed }) => closed)).toEqual([1, 1]);
    expect(pool.stats()).toMatchObject({ open: 0, idle: 0, discarded: { idleTimeout: 2 } });
  });

  test('idleTimeout spares what is used now and then', async () => {
    const { pool, made } = thingPool({ idleTimeout: 1000 });
    for (let i = 0; i < 5; i++) {
      (await pool.borrow()).release();
      await pass(900);
    }
    expect(made.length).toBe(1);
  });

  test('a connection whose time is up is not lent, though the timer be late', async () => {
    const { pool, made } = thingPool({ idleTimeout: 1000 });
    (await pool.borrow()).release();
    const now = performance.now();
    vi.spyOn(performance, 'now').mockReturnValue(now + 1000);
    expect((await pool.borrow()).conn).toBe(made[1]);
    expect(pool.stats().discarded.idleTimeout).toBe(1);
    vi.restoreAllMocks();
  });

  test('idleTimeout is for those of minIdle too, which are replaced', async () => {
    const { pool, made } = thingPool({ idleTimeout: 1000, minIdle: 2 });
    await pass(1000);
    expect(made.map(({ closed }) => closed)).toEqual([1, 1, 0, 0]);
    expect(pool.stats()).toMatchObject({ open: 2, idle: 2 });
    pool.close();
  });

  test('maxLifetime closes what idles, and what is returned later', async () => {
    const { pool, made } = thingPool({ maxLifetime: 1000, lifetimeJitter: 0 });
    const [idle, lent] = await Promise.all([pool.borrow(), pool.borrow()]);
    idle.release();
    await pass(999);
    expect(made.map(({ closed }) => closed)).toEqual([0, 0]);
    await pass(1);
    expect(made.map(({ closed }) => closed)).toEqual([1, 0]);
    lent.release();
    expect(made.map(({ closed }) => closed)).toEqual([1, 1]);
    expect(pool.stats().discarded.maxLifetime).toBe(2);
  });

  test('lifetimeJitter spreads the ends of connections of one age', async () => {
    const { pool, made } = thingPool({ maxLifetime: 1000, lifetimeJitter: 0.5 });
    await pool.prewarm(100);
    const closed = () => made.filter((thing) => thing.closed > 0).length;
    await pass(499);
    expect(closed()).toBe(0);
    await pass(251);
    const half = closed();
    expect(half).toBeGreaterThan(15);
    expect(half).toBeLessThan(85);
    await pass(250);
    expect(closed()).toBe(100);
  });
});

describe('checks', () => {
  test('a hook that takes longer than checkTimeout has said no', async () => {
    const { pool, made } = thingPool({ validate: () => new Promise(() => {}), checkTimeout: 100 });
    (await pool.borrow()).release();
    await pass(99);
    expect(made[0]?.closed).toBe(0);
    await pass(1);
    expect(made[0]?.closed).toBe(1);
    expect(pool.stats().discarded.invalid).toBe(1);
  });

  test('idle connections are validated every healthCheckInterval, a part of them at a time', async () => {
    const bad = new Set([0, 5]);
    let atOnce = 0;
    let most = 0;
    const { pool } = thingPool({
      healthCheckInterval: 1000,
      validate: async (thing) => {
        most = Math.max(most, ++atOnce);
        await new Promise((resolve) => setTimeout(resolve, 10));
        atOnce--;
        return !bad.has(thing.n);
      },
    });
    await pool.prewarm(8);
    await pass(999);
    expect(pool.stats().open).toBe(8);
    await pass(1);
    expect(pool.stats()).toMatchObject({ idle: 6, inUse: 2 });
    await pass(50);
    expect(pool.stats()).toMatchObject({ open: 6, idle: 6, discarded: { invalid: 2 } });
    expect(most).toBe(2);
    bad.add(7);
    await pass(1100);
    expect(pool.stats()).toMatchObject({ open: 5, discarded: { invalid: 3 } });
    pool.close();
    await pass(10_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a health check is no use: order and age stay, and a borrower who waits is served by what was checked', async () => {
    const checking = [deferred<boolean>(), deferred<boolean>()];
    let asked = 0;
    const { pool, made } = thingPool({
      maxOpen: 2,
      idleTimeout: 3000,
      healthCheckInterval: 2000,
      validateOnReturn: false,
      validate: () => (checking[asked++] as ReturnType<typeof deferred<boolean>>).promise,
    });
    const leases = await Promise.all([pool.borrow(), pool.borrow()]);
    leases[0]?.release();
    await pass(1500);
    leases[1]?.release();
    await pass(500);
    expect(pool.stats()).toMatchObject({ idle: 1, inUse: 1 });
    const newer = await pool.borrow();
    expect(newer.conn).toBe(made[1]);
    newer.release();
    checking[0]?.resolve(true);
    await pass(0);
    expect(pool.stats()).toMatchObject({ idle: 1, inUse: 1 });
    const first = await pool.borrow();
    expect(first.conn).toBe(made[0]);
    const waiting = pool.borrow();
    checking[1]?.resolve(true);
    expect((await waiting).conn).toBe(made[1]);
    expect(asked).toBe(2);
  });
});

describe('leaks', () => {
  test('are reported with the stack of the borrower', async () => {
    const reports: LeakReport<Thing>[] = [];
    const { pool, made } = thingPool({ leakTimeout: 1000, maxOpen: 1, onLeak: (report) => reports.push(report) });
    async function forgetful() {
      return pool.borrow();
    }
    async function waitsAndForgets() {
      return pool.borrow();
    }
    const lease = await forgetful();
    const waiting = waitsAndForgets();
    await pass(999);
    expect(reports).toEqual([]);
    await pass(1);
    expect(reports).toMatchObject([{ conn: made[0], heldFor: 1000 }]);
    expect(reports[0]?.stack).toMatch(/^\s+at .*forgetful/m);
    expect(reports[0]?.stack).toContain('time.test.ts');
    lease.release();
    const second = await waiting;
    await pass(1000);
    expect(reports[1]?.stack).toMatch(/waitsAndForgets/);
    second.discard();
    (await pool.borrow()).release();
    await pass(5000);
    expect(reports.length).toBe(2);
    expect(pool.stats().leaks).toBe(2);
  });

  test('are warned of where nobody is told', async () => {
    const warned: Error[] = [];
    const listen = (warning: Error) => warned.push(warning);
    process.on('warning', listen);
    const { pool } = thingPool({ leakTimeout: 100 });
    await pool.borrow();
    await pass(100);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    expect(warned).toMatchObject([{ name: 'SplicewayWarning', code: 'SPLICEWAY_POOL_LEAK' }]);
    expect(warned[0]?.message).toContain('time.test.ts');
  });
});

test('a pool that is closed reports no leaks', async () => {
  const reports: unknown[] = [];
  const { pool } = thingPool({ leakTimeout: 100, onLeak: (report) => reports.push(report) });
  await pool.borrow();
  pool.close();
  await pass(1000);
  expect(reports).toEqual([]);
});

test('drain() closes what is lent when its time is up', async () => {
  const { pool, made } = thingPool();
  const leases = await Promise.all([pool.borrow(), pool.borrow(), pool.borrow()]);
  const draining = pool.drain({ timeout: 300 });
  leases[0]?.release();
  await pass(299);
  expect(made.map(({ closed }) => closed)).toEqual([1, 0, 0]);
  await pass(1);
  expect(await draining).toEqual({ finished: 1, forced: 2 });
  expect(made.map(({ closed }) => closed)).toEqual([1, 1, 1]);
  expect(leases[1]?.release()).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});
