// Software that knows nothing of this package, in front of a listener of ours.

import * as http from 'node:http';
import { createRequire } from 'node:module';
import { createServer, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { type Listener, listen } from 'spliceway';
import { attach, toDuplex } from 'spliceway/node';
import { Pool } from 'undici';
import { expect, test } from 'vitest';
import { LARGE } from './run.ts';

interface MqttClient {
  subscribeAsync(topic: string, options: { qos: number }): Promise<unknown>;
  publishAsync(topic: string, message: Buffer, options: { qos: number }): Promise<unknown>;
  once(event: 'message', listener: (topic: string, payload: Buffer) => void): void;
  endAsync(): Promise<void>;
}

// One has no types, and those of the other are a browser's.
const require = createRequire(import.meta.url);
const autocannon: (options: object) => Promise<object> = require('autocannon');
const { connectAsync }: { connectAsync(url: string): Promise<MqttClient> } = require('mqtt');

const large = Buffer.alloc(LARGE, 'value ');

test('autocannon and undici against http', async () => {
  const site = http.createServer((incoming, response) => {
    if (incoming.method === 'POST') incoming.pipe(response);
    else response.end('hello');
  });
  await using attached = attach(await listen('tcp', '127.0.0.1:0'), site);
  const url = `http://${attached.addr}`;

  const shots = await autocannon({ url, connections: 50, amount: 2000 });
  expect(shots).toMatchObject({ '2xx': 2000, errors: 0, timeouts: 0, non2xx: 0 });

  const pool = new Pool(url, { connections: 10, pipelining: 4 });
  const get = async () => (await pool.request({ path: '/', method: 'GET' })).body.text();
  const answers = await Promise.all(Array.from({ length: 500 }, get));
  expect(new Set(answers)).toEqual(new Set(['hello']));
  const echo = await pool.request({ path: '/', method: 'POST', body: large });
  expect(large.equals(Buffer.from(await echo.body.arrayBuffer()))).toBe(true);
  await pool.close();
  expect(await attached.shutdown()).toEqual({ finished: expect.any(Number), forced: 0 });
});

test.each(['attach', 'toDuplex'] as const)('mqtt.js against aedes, by %s', async (way) => {
  const broker = await Aedes.createBroker();
  const listener = await listen('tcp', '127.0.0.1:0');
  const serving = way === 'attach' ? attach(listener, createServer(broker.handle)) : duplexes(listener, broker);
  const clients = await Promise.all(Array.from({ length: 20 }, () => connectAsync(`mqtt://${listener.addr}`)));
  const [reader, writer] = clients as [MqttClient, MqttClient];
  await reader.subscribeAsync('large', { qos: 2 });
  const received = new Promise<Buffer>((resolve) => reader.once('message', (_topic, payload) => resolve(payload)));
  await writer.publishAsync('large', large, { qos: 1 });
  expect(large.equals(await received)).toBe(true);
  await Promise.all(clients.map((client) => client.endAsync()));
  await new Promise<void>((resolve) => broker.close(resolve));
  await serving.shutdown();
});

/** aedes on streams over our own connections, which never leave our event loop. */
function duplexes(listener: Listener, broker: Aedes): { shutdown(): Promise<unknown> } {
  const accepting = (async () => {
    for await (const conn of listener) broker.handle(toDuplex(conn) as unknown as Socket);
  })();
  return {
    shutdown() {
      listener.close();
      return accepting;
    },
  };
}
