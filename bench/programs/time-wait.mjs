// time-wait.mjs pool|dial ROUNDS: makes so many requests of one byte to a server of its own, and prints, as one line of
// JSON, the most sockets of this server's clients that were in TIME_WAIT at a time (Linux).

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { dial, listen, serve } from 'spliceway';
import { Pool } from 'spliceway/pool';

const [implementation, rounds] = process.argv.slice(2);
const COUNTED_EVERY = 5000;
const TIME_WAIT = '06';

const listener = await listen('tcp', '127.0.0.1:0');
serve(listener, (conn) => conn.handle({ data: (chunk) => void conn.tryWrite(chunk) }));
const target = `${listener.addr}`;

async function ask(conn) {
  await conn.write('x');
  await conn.read();
}

// Once TIME_WAIT has all ports, one is free again only after a second.
async function dialPatiently() {
  for (;;) {
    try {
      return await dial('tcp', target);
    } catch (error) {
      if (error.code !== 'EADDRNOTAVAIL') throw error;
      await sleep(10);
    }
  }
}

const implementations = {
  pool() {
    const pool = new Pool({ connect: () => dial('tcp', target) });
    return () => pool.use(ask);
  },
  dial() {
    return async () => {
      const conn = await dialPatiently();
      await ask(conn);
      conn.close();
    };
  },
};

function inTimeWait() {
  const port = `:${listener.addr.port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  return lines.filter((line) => {
    const [, , remote, state] = line.trim().split(/\s+/);
    return state === TIME_WAIT && remote.endsWith(port);
  }).length;
}

const request = implementations[implementation]();
let most = 0;
for (let i = 1; i <= rounds; i++) {
  await request();
  if (i % COUNTED_EVERY === 0 || i === Number(rounds)) most = Math.max(most, inTimeWait());
}
console.log(JSON.stringify([most]));
process.exit();
