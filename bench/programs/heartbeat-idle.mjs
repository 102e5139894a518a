// heartbeat-idle.mjs INTERVAL CONNECTIONS SECONDS: so many connections to a process of its own, with a heartbeat and
// nothing else on them, and prints, as one line of JSON, what this end spends on them: percent of a core, each second.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dial, listen } from 'spliceway';
import { FramedConn } from 'spliceway/codec';

const [interval, connections, seconds, target] = process.argv.slice(2);
const AT_ONCE = 50;
// The first PINGs of all of them come together.
const SETTLING = 2;

const options = { heartbeat: { interval: Number(interval) } };
const all = [];

if (target === undefined) await measure();
else await connect();

async function connect() {
  while (all.length < Number(connections)) {
    const conns = await Promise.all(Array.from({ length: AT_ONCE }, () => dial('tcp', target)));
    all.push(...conns.map((conn) => new FramedConn(conn, options)));
  }
  process.send('connected');
  await once(process, 'disconnect');
  process.exit();
}

async function measure() {
  const listener = await listen('tcp', '127.0.0.1:0', { backlog: AT_ONCE });
  const child = fork(fileURLToPath(import.meta.url), [interval, connections, seconds, `${listener.addr}`]);
  const connected = once(child, 'message');
  while (all.length < Number(connections)) all.push(new FramedConn(await listener.accept(), options));
  await connected;
  await sleep(SETTLING * Number(interval));
  const percents = [];
  for (let i = 0; i < Number(seconds); i++) percents.push(await percentOfACore());
  const ill = all.filter(({ health }) => health.state !== 'healthy').length;
  if (ill > 0) throw new Error(`${ill} connections are not healthy`);
  console.log(JSON.stringify(percents));
  child.disconnect();
  process.exit();
}

async function percentOfACore() {
  const [before, since] = [process.cpuUsage(), performance.now()];
  await sleep(1000);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 10 / (performance.now() - since);
}
