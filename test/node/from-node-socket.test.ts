import { once } from 'node:events';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import { type AddressInfo, connect, createServer, Socket } from 'node:net';
import * as tls from 'node:tls';
import { TCPConn } from 'spliceway';
import { fromNodeSocket } from 'spliceway/node';
import { expect, test } from 'vitest';
import { openSockets } from '../support/fds.ts';
import { eventually } from '../support/time.ts';
import { credentials, kept } from './support.ts';

/** Both ends of a connection of node:net's. */
async function pair(): Promise<[client: Socket, server: Socket]> {
  const listener = kept(createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1'));
  await once(listener, 'listening');
  const client = kept(connect((listener.address() as AddressInfo).port, '127.0.0.1'));
  const [[server]] = await Promise.all([once(listener, 'connection'), once(client, 'connect')]);
  return [client, kept(server as Socket)];
}

const BUSY = expect.objectContaining({ op: 'file', code: 'ERR_SPLICEWAY_BUSY' });

test('takes the connection over, and the peer does not notice', async () => {
  const [client, server] = await pair();
  const before = openSockets();
  const conn = kept(fromNodeSocket(server));
  expect(conn).toBeInstanceOf(TCPConn);
  await once(server, 'close');
  expect(server.destroyed).toBe(true);
  expect(openSockets()).toBe(before);
  client.write('to the conn');
  expect(`${await conn.read()}`).toBe('to the conn');
  await conn.write('to the client');
  expect(`${(await once(client, 'data'))[0]}`).toBe('to the client');
});

test('what the socket has read and nobody took comes first', async () => {
  const [client, server] = await pair();
  const told: unknown[] = [];
  server.on('data', (chunk) => told.push(chunk)).pause();
  client.write('read ');
  await eventually(() => server.readableLength === 5);
  server.unshift('un');
  const conn = kept(fromNodeSocket(server));
  client.end('later');
  let text = '';
  for await (const chunk of conn) text += chunk;
  expect(text).toBe('unread later');
  expect(told).toEqual([]);
});

test("a socket of http's 'upgrade'", async () => {
  const server = kept(http.createServer().listen(0, '127.0.0.1'));
  await once(server, 'listening');
  server.on('upgrade', async (_request, socket, head) => {
    const conn = kept(fromNodeSocket(socket as Socket));
    conn.unread(head);
    await conn.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    for await (const chunk of conn) await conn.write(chunk);
  });
  const request = http.get({
    port: (server.address() as AddressInfo).port,
    headers: { Connection: 'Upgrade', Upgrade: 'echo' },
  });
  const [, socket] = (await once(request, 'upgrade')) as [unknown, Socket];
  kept(socket).write('there and back');
  expect(`${(await once(socket, 'data'))[0]}`).toBe('there and back');
});

test('is refused while bytes wait to be written, and after end()', async () => {
  const [, server] = await pair();
  while (server.write(Buffer.alloc(1 << 20)));
  expect(() => fromNodeSocket(server)).toThrow(BUSY);
  const [, ended] = await pair();
  ended.end();
  expect(() => fromNodeSocket(ended)).toThrow(BUSY);
  expect(ended.destroyed).toBe(false);
});

test('is refused for a socket that is piped, or read as text', async () => {
  const [client, server] = await pair();
  server.pipe(server);
  expect(() => fromNodeSocket(server)).toThrow(BUSY);
  client.setEncoding('utf8');
  expect(() => fromNodeSocket(client)).toThrow(BUSY);
});

test('is refused for what http and tls read from', async () => {
  const server = kept(http.createServer());
  const [client, socket] = await pair();
  server.emit('connection', socket);
  expect(() => fromNodeSocket(socket)).toThrow(BUSY);
  const [, under] = await pair();
  const secure = kept(new tls.TLSSocket(under, { ...credentials, isServer: true }));
  expect(() => fromNodeSocket(under)).toThrow(BUSY);
  expect(() => fromNodeSocket(secure)).toThrow(/TLSSocket/);
  client.destroy();
});

test('is refused for what http2 reads from', async () => {
  const [client, server] = await pair();
  http2.createServer().emit('connection', server);
  http2.connect('http://localhost', { createConnection: () => client }).on('error', () => {});
  expect(() => fromNodeSocket(server)).toThrow(BUSY);
  expect(() => fromNodeSocket(client)).toThrow(BUSY);
});

test('mistakes', async () => {
  expect(() => fromNodeSocket({} as Socket)).toThrow(/net\.Socket/);
  expect(() => fromNodeSocket(new Socket())).toThrow(/connected/);
  const [client] = await pair();
  client.destroy();
  expect(() => fromNodeSocket(client)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
});
