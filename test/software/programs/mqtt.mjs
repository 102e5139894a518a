// mqtt.js against aedes, by the hundred: what each publishes, all that listen are told of, at all qualities of service.

import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import { connectAsync } from 'mqtt';
import { look, report } from './traffic.mjs';

const CLIENTS = 100;
const LARGE = Buffer.alloc(8 << 20, 'value ');

const broker = await Aedes.createBroker();
const server = createServer(broker.handle).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `mqtt://127.0.0.1:${server.address().port}`;

const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connectAsync(url)));
const [listener] = clients;
const received = [];
const all = new Promise((resolve) => {
  listener.on('message', (topic, payload) => received.push({ topic, payload }) === CLIENTS + 1 && resolve());
});
await listener.subscribeAsync(['news/#', 'large'], { qos: 2 });
await Promise.all(clients.map((client, i) => client.publishAsync(`news/${i}`, `message ${i}`, { qos: i % 3 })));
await clients[1].publishAsync('large', LARGE, { qos: 1 });
await all;
const texts = received.filter(({ topic }) => topic !== 'large').map(({ payload }) => String(payload));
assert.deepEqual(texts.sort(), Array.from(clients, (_, i) => `message ${i}`).sort());
assert.equal(received.find(({ topic }) => topic === 'large').payload.equals(LARGE), true);

look();
await Promise.all(clients.map((client) => client.endAsync()));
server.close();
await once(server, 'close');
await new Promise((resolve) => broker.close(resolve));
report();
