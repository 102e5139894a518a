// mysql2 PORT PID-FILE: the server is killed with queries under way, twice. Each query fails, and the pool makes new
// connections once the server is there again.

import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { look, report } from './traffic.mjs';

const [port, pidFile] = process.argv.slice(2);
const options = { host: '127.0.0.1', port: Number(port), user: 'spliceway', password: 'secret' };
const SLEEP = 'select sleep(30)';
const SLEEPING = `select count(*) as count from information_schema.processlist where info = '${SLEEP}'`;

/** While there is no server, connections are refused. */
async function persistently(query) {
  for (;;) {
    try {
      return (await query())[0];
    } catch {
      await setTimeout(20);
    }
  }
}

async function sleeping(count) {
  const watcher = await mysql.createConnection(options);
  watcher.on('error', () => {});
  for (;;) {
    const [[row]] = await watcher.query(SLEEPING);
    if (row.count === count) return watcher.destroy();
    await setTimeout(5);
  }
}

const pool = mysql.createPool({ ...options, connectionLimit: 5 });
for (let round = 0; round < 2; round++) {
  await persistently(() => pool.query('select 1'));
  const outcomes = Promise.allSettled(Array.from({ length: 5 }, () => pool.query(SLEEP)));
  await sleeping(5);
  look();
  process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGKILL');
  for (const { status } of await outcomes) assert.equal(status, 'rejected');
  assert.deepEqual(await persistently(() => pool.query('select 6 * 7 as product')), [{ product: 42 }]);
}
report();
await pool.end();
