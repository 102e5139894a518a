import { inspect } from 'node:util';
import { ErrClosed, OpError } from 'spliceway';
import { Pool, PoolError } from 'spliceway/pool';
import { describe, expect, test } from 'vitest';
import { caught } from '../support/caught.ts';
import { isPending, turns } from '../support/time.ts';
import { deferred, Thing, thingPool } from './support.ts';

const discarded = (pool: Pool<Thing>) =>
  Object.fromEntries(Object.entries(pool.stats().discarded).filter(([, count]) => count > 0));

describe('borrowing', () => {
  test('makes a connection where none idles, and uses those again that do', async () => {
    const { pool, made } = thingPool();
    const first = await pool.borrow();
    const second = await pool.borrow();
    expect(made).toEqual([first.conn, second.conn]);
    expect(first.release()).toBe(true);
    const third = await pool.borrow();
    expect(third.conn).toBe(first.conn);
    expect(pool.stats()).toMatchObject({ open: 2, inUse: 2, idle: 0, borrowed: 3, connects: 2 });
  });

  test('gives the one that was returned last', async () => {
    const { pool } = thingPool();
    const leases = await Promise.all([pool.borrow(), pool.borrow(), pool.borrow()]);
    for (const lease of leases) lease.release();
    const again = [await pool.borrow(), await pool.borrow(), await pool.borrow()];
    expect(again.map(({ conn }) => conn.n)).toEqual([2, 1, 0]);
  });

  test('tryBorrow() gives what idles, at once, or null', async () => {
    const { pool, made } = thingPool();
    expect(pool.tryBorrow()).toBeNull();
    expect(made).toEqual([]);
    (await pool.borrow()).release();
    const lease = pool.tryBorrow();
    expect(lease?.conn).toBe(made[0]);
    expect(pool.tryBorrow()).toBeNull();
  });

  test('a lease ends once, and one that is over does nothing to the next', async () => {
    const { pool } = thingPool({ maxOpen: 1 });
    const first = await pool.borrow();
    expect([first.release(), first.release(), first.discard()]).toEqual([true, false, false]);
    const second = await pool.borrow();
    first[Symbol.dispose]();
    expect(pool.stats()).toMatchObject({ inUse: 1, idle: 0 });
    expect(await isPending(pool.borrow())).toBe(true);
    expect(second.conn.closed).toBe(0);
  });

  test('using returns a connection', async () => {
    const { pool, made } = thingPool();
    {
      using lease = await pool.borrow();
      expect(pool.stats().inUse).toBe(1);
      expect(lease.conn).toBe(made[0]);
    }
    expect(pool.stats()).toMatchObject({ inUse: 0, idle: 1 });
  });

  test('use() returns the connection, and discards it when the function fails', async () => {
    const { pool, made } = thingPool();
    expect(await pool.use((thing) => thing.n + 1)).toBe(1);
    expect(pool.stats().idle).toBe(1);
    const reason = new Error('no');
    await expect(pool.use(() => Promise.reject(reason))).rejects.toBe(reason);
    expect(made[0]?.closed).toBe(1);
    expect(discarded(pool)).toEqual({ discarded: 1 });
  });

  test('discard() closes the connection, and the next borrower gets a new one', async () => {
    const { pool, made } = thingPool({ maxOpen: 1 });
    const lease = await pool.borrow();
    const next = pool.borrow();
    expect(lease.discard()).toBe(true);
    expect((await next).conn).toBe(made[1]);
    expect(made[0]?.closed).toBe(1);
  });
});

