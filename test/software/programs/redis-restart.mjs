// ioredis PORT: the server is killed with commands under way, and comes back: none is lost, and none fails.

import { strict as assert } from 'node:assert';
import { Redis } from 'ioredis';
import { look, report } from './traffic.mjs';

const [port] = process.argv.slice(2);
const options = { port: Number(port), host: '127.0.0.1', maxRetriesPerRequest: null, retryStrategy: () => 20 };
const redis = new Redis(options);
const subscriber = new Redis(options);
redis.on('error', () => {});
subscriber.on('error', () => {});

const pidOfServer = async () => Number(/process_id:(\d+)/.exec(await redis.info('server'))[1]);

await subscriber.subscribe('news');
for (let round = 0; round < 3; round++) {
  const first = await pidOfServer();
  const answers = Array.from({ length: 500 }, (_, i) => redis.echo(`${round} ${i}`));
  process.kill(first, 'SIGKILL');
  const later = Array.from({ length: 500 }, (_, i) => redis.echo(`later ${i}`));
  assert.equal((await Promise.all(answers))[499], `${round} 499`);
  assert.equal((await Promise.all(later))[499], 'later 499');
  assert.notEqual(await pidOfServer(), first);
}
const told = new Promise((resolve) => subscriber.once('message', (_channel, text) => resolve(text)));
while ((await redis.publish('news', 'again')) === 0);
assert.equal(await told, 'again');
look();
report();
redis.disconnect();
subscriber.disconnect();
