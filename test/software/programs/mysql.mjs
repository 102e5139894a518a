// mysql2 PORT PATH: queries, prepared statements, large values, a stream of rows, a pool; by TCP, TLS over it, and a Unix
// socket.

import { strict as assert } from 'node:assert';
import { setTimeout } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { look, report } from './traffic.mjs';

const [port, path] = process.argv.slice(2);
const common = { user: 'spliceway', password: 'secret', database: 'spliceway' };
const LARGE = Buffer.alloc(8 << 20, 'value ');

async function queries(client) {
  const [rows] = await client.query('select ? as text, ? + 1 as sum', ['wert äöü', 41]);
  assert.deepEqual(rows, [{ text: 'wert äöü', sum: 42 }]);
  await assert.rejects(client.query('select nothing from nowhere'), { code: 'ER_NO_SUCH_TABLE' });
  const [many] = await client.query("select seq as i, repeat('x', 100) as text from seq_1_to_5000");
  assert.deepEqual([many.length, many[4999]], [5000, { i: 5000, text: 'x'.repeat(100) }]);
}

async function statements(client) {
  const asked = Array.from({ length: 500 }, (_, i) => client.execute('select cast(? as int) as i', [i]));
  const answers = await Promise.all(asked);
  assert.deepEqual(
    answers.map(([[{ i }]]) => i),
    Array.from(answers, (_, i) => i),
  );
}

async function large(client) {
  const [[{ bytes }]] = await client.query('select ? as bytes', [LARGE]);
  assert.equal(LARGE.equals(Buffer.from(bytes)), true);
}

async function streamed(client) {
  const rows = client.connection.query("select repeat('x', 1000) as text from seq_1_to_20000").stream();
  let count = 0;
  for await (const { text } of rows) count += text.length / 1000;
  assert.equal(count, 20000);
}

async function pooled(options) {
  const pool = mysql.createPool({ ...options, connectionLimit: 10 });
  const answers = await Promise.all(
    Array.from({ length: 300 }, (_, i) => pool.execute('select cast(? as int) as i', [i])),
  );
  assert.equal(answers[299][0][0].i, 299);
  await pool.end();
}

/** The server may still be starting. */
async function connected(options) {
  for (;;) {
    try {
      return await mysql.createConnection(options);
    } catch (error) {
      if (error.code === undefined) throw error;
      await setTimeout(20);
    }
  }
}

const tcp = { ...common, host: '127.0.0.1', port: Number(port) };
for (const options of [tcp, { ...tcp, ssl: { rejectUnauthorized: false } }, { ...common, socketPath: path }]) {
  const client = await connected(options);
  for (const part of [queries, statements, large, streamed]) await part(client);
  look();
  await client.end();
  await pooled(options);
}
report();
