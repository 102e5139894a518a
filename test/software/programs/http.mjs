// autocannon and undici against Node's http, whose connections are those of a server of node:net's.

import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import * as http from 'node:http';
import { createServer } from 'node:net';
import autocannon from 'autocannon';
import { Agent, Pool, request } from 'undici';
import { look, report } from './traffic.mjs';

const LARGE = Buffer.alloc(8 << 20, 'value ');

const site = http.createServer((incoming, response) => {
  if (incoming.method === 'POST') incoming.pipe(response);
  else response.end('hello');
});
const server = createServer((socket) => site.emit('connection', socket)).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}`;

const cannon = { url, connections: 50, amount: 2000 };
const fired = autocannon(cannon);
fired.once('response', look);
const shots = await fired;
assert.deepEqual([shots['2xx'], shots.errors, shots.timeouts, shots.non2xx], [cannon.amount, 0, 0, 0]);

const pool = new Pool(url, { connections: 10, pipelining: 4 });
const answers = await Promise.all(
  Array.from({ length: 500 }, async () => (await pool.request({ path: '/', method: 'GET' })).body.text()),
);
assert.deepEqual([...new Set(answers)], ['hello']);
await pool.close();

const dispatcher = new Agent();
const echo = await request(url, { method: 'POST', body: LARGE, dispatcher });
assert.equal(LARGE.equals(Buffer.from(await echo.body.arrayBuffer())), true);
await dispatcher.close();

site.closeAllConnections();
server.close();
await once(server, 'close');
report();