describe('waiting', () => {
  test('no more are open than maxOpen, and waiters are served in their order', async () => {
    const { pool, made } = thingPool({ maxOpen: 2 });
    const leases = [await pool.borrow(), await pool.borrow()];
    const order: number[] = [];
    const waiting = [0, 1, 2].map(async (i) => {
      const lease = await pool.borrow();
      order.push(i);
      return lease;
    });
    expect(pool.stats()).toMatchObject({ open: 2, waiting: 3, waitCount: 5 });
    leases[1]?.release();
    leases[0]?.release();
    (await (waiting[0] as Promise<Disposable>))[Symbol.dispose]();
    await Promise.all(waiting);
    expect(order).toEqual([0, 1, 2]);
    expect(made.length).toBe(2);
  });

  test('a newcomer does not overtake', async () => {
    const { pool } = thingPool({ maxOpen: 1 });
    const lease = await pool.borrow();
    const waiting = pool.borrow();
    lease.release();
    expect(pool.tryBorrow()).toBeNull();
    const later = pool.borrow();
    expect((await waiting).conn).toBe(lease.conn);
    expect(await isPending(later)).toBe(true);
  });

  test('whoever comes first gets what comes first: a connection returned, or a new one', async () => {
    const slow = deferred<Thing>();
    const things = [new Thing(0), slow.promise];
    const pool = new Pool({ connect: () => things.shift() as Thing });
    const lease = await pool.borrow();
    const waiting = pool.borrow();
    expect(pool.stats().connecting).toBe(1);
    lease.release();
    expect((await waiting).conn).toBe(lease.conn);
    slow.resolve(new Thing(1));
    await turns();
    expect(pool.stats()).toMatchObject({ open: 2, idle: 1, connecting: 0 });
  });

  test('a signal ends it, before and meanwhile; the others keep their order', async () => {
    const { pool } = thingPool({ maxOpen: 1 });
    const lease = await pool.borrow();
    const stop = new AbortController();
    const waiting = pool.borrow({ signal: stop.signal });
    const next = pool.borrow();
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(pool.borrow({ signal: stop.signal })).rejects.toBe(reason);
    lease.release();
    expect((await next).conn).toBe(lease.conn);
    expect(pool.stats()).toMatchObject({ waiting: 0, waitTimeouts: 0 });
  });

  test('wrong arguments reject', async () => {
    const { pool } = thingPool();
    for (const options of [1, null, { signal: 1 }, { timeout: '1' }]) {
      await expect(pool.borrow(options as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
    await expect(pool.borrow({ timeout: -1 })).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    await expect(pool.use(1 as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    await expect(pool.prewarm(1.5)).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    await expect(pool.prewarm(201)).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    await expect(pool.drain({ timeout: -1 })).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    expect(pool.stats().open).toBe(0);
  });
});

describe('connect()', () => {
  test('what it throws or rejects with goes to the one who has waited longest', async () => {
    const refused = new Error('refused');
    let calls = 0;
    const pool = new Pool<Thing>({
      connect() {
        if (calls++ === 0) throw refused;
        return Promise.resolve(new Thing(calls));
      },
    });
    const waiting = [pool.borrow(), pool.borrow()];
    await expect(waiting[0]).rejects.toBe(refused);
    expect((await waiting[1])?.conn).toBeInstanceOf(Thing);
    expect(pool.stats()).toMatchObject({ connects: 1, connectErrors: 1, open: 1 });
  });

  test('a failure makes room for the next', async () => {
    let calls = 0;
    const connect = () => (calls++ === 0 ? Promise.reject(new Error('down')) : new Thing(0));
    const pool = new Pool({ connect, maxOpen: 1 });
    const waiting = [pool.borrow(), pool.borrow()];
    await expect(waiting[0]).rejects.toThrow('down');
    expect((await waiting[1])?.conn).toBeInstanceOf(Thing);
  });

  test('an answer without a close() is a failure', async () => {
    for (const conn of [undefined, null, 1, {}]) {
      const pool = new Pool({ connect: () => conn as unknown as Thing });
      expect(await caught(pool.borrow())).toMatchObject({ code: 'ERR_INVALID_RETURN_VALUE' });
    }
  });

  test('a failure that nobody awaits is no unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', listen);
    const pool = new Pool<Thing>({ connect: () => Promise.reject(new Error('down')) });
    void pool.borrow();
    void pool.prewarm(1);
    const { pool: closed } = thingPool();
    void closed.use(() => Promise.reject(new OpError('read', 'tcp', null, null, ErrClosed)));
    await turns();
    closed.close();
    void closed.use(() => 1);
    await turns();
    process.off('unhandledRejection', listen);
    expect(unhandled).toEqual([]);
  });
});

describe('limits', () => {
  test('maxIdle: what comes back beyond it is closed', async () => {
    const { pool, made } = thingPool({ maxIdle: 1 });
    const leases = await Promise.all([pool.borrow(), pool.borrow()]);
    for (const lease of leases) lease.release();
    expect(made.map(({ closed }) => closed)).toEqual([0, 1]);
    expect(discarded(pool)).toEqual({ maxIdle: 1 });
  });

  test('200 idle by default', async () => {
    const { pool } = thingPool();
    const leases = await Promise.all(Array.from({ length: 205 }, () => pool.borrow()));
    for (const lease of leases) lease.release();
    expect(pool.stats()).toMatchObject({ idle: 200, open: 200, maxOpen: Number.POSITIVE_INFINITY });
  });

  test('maxUses: a connection is closed after so many', async () => {
    const { pool, made } = thingPool({ maxUses: 2 });
    for (let i = 0; i < 4; i++) (await pool.borrow()).release();
    expect(made.map(({ closed }) => closed)).toEqual([1, 1]);
    expect(discarded(pool)).toEqual({ maxUses: 2 });
  });

  test('minIdle: connections are there from the start, and lent ones are replaced as far as maxOpen allows', async () => {
    const { pool, made } = thingPool({ minIdle: 2, maxOpen: 3 });
    expect(made.length).toBe(0);
    await turns();
    expect(pool.stats()).toMatchObject({ open: 2, idle: 2 });
    const leases = [await pool.borrow(), await pool.borrow()];
    await turns();
    expect(pool.stats()).toMatchObject({ open: 3, idle: 1, inUse: 2 });
    leases[0]?.discard();
    await turns();
    expect(pool.stats()).toMatchObject({ open: 3, idle: 2, inUse: 1 });
  });

  test('prewarm() makes so many idle', async () => {
    const { pool } = thingPool({ maxOpen: 5 });
    expect(await pool.prewarm(3)).toBe(3);
    expect(await pool.prewarm(2)).toBe(3);
    expect(await pool.prewarm(100)).toBe(5);
    expect(pool.stats()).toMatchObject({ open: 5, idle: 5, connects: 5 });
  });

  test('prewarm() rejects with what connect() did, and counts on what is on its way', async () => {
    const down = new Pool<Thing>({ connect: () => Promise.reject(new Error('down')) });
    await expect(down.prewarm(2)).rejects.toThrow('down');
    const { pool } = thingPool();
    const both = [pool.prewarm(2), pool.prewarm(2)];
    await Promise.all(both);
    expect(pool.stats().connects).toBe(2);
  });

  test.each([
    ['connect', undefined, 'ERR_INVALID_ARG_TYPE'],
    ['validate', 1, 'ERR_INVALID_ARG_TYPE'],
    ['reset', 1, 'ERR_INVALID_ARG_TYPE'],
    ['onLeak', 1, 'ERR_INVALID_ARG_TYPE'],
    ['maxOpen', 0, 'ERR_OUT_OF_RANGE'],
    ['maxOpen', '1', 'ERR_INVALID_ARG_TYPE'],
    ['maxIdle', -1, 'ERR_OUT_OF_RANGE'],
    ['minIdle', 201, 'ERR_OUT_OF_RANGE'],
    ['maxUses', 0, 'ERR_OUT_OF_RANGE'],
    ['idleTimeout', 0, 'ERR_OUT_OF_RANGE'],
    ['maxLifetime', -1, 'ERR_OUT_OF_RANGE'],
    ['healthCheckInterval', 0, 'ERR_OUT_OF_RANGE'],
    ['leakTimeout', Number.NaN, 'ERR_OUT_OF_RANGE'],
    ['lifetimeJitter', 2, 'ERR_OUT_OF_RANGE'],
    ['lifetimeJitter', '0', 'ERR_INVALID_ARG_TYPE'],
    ['borrowTimeout', -1, 'ERR_OUT_OF_RANGE'],
    ['connectTimeout', '1', 'ERR_INVALID_ARG_TYPE'],
    ['checkTimeout', null, 'ERR_INVALID_ARG_TYPE'],
    ['ejectAfter', 0, 'ERR_OUT_OF_RANGE'],
    ['ejectTime', -1, 'ERR_OUT_OF_RANGE'],
    ['endpoints', 'a', 'ERR_INVALID_ARG_TYPE'],
    ['endpoints', [], 'ERR_OUT_OF_RANGE'],
    ['standby', {}, 'ERR_INVALID_ARG_TYPE'],
    ['validateOnBorrow', 1, 'ERR_INVALID_ARG_TYPE'],
    ['validateOnReturn', 'yes', 'ERR_INVALID_ARG_TYPE'],
  ])('the option %s must not be %s', (name, value, code) => {
    const options = { connect: () => new Thing(0), [name]: value } as never;
    expect(() => new Pool(options)).toThrow(expect.objectContaining({ code }));
  });

  test('options may be an object of a class', async () => {
    class Options {
      readonly made: Thing[] = [];
      readonly maxIdle = 1;
      connect() {
        this.made.push(new Thing(0));
        return this.made[0] as Thing;
      }
      validate() {
        return this.made.length > 1;
      }
    }
    const options = new Options();
    const pool = new Pool(options);
    (await pool.borrow()).release();
    expect(options.made[0]?.closed).toBe(1);
  });

  test('options must be an object', () => {
    expect(() => new Pool(null as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  });
});

describe('hooks', () => {
  test('validate() is asked on return: one that it refuses is closed', async () => {
    const good = new Set([0]);
    const { pool, made } = thingPool({ validate: (thing) => good.has(thing.n) });
    const leases = await Promise.all([pool.borrow(), pool.borrow()]);
    for (const lease of leases) lease.release();
    expect(made.map(({ closed }) => closed)).toEqual([0, 1]);
    expect(discarded(pool)).toEqual({ invalid: 1 });
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
    ['says no later', async () => false],
  ])('a validate() that %s says no', async (_, validate) => {
    const { pool, made } = thingPool({ validate: validate as () => boolean | Promise<boolean> });
    (await pool.borrow()).release();
    await turns();
    expect(made[0]?.closed).toBe(1);
    expect(discarded(pool)).toEqual({ invalid: 1 });
  });

  test('reset() comes after validate(), and the connection is in use until both are through', async () => {
    const calls: string[] = [];
    const resetting = deferred<void>();
    const { pool } = thingPool({
      validate: async () => calls.push('validate') > 0,
      reset: () => {
        calls.push('reset');
        return resetting.promise;
      },
    });
    (await pool.borrow()).release();
    await turns();
    expect(calls).toEqual(['validate', 'reset']);
    expect(pool.stats()).toMatchObject({ inUse: 1, idle: 0 });
    resetting.resolve();
    await turns();
    expect(pool.stats()).toMatchObject({ inUse: 0, idle: 1 });
  });

  test('a reset() that fails closes the connection', async () => {
    for (const reset of [
      () => Promise.reject(new Error('mine')),
      () => {
        throw new Error('mine');
      },
    ]) {
      const { pool, made } = thingPool({ reset });
      (await pool.borrow()).release();
      await turns();
      expect(made[0]?.closed).toBe(1);
      expect(discarded(pool)).toEqual({ reset: 1 });
    }
  });

  test('validateOnReturn: false leaves validate() alone', async () => {
    let asked = 0;
    const { pool } = thingPool({ validate: () => ++asked > 0, validateOnReturn: false });
    (await pool.borrow()).release();
    (await pool.borrow()).release();
    expect(asked).toBe(0);
  });

  test('validateOnBorrow: connections are asked until one is good', async () => {
    const bad = new Set<number>();
    const { pool, made } = thingPool({
      validate: async (thing) => !bad.has(thing.n),
      validateOnBorrow: true,
      validateOnReturn: false,
    });
    await pool.prewarm(3);
    bad.add(2).add(1);
    expect(pool.tryBorrow()).toBeNull();
    expect((await pool.borrow()).conn).toBe(made[0]);
    expect(made.map(({ closed }) => closed)).toEqual([0, 1, 1]);
    expect(discarded(pool)).toEqual({ invalid: 2 });
    expect((await pool.borrow()).conn).toBe(made[3]);
  });

  test('validateOnBorrow: one that is handed over is asked as well', async () => {
    const { pool, made } = thingPool({
      validate: async (thing) => thing.n > 0,
      validateOnBorrow: true,
      validateOnReturn: false,
      maxOpen: 1,
    });
    const lease = await pool.borrow();
    const waiting = pool.borrow();
    lease.release();
    expect((await waiting).conn).toBe(made[1]);
    expect(discarded(pool)).toEqual({ invalid: 1 });
  });

  test('a close() that throws or rejects is not heard of', async () => {
    for (const close of [
      () => {
        throw new Error('mine');
      },
      () => Promise.reject(new Error('mine')),
    ]) {
      const pool = new Pool({ connect: () => ({ close }) });
      (await pool.borrow()).discard();
      await turns();
      expect(pool.stats().open).toBe(0);
    }
  });
});

describe('the end', () => {
  test('close() closes everything at once, and rejects those who wait', async () => {
    const { pool, made } = thingPool({ maxOpen: 2 });
    const leases = [await pool.borrow(), await pool.borrow()];
    const waiting = pool.borrow();
    leases[0]?.release();
    const served = await waiting;
    const left = pool.borrow();
    expect(pool.close()).toBe(true);
    expect(pool.close()).toBe(false);
    expect(made.map(({ closed }) => closed)).toEqual([1, 1]);
    const error = await caught(left);
    expect(error).toBeInstanceOf(PoolError);
    expect(error).toMatchObject({ code: 'ERR_SPLICEWAY_POOL_CLOSED', timeout: false });
    for (const borrowing of [pool.borrow(), pool.use(() => 1), pool.prewarm(1)]) {
      expect(await caught(borrowing as Promise<unknown>)).toMatchObject({ code: 'ERR_SPLICEWAY_POOL_CLOSED' });
    }
    expect(pool.tryBorrow()).toBeNull();
    expect(served.release()).toBe(true);
    expect(made.map(({ closed }) => closed)).toEqual([1, 1]);
    expect(pool.stats()).toMatchObject({ open: 0, idle: 0, waiting: 0 });
    expect(await pool.drain()).toEqual({ finished: 0, forced: 0 });
  });

  test('a connection that comes after close() is closed, and connect() is told', async () => {
    const slow = deferred<Thing>();
    let told: AbortSignal | undefined;
    const pool = new Pool<Thing>({
      connect({ signal }) {
        told = signal;
        return slow.promise;
      },
    });
    const waiting = pool.borrow();
    pool.close();
    expect(await caught(waiting)).toMatchObject({ code: 'ERR_SPLICEWAY_POOL_CLOSED' });
    expect(told?.aborted).toBe(true);
    const thing = new Thing(0);
    slow.resolve(thing);
    await turns();
    expect(thing.closed).toBe(1);
    expect(pool.stats()).toMatchObject({ open: 0, connecting: 0 });
    expect(pool.health()).toMatchObject([{ open: 0, failures: 0 }]);
  });

  test('drain() serves who waits, and closes what comes back', async () => {
    const { pool, made } = thingPool({ maxOpen: 1 });
    const lease = await pool.borrow();
    const waiting = pool.borrow();
    const draining = pool.drain();
    expect(await caught(pool.borrow())).toMatchObject({ code: 'ERR_SPLICEWAY_POOL_CLOSED' });
    expect(inspect(pool)).toContain('draining');
    lease.release();
    const next = await waiting;
    expect(next.conn).toBe(made[0]);
    expect(await isPending(draining)).toBe(true);
    next.release();
    expect(await draining).toEqual({ finished: 1, forced: 0 });
    expect(made[0]?.closed).toBe(1);
    expect(discarded(pool)).toEqual({ drained: 1 });
    expect(pool.close()).toBe(false);
  });

  test('drain() does not wait for connections that nobody waits for', async () => {
    const pool = new Pool<Thing>({ connect: () => new Promise<Thing>(() => {}), minIdle: 1 });
    await turns();
    expect(pool.stats().connecting).toBe(1);
    expect(await pool.drain({ timeout: 60_000 })).toEqual({ finished: 0, forced: 0 });
  });

  test('drain() closes what idles at once, and is quick where nothing is lent', async () => {
    const { pool, made } = thingPool();
    await pool.prewarm(3);
    expect(await pool.drain()).toEqual({ finished: 0, forced: 0 });
    expect(made.map(({ closed }) => closed)).toEqual([1, 1, 1]);
  });

  test('close() during drain() forces the rest', async () => {
    const { pool } = thingPool();
    const leases = await Promise.all([pool.borrow(), pool.borrow()]);
    const draining = pool.drain();
    leases[0]?.release();
    expect(pool.close()).toBe(true);
    expect(await draining).toEqual({ finished: 1, forced: 1 });
  });

  test('await using drains', async () => {
    const { pool, made } = thingPool();
    {
      await using own = pool;
      await own.prewarm(1);
    }
    expect(made[0]?.closed).toBe(1);
    expect(inspect(pool)).toContain('closed');
    const { pool: other } = thingPool();
    other[Symbol.dispose]();
    expect(inspect(other)).toContain('closed');
  });
});
