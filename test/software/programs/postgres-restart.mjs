// pg PORT: a process of the server is killed with queries under way, upon which PostgreSQL ends all sessions and starts
// anew. Each query fails, and the pool makes new connections.

import { strict as assert } from 'node:assert';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { look, report } from './traffic.mjs';

const [port] = process.argv.slice(2);
const options = { host: '127.0.0.1', port: Number(port), user: 'spliceway', database: 'postgres' };
const SLEEP = 'select pg_sleep(30)';
const SLEEPING = `select pid from pg_stat_activity where query = '${SLEEP}' and state = 'active'`;

/** While the server starts, it refuses connections, or accepts and ends them. */
async function persistently(query) {
  for (;;) {
    try {
      return (await query()).rows;
    } catch {
      await setTimeout(10);
    }
  }
}

async function sleeping(count) {
  const watcher = new pg.Client(options);
  watcher.on('error', () => {});
  await watcher.connect();
  for (;;) {
    const { rows } = await watcher.query(SLEEPING);
    if (rows.length === count) return rows.map(({ pid }) => pid);
    await setTimeout(5);
  }
}

const pool = new pg.Pool({ ...options, max: 5 });
pool.on('error', () => {});
for (let round = 0; round < 2; round++) {
  await persistently(() => pool.query('select 1'));
  const outcomes = Promise.allSettled(Array.from({ length: 5 }, () => pool.query(SLEEP)));
  const [pid] = await sleeping(5);
  look();
  process.kill(pid, 'SIGKILL');
  for (const { status } of await outcomes) assert.equal(status, 'rejected');
  assert.deepEqual(await persistently(() => pool.query('select 6 * 7 as product')), [{ product: 42 }]);
}
report();
await pool.end();
