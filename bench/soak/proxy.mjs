// The proxy of the soak test, in a process of its own: listen, serve, dial and relay.

import { setTimeout as sleep } from 'node:timers/promises';
import { dial, listen, relay, serve } from 'spliceway';
import { countDescriptors } from './descriptors.mjs';

const IDLE_TIMEOUT = 200;
const TARGET_ADDRESSES = 50;
// A process at rest has the same descriptors so many times in a row.
const LOOKS = 5;
const LOOK_EVERY = 100;
const SETTLED_WITHIN = 15_000;

const port = Number(process.argv[2]);
const relays = new Map(); // by the client's address
const ended = {};
let dialed = 0;

const count = (how) => {
  ended[how] = (ended[how] ?? 0) + 1;
};

async function forward(conn, options) {
  const upstream = await dial('tcp', `127.0.2.${1 + (dialed++ % TARGET_ADDRESSES)}:${port}`);
  const abort = new AbortController();
  const name = `${conn.remoteAddr}`;
  relays.set(name, { abort: () => abort.abort(), close: () => conn.close() });
  try {
    const { reason } = await relay(conn, upstream, { ...options, signal: abort.signal });
    count(reason);
  } catch (error) {
    if (error !== abort.signal.reason) throw error;
    count('abort');
  } finally {
    relays.delete(name);
  }
}

async function start(options) {
  const listener = await listen('tcp', '127.0.0.1:0');
  const onError = (error) => process.send({ failure: `${error.stack ?? error}` });
  return { listener, server: serve(listener, (conn) => forward(conn, options), { onError }) };
}

/** The descriptors, once they are the same for a while and no relay is left. */
async function settled() {
  const until = Date.now() + SETTLED_WITHIN;
  const looks = [];
  while (looks.length < LOOKS && Date.now() < until) {
    await sleep(LOOK_EVERY);
    const now = JSON.stringify(countDescriptors());
    if (now !== looks[0] || relays.size > 0) looks.length = 0;
    looks.push(now);
  }
  return { descriptors: countDescriptors(), relays: relays.size, ended };
}

const plain = await start({});
const idle = await start({ idleTimeout: IDLE_TIMEOUT });
process.on('message', async ({ cut }) => {
  if (cut !== undefined) relays.get(cut.client)?.[cut.how]();
  else process.send({ settled: await settled() });
});
process.on('disconnect', () => process.exit());
process.send({ proxies: { plain: addressOf(plain), idle: addressOf(idle) } });

function addressOf({ listener }) {
  return { host: '127.0.0.1', port: listener.addr.port };
}
