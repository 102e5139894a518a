import { Pool } from 'spliceway/pool';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { caught } from '../support/caught.ts';
import { Thing, thingPool } from './support.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

class PlacedThing extends Thing {
  constructor(readonly place: string) {
    super(0);
  }
}

/** A pool with connections to places of which some are out of order. */
function placesPool(places: string[], options: object = {}) {
  const broken = new Set<string>();
  const tried: string[] = [];
  const pool = new Pool({
    endpoints: places,
    connect: async ({ endpoint }) => {
      tried.push(endpoint);
      if (broken.has(endpoint)) throw new Error(`${endpoint} is down`);
      return new PlacedThing(endpoint);
    },
    ...options,
  });
  return { pool, broken, tried };
}

describe('endpoints', () => {
  test('each new connection goes to the one that has the fewest', async () => {
    const { pool } = placesPool(['a', 'b', 'c']);
    const leases = [];
    for (let i = 0; i < 6; i++) leases.push(await pool.borrow());
    expect(leases.map(({ conn }) => conn.place)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
    leases[1]?.discard();
    expect((await pool.borrow()).conn.place).toBe('b');
    expect(pool.health()).toMatchObject([
      { endpoint: 'a', open: 2 },
      { endpoint: 'b', open: 2 },
      { endpoint: 'c', open: 2 },
    ]);
  });

  test('at once, too', async () => {
    const { pool } = placesPool(['a', 'b']);
    const leases = await Promise.all(Array.from({ length: 4 }, () => pool.borrow()));
    expect(leases.map(({ conn }) => conn.place).sort()).toEqual(['a', 'a', 'b', 'b']);
  });

  test('where one fails the next is tried, and after ejectAfter failures it is left alone', async () => {
    const { pool, broken, tried } = placesPool(['a', 'b'], { ejectAfter: 2, ejectTime: 500 });
    broken.add('a');
    for (let i = 0; i < 4; i++) expect((await pool.borrow()).conn.place).toBe('b');
    expect(tried).toEqual(['a', 'b', 'a', 'b', 'b', 'b']);
    expect(pool.health()).toMatchObject([
      { endpoint: 'a', up: false, failures: 2, open: 0 },
      { endpoint: 'b', up: true, failures: 0, open: 4, lastError: null },
    ]);
    expect(pool.health()[0]?.lastError?.message).toBe('a is down');
    expect(pool.stats().connectErrors).toBe(0);
  });

  test('one that is down is tried again, later and later, until it is up', async () => {
    const { pool, broken, tried } = placesPool(['a', 'b'], { ejectAfter: 1, ejectTime: 500 });
    broken.add('a');
    (await pool.borrow()).release();
    tried.length = 0;
    await pass(499);
    expect(tried).toEqual([]);
    await pass(1);
    expect(tried).toEqual(['a']);
    await pass(999);
    expect(tried).toEqual(['a']);
    broken.clear();
    await pass(1);
    expect(tried).toEqual(['a', 'a']);
    expect(pool.health()).toMatchObject([{ up: true, failures: 0, open: 1 }, { open: 1 }]);
    expect(pool.stats().idle).toBe(2);
    pool.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a pool without room tries later', async () => {
    const { pool, broken } = placesPool(['a', 'b'], { ejectAfter: 1, ejectTime: 500, maxOpen: 1 });
    broken.add('a');
    const lease = await pool.borrow();
    broken.clear();
    await pass(500);
    expect(pool.health()[0]?.up).toBe(false);
    expect(pool.stats().open).toBe(1);
    lease.discard();
    await pass(1000);
    expect(pool.health()[0]?.up).toBe(true);
    pool.close();
  });

  test('where all are down all are tried, and the borrower is told', async () => {
    const { pool, broken, tried } = placesPool(['a', 'b'], { ejectAfter: 1 });
    broken.add('a').add('b');
    for (let i = 0; i < 2; i++) expect(await caught(pool.borrow())).toMatchObject({ message: 'b is down' });
    expect(tried).toEqual(['a', 'b', 'a', 'b']);
    pool.close();
  });

  test('of undefined, where none are given', async () => {
    const { pool } = thingPool();
    await pool.borrow();
    expect(pool.health()).toEqual([{ endpoint: undefined, up: true, failures: 0, lastError: null, open: 1 }]);
  });
});

describe('a standby', () => {
  test('takes the borrowers whom the pool cannot connect', async () => {
    const standby = placesPool(['standby']);
    const main = placesPool(['main'], { standby: standby.pool, ejectAfter: 2, ejectTime: 1000 });
    const first = await main.pool.borrow();
    expect(first.conn.place).toBe('main');
    main.broken.add('main');
    const leases = await Promise.all([main.pool.borrow(), main.pool.borrow()]);
    expect(leases.map(({ conn }) => conn.place)).toEqual(['standby', 'standby']);
    main.tried.length = 0;
    expect((await main.pool.borrow()).conn.place).toBe('standby');
    expect(main.tried).toEqual([]);
    for (const lease of leases) lease.release();
    expect(standby.pool.stats()).toMatchObject({ idle: 2, inUse: 1 });
  });

  test('until the pool is up again, and what idles there comes first', async () => {
    const standby = placesPool(['standby']);
    const main = placesPool(['main'], { standby: standby.pool, ejectAfter: 1, ejectTime: 1000 });
    main.broken.add('main');
    expect((await main.pool.borrow()).conn.place).toBe('standby');
    main.broken.clear();
    await pass(999);
    expect((await main.pool.borrow()).conn.place).toBe('standby');
    await pass(1);
    expect(main.pool.stats().idle).toBe(1);
    expect((await main.pool.borrow()).conn.place).toBe('main');
    expect((await main.pool.borrow()).conn.place).toBe('main');
  });

  test('its line takes signals and timeouts along', async () => {
    const standby = placesPool(['standby'], { maxOpen: 1 });
    const main = placesPool(['main'], { standby: standby.pool });
    main.broken.add('main');
    const held = await main.pool.borrow();
    const stop = new AbortController();
    const aborted = caught(main.pool.borrow({ signal: stop.signal }));
    const late = caught(main.pool.borrow({ timeout: 100 }));
    const patient = main.pool.borrow();
    await pass(0);
    expect(standby.pool.stats().waiting).toBe(3);
    const reason = new Error('enough');
    stop.abort(reason);
    expect(await aborted).toBe(reason);
    await pass(100);
    expect(await late).toMatchObject({ timeout: true });
    held.release();
    expect((await patient).conn.place).toBe('standby');
    expect(main.pool.stats().waiting).toBe(0);
  });

  test('that is closed is none', async () => {
    const standby = placesPool(['standby']);
    const main = placesPool(['main'], { standby: standby.pool, ejectAfter: 1 });
    main.broken.add('main');
    standby.pool.close();
    expect(await caught(main.pool.borrow())).toMatchObject({ message: 'main is down' });
    expect(await caught(main.pool.borrow())).toMatchObject({ message: 'main is down' });
    main.pool.close();
  });
});
