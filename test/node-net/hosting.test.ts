// Node's own http, https, tls and http2 over our sockets, as over any stream.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import { pipeline } from 'node:stream/promises';
import * as tls from 'node:tls';
import * as net from 'spliceway/net';
import { afterEach, expect, test } from 'vitest';

const folder = new URL('../support/tls/', import.meta.url);
const identity = { key: readFileSync(new URL('key.pem', folder)), cert: readFileSync(new URL('cert.pem', folder)) };

const servers: net.Server[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function serving(onSocket: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer(onSocket).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return text;
}

test('http: a server is given our connections, an agent makes them', async () => {
  const server = http.createServer(async (request, response) => {
    response.end(`${request.method} ${await textOf(request)}`);
  });
  const port = await serving((socket) => server.emit('connection', socket));
  const agent = new http.Agent({ keepAlive: true });
  agent.createConnection = (options) => net.connect(options as net.ConnectOptions as { port: number });
  for (const body of ['x', 'y'.repeat(200_000)]) {
    const request = http.request({ port, host: '127.0.0.1', agent, method: 'POST' });
    request.end(body);
    const [response] = await once(request, 'response');
    expect(await textOf(response)).toBe(`POST ${body}`);
  }
  agent.destroy();
});

test('tls: both ends over our sockets', async () => {
  const port = await serving((socket) => {
    const secured = new tls.TLSSocket(socket, { isServer: true, ...identity });
    pipeline(secured, secured).catch(() => {});
  });
  const client = tls.connect({ socket: net.connect(port, '127.0.0.1'), rejectUnauthorized: false });
  await once(client, 'secureConnect');
  const sent = 'z'.repeat(300_000);
  client.write(sent);
  let received = '';
  for await (const chunk of client) {
    received += chunk;
    if (received.length === sent.length) client.end();
  }
  expect(received === sent).toBe(true);
});

test('tls: what is written is sent, although the other side has ended', async () => {
  const port = await serving((socket) => {
    const secured = new tls.TLSSocket(socket, { isServer: true, ...identity });
    pipeline(secured, secured).catch(() => {});
  });
  const client = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  client.end('z'.repeat(500_000));
  expect((await textOf(client)).length).toBe(500_000);
});

test('tls: begun before there is a connection, and ended by the other side', async () => {
  const server = tls.createServer(identity, (secured) => secured.end('bye'));
  const port = await serving((socket) => server.emit('connection', socket));
  for (const socket of [new net.Socket(), net.connect(port, '127.0.0.1')]) {
    const client = tls.connect({ socket, rejectUnauthorized: false });
    if (socket.pending && !socket.connecting) socket.connect(port, '127.0.0.1');
    expect(await textOf(client)).toBe('bye');
    await once(client, 'close');
  }
});

test('instanceof holds for the sockets and servers that those modules make', async () => {
  const server = http.createServer().listen(0, '127.0.0.1');
  const secured = new tls.TLSSocket(new net.Socket());
  const [request] = await Promise.all([
    once(server, 'request').then(([incoming, response]) => response.end() && incoming),
    fetch(`http://127.0.0.1:${await once(server, 'listening').then(() => (server.address() as net.AddressInfo).port)}`),
  ]);
  expect([request.socket, secured].map((each) => each instanceof net.Socket)).toEqual([true, true]);
  expect([server, net.createServer()].map((each) => each instanceof net.Server)).toEqual([true, true]);
  class Mine extends net.Socket {}
  expect([request.socket instanceof Mine, new Mine() instanceof net.Socket]).toEqual([false, true]);
  server.closeAllConnections();
  server.close();
});

test('a child process is given a socket as its output', async () => {
  const port = await serving((socket) => {
    const child = spawn(process.execPath, ['-p', '6 * 7'], { stdio: ['ignore', socket, 'inherit'] });
    child.on('close', () => socket.end('and more'));
  });
  expect(await textOf(net.connect(port, '127.0.0.1'))).toBe('42\nand more');
});

test('http2: a session over our sockets', async () => {
  const server = http2.createServer((_request, response) => response.end('two'));
  const port = await serving((socket) => server.emit('connection', socket));
  const session = http2.connect(`http://127.0.0.1:${port}`, { createConnection: () => net.connect(port, '127.0.0.1') });
  const stream = session.request({ ':path': '/' });
  expect(await textOf(stream)).toBe('two');
  session.close();
  await once(session, 'close');
});
