// pool.mjs spliceway|spliceway-try|generic-pool alone|crowd connections --seconds S: prints, as one line of JSON, the
// CPU nanoseconds of borrowing and returning a connection, in each slice of time. The connections are sockets.

import { setTimeout as sleep } from 'node:timers/promises';
import { createPool } from 'generic-pool';
import { dial, listen } from 'spliceway';
import { Pool } from 'spliceway/pool';

const [implementation, mode, connections, seconds] = process.argv.slice(2);
const ROUNDS = 20_000;
const BORROWERS = { alone: 1, crowd: 100 };

const listener = await listen('tcp', '127.0.0.1:0');
const max = Number(connections);

const dialPeer = async () => {
  const [conn] = await Promise.all([dial('tcp', `${listener.addr}`), listener.accept()]);
  return conn;
};

/** Functions that borrow and return so many times, one after the other. */
const implementations = {
  spliceway() {
    const pool = new Pool({ connect: dialPeer, maxOpen: max });
    return async (times) => {
      for (let i = 0; i < times; i++) (await pool.borrow()).release();
    };
  },
  'spliceway-try'() {
    const pool = new Pool({ connect: dialPeer, maxOpen: max });
    return async (times) => {
      for (let i = 0; i < times; i++) (pool.tryBorrow() ?? (await pool.borrow())).release();
    };
  },
  'generic-pool'() {
    const pool = createPool({ create: dialPeer, destroy: async (conn) => void conn.close() }, { max });
    return async (times) => {
      for (let i = 0; i < times; i++) await pool.release(await pool.acquire());
    };
  },
};

function cpuNs(since) {
  const { user, system } = process.cpuUsage(since);
  return (user + system) * 1000;
}

const borrow = implementations[implementation]();
const times = ROUNDS / BORROWERS[mode];
const values = [];
const until = Date.now() + seconds * 1000;
while (Date.now() < until) {
  const from = process.cpuUsage();
  await Promise.all(Array.from({ length: BORROWERS[mode] }, () => borrow(times)));
  values.push(cpuNs(from) / ROUNDS);
  await sleep(0); // whatever the calls have left to be done
}
console.log(JSON.stringify(values.slice(Math.ceil(values.length / 4)))); // the compiler is through by then
process.exit();
