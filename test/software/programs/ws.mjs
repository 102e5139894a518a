// ws, echoing by the hundred: texts, bytes in fragments, large messages.

import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import * as http from 'node:http';
import { createServer } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { look, report } from './traffic.mjs';

const CLIENTS = 100;
const MESSAGES = 50;
const LARGE = Buffer.alloc(8 << 20, 'value ');

const site = http.createServer();
const sockets = new WebSocketServer({ server: site });
sockets.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
const server = createServer((socket) => site.emit('connection', socket)).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `ws://127.0.0.1:${server.address().port}`;

async function echo(client, messages) {
  const echoed = [];
  const all = new Promise((resolve) => {
    client.on('message', (data) => echoed.push(data) === messages.length && resolve());
  });
  for (const message of messages) client.send(message);
  await all;
  assert.equal(Buffer.concat(echoed).equals(Buffer.concat(messages.map((each) => Buffer.from(each)))), true);
  client.removeAllListeners('message');
}

const clients = Array.from({ length: CLIENTS }, () => new WebSocket(url));
await Promise.all(clients.map((client) => once(client, 'open')));
await Promise.all(
  clients.map((client, i) =>
    echo(
      client,
      Array.from({ length: MESSAGES }, (_, k) => `${i} ${k} `.repeat(k * 20 + 1)),
    ),
  ),
);
await echo(clients[0], [LARGE, LARGE]);
look();
for (const client of clients) client.close();
await Promise.all(clients.map((client) => once(client, 'close')));
server.close();
await once(server, 'close');
report();
