// A program that uses the driver next to it.
//
//   node examples/database-server.mjs               in one terminal
//   node examples/database-client.mjs [host:port]   in another

import { Database } from './database-driver.mjs';

const [address = '127.0.0.1:7004'] = process.argv.slice(2);
// One connection, so that whoever comes next has the one that was left behind.
const database = new Database(address, { maxOpen: 1 });

async function move(amount, from, to) {
  await database.transaction(async (connection) => {
    const balance = async (name) => connection.query('get ?', name);
    await connection.query('put ? ?', to, (await balance(to)) + amount);
    const left = (await balance(from)) - amount;
    if (left < 0) throw new Error(`${from} has only ${left + amount}`);
    await connection.query('put ? ?', from, left);
  });
}

async function show() {
  console.log(`ann has ${await database.query('get ?', 'ann')}, bob has ${await database.query('get ?', 'bob')}`);
}

await database.query('put ? ?', 'ann', 100);
await database.query('put ? ?', 'bob', 0);
await move(30, 'ann', 'bob');
await show();
await move(500, 'ann', 'bob').catch((error) => console.log(`not moved: ${error.message}`));
await show();

// Somebody who begins a transaction and forgets it.
const lease = await database.pool.borrow();
await lease.conn.begin();
await lease.conn.query('put ? ?', 'ann', 1_000_000);
lease.release();
await show();

const { connects, discarded } = database.pool.stats();
console.log(`${connects} connections made, ${discarded.reset ?? 0} that could not be rolled back`);
await database.close();
