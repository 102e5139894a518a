// ioredis PORT PATH: commands, a pipeline, large values and messages, by TCP and by a Unix socket.

import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { look, report } from './traffic.mjs';

const [port, path] = process.argv.slice(2);
const LARGE = Buffer.alloc(8 << 20, 'value ');

async function commands(redis) {
  assert.equal(await redis.ping(), 'PONG');
  assert.equal(await redis.set('key', 'wert äöü'), 'OK');
  assert.equal(await redis.get('key'), 'wert äöü');
  await assert.rejects(redis.lpush('key', 'x'), /WRONGTYPE/);
}

async function pipelined(redis) {
  const pipeline = redis.pipeline();
  for (let i = 0; i < 2000; i++) pipeline.set(`n${i}`, i).get(`n${i}`);
  const answers = await pipeline.exec();
  assert.equal(answers.length, 4000);
  answers.forEach(([error, value], i) => {
    assert.deepEqual([error, value], [null, i % 2 === 0 ? 'OK' : String((i - 1) / 2)]);
  });
  const counted = await Promise.all(Array.from({ length: 1000 }, () => redis.incr('counter')));
  assert.deepEqual(
    counted,
    Array.from(counted, (_, i) => i + 1),
  );
}

async function large(redis) {
  await redis.set('large', LARGE);
  assert.equal(LARGE.equals(await redis.getBuffer('large')), true);
  const both = await Promise.all([redis.getBuffer('large'), redis.set('again', LARGE), redis.getBuffer('large')]);
  assert.equal(Buffer.concat([both[0], both[2]]).equals(Buffer.concat([LARGE, LARGE])), true);
}

async function messages(redis) {
  const subscriber = redis.duplicate();
  await subscriber.subscribe('news');
  const received = [];
  const all = new Promise((resolve) => {
    subscriber.on('message', (_channel, text) => received.push(text) === 500 && resolve());
  });
  for (let i = 0; i < 500; i++) redis.publish('news', `message ${i}`);
  await all;
  assert.equal(received[499], 'message 499');
  await subscriber.quit();
}

for (const redis of [new Redis(Number(port), '127.0.0.1'), new Redis(path)]) {
  for (const part of [commands, pipelined, large, messages]) await part(redis);
  await redis.flushall();
  look();
  await redis.quit();
  await once(redis, 'end');
}
report();
