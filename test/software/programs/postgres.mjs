// pg PORT FOLDER: queries, parameters, large values, notifications, a pool; by TCP, TLS over it, and a Unix socket.

import { strict as assert } from 'node:assert';
import pg from 'pg';
import { look, report } from './traffic.mjs';

const [port, folder] = process.argv.slice(2);
const common = { port: Number(port), user: 'spliceway', database: 'postgres' };
const LARGE = Buffer.alloc(8 << 20, 'value ');

async function queries(client) {
  const { rows } = await client.query('select $1::text as text, $2::int + 1 as sum', ['wert äöü', 41]);
  assert.deepEqual(rows, [{ text: 'wert äöü', sum: 42 }]);
  await assert.rejects(client.query('select nothing from nowhere'), { code: '42P01' });
  const many = await client.query('select i, repeat($1, 100) as text from generate_series(1, 5000) i', ['x']);
  assert.deepEqual([many.rowCount, many.rows[4999]], [5000, { i: 5000, text: 'x'.repeat(100) }]);
}

async function queued(client) {
  const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => client.query('select $1::int as i', [i])));
  assert.deepEqual(
    answers.map(({ rows }) => rows[0].i),
    Array.from(answers, (_, i) => i),
  );
}

async function large(client) {
  const { rows } = await client.query('select $1::bytea as bytes', [LARGE]);
  assert.equal(LARGE.equals(rows[0].bytes), true);
}

async function notifications(client) {
  await client.query('listen news');
  const told = new Promise((resolve) => client.once('notification', ({ payload }) => resolve(payload)));
  await client.query("notify news, 'hello'");
  assert.equal(await told, 'hello');
}

async function pooled(options) {
  const pool = new pg.Pool({ ...options, max: 10 });
  const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => pool.query('select $1::int as i', [i])));
  assert.equal(pool.totalCount, 10);
  assert.equal(answers[299].rows[0].i, 299);
  await pool.end();
}

const tcp = { ...common, host: '127.0.0.1' };
for (const options of [tcp, { ...tcp, ssl: { rejectUnauthorized: false } }, { ...common, host: folder }]) {
  const client = new pg.Client(options);
  await client.connect();
  for (const part of [queries, queued, large, notifications]) await part(client);
  look();
  await client.end();
  await pooled(options);
}
report();
