// A client that does not mind when one of its servers is killed: it keeps a connection to the other one ready.
//
//   node examples/failover-server.mjs 127.0.0.1:7002      in one terminal
//   node examples/failover-server.mjs 127.0.0.1:7003      in another
//   node examples/failover-client.mjs 127.0.0.1:7002 127.0.0.1:7003

import { setTimeout as sleep } from 'node:timers/promises';
import { HealingClient } from 'spliceway/health';

const [first = '127.0.0.1:7002', second = '127.0.0.1:7003', count = '500'] = process.argv.slice(2);

const client = new HealingClient({
  endpoints: [first, second],
  onEvent(event) {
    if (event.type === 'connected') console.log(`connected to ${event.endpoint}: ${event.role}`);
    if (event.type === 'switched') console.log(`from ${event.from} to ${event.to}: ${event.reason}`);
  },
});

for (let i = 1; i <= count; i++) {
  // Asking twice does no harm, so a request that a dying server leaves unanswered is sent to the other one.
  const answer = await client.request(`request ${i}`, { idempotent: true });
  if (i % 100 === 0) console.log(`${answer}`);
  await sleep(10);
}

const { results, errors, unknown, switches } = client.stats;
console.log(`${results} answers, ${errors} errors, ${unknown} unknown, ${switches} switches`);
await client.shutdown();
