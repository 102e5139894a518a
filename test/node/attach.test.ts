import { once } from 'node:events';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import { connect, createServer, type Socket } from 'node:net';
import * as tls from 'node:tls';
import { type Listener, listen, pipe, serve } from 'spliceway';
import { limitListener } from 'spliceway/limits';
import { type Attachable, attach } from 'spliceway/node';
import { expect, test, vi } from 'vitest';
import { caught } from '../support/caught.ts';
import { openSockets } from '../support/fds.ts';
import { socketPath } from '../support/pair.ts';
import { eventually, isPending, turns } from '../support/time.ts';
import { anyPort, ask, credentials, gone, kept, portOf, raw } from './support.ts';

const hello: http.RequestListener = (request, response) => {
  const { remoteAddress, remotePort } = request.socket;
  response.end(`HTTP/${request.httpVersion} ${remoteAddress} ${remotePort}`);
};

async function attached(server: Attachable | { plain: Attachable; tls: Attachable }, options = {}) {
  return kept(attach(await anyPort(), server, options));
}

/** A request over http2. */
async function askHTTP2(url: string, path = '/') {
  const session = kept(http2.connect(url, { rejectUnauthorized: false }));
  const request = session.request({ ':path': path });
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return { session, text };
}

test('http', async () => {
  const server = http.createServer(hello);
  const at = await attached(server);
  expect((await ask(portOf(at))).text).toMatch(/^HTTP\/1\.1 127\.0\.0\.1 \d+$/);
  expect(at.addr.network).toBe('tcp');
});

test('http over a Unix socket', async () => {
  const path = socketPath();
  const at = kept(attach(await listen('unix', path), http.createServer(hello)));
  expect((await ask(0, '/', { socketPath: path })).text).toBe('HTTP/1.1 undefined undefined');
  at.close();
});

test('https, and what is below it', async () => {
  const at = await attached(https.createServer(credentials, hello));
  expect((await ask(portOf(at), '/', { protocol: 'https:' })).text).toMatch(/^HTTP\/1\.1 127\.0\.0\.1 \d+$/);
  const lines: string[] = [];
  const plain = await attached(
    tls.createServer(credentials, (socket) => {
      socket.on('data', (chunk) => lines.push(`${chunk}`));
      socket.end('secret');
    }),
  );
  const socket = tls.connect({ port: portOf(plain), rejectUnauthorized: false });
  expect(`${(await once(socket, 'data'))[0]}`).toBe('secret');
});

test('http2, in the clear and over tls', async () => {
  const clear = await attached(http2.createServer(hello as never));
  expect((await askHTTP2(`http://127.0.0.1:${portOf(clear)}`)).text).toMatch(/^HTTP\/2\.0 127\.0\.0\.1 \d+$/);
  const secure = await attached(http2.createSecureServer({ ...credentials, allowHTTP1: true }, hello as never));
  expect((await askHTTP2(`https://127.0.0.1:${portOf(secure)}`)).text).toMatch(/^HTTP\/2\.0 127\.0\.0\.1 \d+$/);
  expect((await ask(portOf(secure), '/', { protocol: 'https:' })).text).toMatch(/^HTTP\/1\.1 127\.0\.0\.1 \d+$/);
});

test('http2 with a listener of streams alone', async () => {
  const server = http2.createServer();
  server.on('stream', (stream) => (stream.respond({ ':status': 200 }) as never) ?? stream.end('a stream'));
  const at = await attached(server);
  const { session, text } = await askHTTP2(`http://127.0.0.1:${portOf(at)}`);
  expect(text).toBe('a stream');
  const sessionGone = once(session, 'close');
  expect(await at.shutdown()).toEqual({ finished: 1, forced: 0 });
  await sessionGone;
});

test("net, with the server's options", async () => {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, highWaterMark: 4711 }, (socket) => sockets.push(socket));
  const at = await attached(server);
  const client = await raw(portOf(at));
  client.end('over');
  await eventually(() => sockets.length === 1);
  const [socket] = sockets as [Socket];
  expect(socket).toMatchObject({ allowHalfOpen: true, readableHighWaterMark: 4711 });
  await once(socket.resume(), 'end');
  socket.end('and out');
  await gone(client);
  expect(client.received).toBe('and out');
});

test('plain and tls on one port', async () => {
  const at = await attached({
    plain: http.createServer(hello),
    tls: http2.createSecureServer({ ...credentials, allowHTTP1: true }, hello as never),
  });
  const port = portOf(at);
  expect((await ask(port)).text).toMatch(/^HTTP\/1\.1/);
  expect((await ask(port, '/', { protocol: 'https:' })).text).toMatch(/^HTTP\/1\.1/);
  expect((await askHTTP2(`https://127.0.0.1:${port}`)).text).toMatch(/^HTTP\/2\.0/);
});

test('who says nothing at all is closed in time, and at once when the server ends', async () => {
  const both = { plain: http.createServer(hello), tls: https.createServer(credentials, hello) };
  const hasty = await attached(both, { firstByteTimeout: 20 });
  await gone(await raw(portOf(hasty)));
  const patient = await attached(both, { firstByteTimeout: 0 });
  const silent = await raw(portOf(patient));
  const silentGone = gone(silent);
  await eventually(() => patient.connections === 1);
  expect(await patient.shutdown()).toEqual({ finished: 1, forced: 0 });
  await silentGone;
});

test('a limit of the listener holds for sockets', async () => {
  const limited = limitListener(await anyPort(), 1);
  const at = kept(attach(limited, http.createServer(hello)));
  const agent = kept(new http.Agent({ keepAlive: true, maxSockets: 1 }));
  await ask(portOf(at), '/', { agent });
  const second = ask(portOf(at), '/', { agent: false });
  expect(await isPending(second)).toBe(true);
  expect(at.connections).toBe(1);
  agent.destroy();
  expect((await second).status).toBe(200);
});

test('two listeners on one port and one server: reusePort', async () => {
  const server = http.createServer(hello);
  const first = await anyPort({ reusePort: true });
  const second = await listen('tcp', `${first.addr}`, { reusePort: true });
  const ats = [kept(attach(first, server)), kept(attach(second, server))];
  for (let i = 0; i < 20; i++) expect((await ask(portOf(ats[0] as never), '/', { agent: false })).status).toBe(200);
  const closed = once(server, 'close');
  for (const at of ats) await at.shutdown();
  await closed;
});

test.each(['http', 'https', 'both'])("PROXY headers: %s sees the client's address", async (kind) => {
  const server = { http: http.createServer(hello), https: https.createServer(credentials, hello) };
  const proxied = await listen('tcp', '127.0.0.1:0', { proxyProtocol: { trusted: ['127.0.0.1'] } });
  const to = kind === 'both' ? { plain: server.http, tls: server.https } : server[kind as 'http'];
  const at = kept(attach(proxied, to as Attachable));
  const socket = await raw(portOf(at), 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n');
  if (kind === 'https') {
    const secure = tls.connect({ socket, rejectUnauthorized: false });
    secure.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let text = '';
    for await (const chunk of secure.setEncoding('utf8')) text += chunk;
    expect(text).toMatch(/HTTP\/1\.1 192\.0\.2\.7 4711$/);
    return;
  }
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await gone(socket);
  expect(socket.received).toMatch(/HTTP\/1\.1 192\.0\.2\.7 4711$/);
});

test('PROXY headers of strangers: their connection is closed', async () => {
  const at = kept(
    attach(await listen('tcp', '127.0.0.1:0', { proxyProtocol: { trusted: ['192.0.2.1'] } }), http.createServer(hello)),
  );
  const stranger = await raw(portOf(at), 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n');
  await gone(stranger);
  expect(stranger.received).toBe('');
  expect((await ask(portOf(at))).text).toContain('127.0.0.1');
});

test('connections that are no sockets go as a Duplex', async () => {
  const [client, server] = pipe();
  const given = [server];
  const listener = {
    addr: server.localAddr,
    close: () => false,
    async *[Symbol.asyncIterator]() {
      yield* given;
    },
    accept: async () => server,
  } as unknown as Listener;
  const at = attach(listener, { plain: http.createServer(hello), tls: https.createServer(credentials, hello) });
  await client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of client) text += chunk;
  expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
  expect(await at.shutdown()).toMatchObject({ forced: 0 });
});

/** Answers /slow when told to. */
function slowServer() {
  const waiting: http.ServerResponse[] = [];
  const listener: http.RequestListener = (request, response) => {
    if (request.url === '/slow') waiting.push(response);
    else response.end('fast');
  };
  return { listener, waiting };
}

test('shutdown(): idle connections go at once, busy ones after their answer', async () => {
  const { listener, waiting } = slowServer();
  const at = await attached(http.createServer(listener));
  const port = portOf(at);
  const agent = kept(new http.Agent({ keepAlive: true }));
  const idle = await raw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => idle.received.endsWith('fast'));
  const silent = await raw(port);
  const slow = ask(port, '/slow', { agent });
  const begun = await raw(port, 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => waiting.length === 2 && at.connections === 4);
  waiting[1]?.write('the head says keep-alive');
  const bothGone = Promise.all([gone(idle), gone(silent)]);
  const result = at.shutdown({ timeout: 10_000 });
  expect(at.signal.aborted).toBe(true);
  await bothGone;
  expect(at.connections).toBe(2);
  const over = gone(begun);
  for (const response of waiting) response.end('slow');
  expect(await slow).toMatchObject({ text: 'slow', connection: 'close' });
  await over;
  expect(begun.received).toMatch(/slow\r\n0\r\n\r\n$/);
  expect(await result).toEqual({ finished: 4, forced: 0 });
});

test('shutdown(): requests that come late, or one behind the other, are answered', async () => {
  const { listener, waiting } = slowServer();
  const at = await attached(http.createServer(listener));
  const half = await raw(portOf(at), 'GET / HTTP/1.1\r\n');
  const queued = await raw(portOf(at), 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
  await eventually(() => waiting.length === 3);
  const result = at.shutdown({ timeout: 10_000 });
  await turns();
  half.write('Host: x\r\n\r\n');
  await gone(half);
  expect(half.received).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*Connection: close/);
  for (const response of waiting) response.end('slow');
  await gone(queued);
  expect(queued.received).toContain('slow');
  expect(await result).toEqual({ finished: 2, forced: 0 });
});

test.each(['one server', 'plain and tls'])(
  'shutdown(): requests that are on their way are answered: %s',
  async (how) => {
    const server = http.createServer(hello);
    const at = await attached(
      how === 'one server' ? server : { plain: server, tls: https.createServer(credentials, hello) },
    );
    const clients = await Promise.all(Array.from({ length: 10 }, () => raw(portOf(at))));
    for (const client of clients) client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const all = Promise.all(clients.map(gone));
    expect(await at.shutdown({ timeout: 10_000 })).toEqual({ finished: 10, forced: 0 });
    await all;
    for (const { received } of clients) expect(received).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*Connection: close/);
  },
);

test('shutdown(): an answer that its client is slow to read is sent in full', async () => {
  const body = Buffer.alloc(8_000_000, 'x');
  const at = await attached(http.createServer((_request, response) => void response.end(body)));
  const client = kept(connect(portOf(at), '127.0.0.1'));
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(client, 'readable');
  const result = at.shutdown({ timeout: 10_000 });
  await turns();
  let length = 0;
  for await (const chunk of client) length += chunk.length;
  expect(length).toBeGreaterThan(body.length);
  expect(await result).toEqual({ finished: 1, forced: 0 });
});

test('shutdown(): a server with a port of its own keeps connections alive there again', async () => {
  const server = kept(http.createServer(hello)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = await attached(server);
  await at.shutdown();
  const agent = kept(new http.Agent({ keepAlive: true }));
  const { connection } = await ask((server.address() as { port: number }).port, '/', { agent });
  expect(connection).toBe('keep-alive');
});

test('shutdown(): http2 is told GOAWAY, and finishes its streams', async () => {
  const { listener, waiting } = slowServer();
  const at = await attached(http2.createServer(listener as never));
  const { session } = await askHTTP2(`http://127.0.0.1:${portOf(at)}`);
  const request = session.request({ ':path': '/slow' }).setEncoding('utf8');
  await eventually(() => waiting.length === 1);
  const told = once(session, 'goaway');
  const result = at.shutdown({ timeout: 10_000 });
  expect((await told)[0]).toBe(http2.constants.NGHTTP2_NO_ERROR);
  waiting[0]?.end('slow');
  let text = '';
  for await (const chunk of request) text += chunk;
  expect(text).toBe('slow');
  expect(await result).toEqual({ finished: 1, forced: 0 });
});

test('shutdown(): what is busy at the deadline is destroyed', async () => {
  const { listener, waiting } = slowServer();
  const at = await attached(http.createServer(listener));
  const slow = ask(portOf(at), '/slow');
  await eventually(() => waiting.length === 1);
  const failed = caught<NodeJS.ErrnoException>(slow);
  expect(await at.shutdown({ timeout: 20 })).toEqual({ finished: 0, forced: 1 });
  expect((await failed).code).toBe('ECONNRESET');
});

test('close() destroys all connections, and the server is closed', async () => {
  const server = http.createServer(slowServer().listener);
  const at = await attached(server);
  const busy = await raw(portOf(at), 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => at.connections === 1);
  const closed = once(server, 'close');
  expect(at.close()).toBe(true);
  expect(at.close()).toBe(false);
  await Promise.all([closed, gone(busy)]);
});

test('a signal closes it, one that was aborted before too', async () => {
  const stop = new AbortController();
  const at = await attached(http.createServer(hello), { signal: stop.signal });
  const idle = await raw(portOf(at));
  await eventually(() => at.connections === 1);
  stop.abort();
  await gone(idle);
  const never = await attached(http.createServer(hello), { signal: AbortSignal.abort() });
  await expect(raw(portOf(never))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test("a server's timeouts run, and it can be attached again", async () => {
  const server = http.createServer({ connectionsCheckingInterval: 20, headersTimeout: 20 }, hello);
  for (let i = 0; i < 2; i++) {
    const at = await attached(server);
    const slow = await raw(portOf(at), 'GET / HTTP/1.1\r\n');
    await gone(slow);
    expect(slow.received).toMatch(/^HTTP\/1\.1 408/);
    await at[Symbol.asyncDispose]();
  }
});

test('no descriptor is left, however connections end', async () => {
  const before = openSockets();
  const at = await attached({ plain: http.createServer(hello), tls: https.createServer(credentials, hello) });
  await Promise.all(Array.from({ length: 20 }, () => ask(portOf(at), '/', { agent: false })));
  const clients = await Promise.all(Array.from({ length: 20 }, (_, i) => raw(portOf(at), i % 2 === 0 ? 'G' : '')));
  for (const client of clients.slice(10)) client.resetAndDestroy();
  await eventually(() => at.connections <= 10);
  at.close();
  await Promise.all(clients.map((client) => client.closed || gone(client)));
  await eventually(() => openSockets() <= before);
});

test('what peers do ends their connection: net, tls, http, http2', async () => {
  const uncaught = vi.fn();
  process.on('uncaughtException', uncaught);
  const opened: Socket[] = [];
  const servers = [
    createServer((socket) => void opened.push(socket)),
    tls.createServer(credentials, (socket) => void opened.push(socket)),
    http.createServer(slowServer().listener),
    http2.createServer(slowServer().listener as never),
  ];
  for (const server of servers) {
    const at = await attached(server);
    const peer = await raw(portOf(at), 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => at.connections === 1);
    peer.resetAndDestroy();
    for (const socket of opened) socket.write('x'.repeat(1 << 20));
    // Without a word more from a peer that is gone, only reading tells of it.
    for (const socket of opened) socket.resume();
    await eventually(() => at.connections === 0);
  }
  await turns();
  process.off('uncaughtException', uncaught);
  expect(uncaught).not.toHaveBeenCalled();
});

test('a tls client that resets after its handshake', async () => {
  const opened: Socket[] = [];
  const at = await attached(tls.createServer(credentials, (socket) => void opened.push(socket)));
  const socket = await raw(portOf(at));
  const client = tls.connect({ socket, rejectUnauthorized: false });
  client.on('error', () => {});
  await eventually(() => opened.length === 1);
  socket.resetAndDestroy();
  opened[0]?.resume();
  await eventually(() => at.connections === 0);
});

test('an http2 stream that its client resets, on a server with a listener of streams alone', async () => {
  const server = http2.createServer();
  const at = await attached(server);
  const closed = new Promise((resolve) => server.on('stream', (stream) => stream.on('close', resolve)));
  const session = kept(http2.connect(`http://127.0.0.1:${portOf(at)}`));
  const request = session.request({ ':method': 'POST' }, { endStream: false }).on('error', () => {});
  await once(server, 'stream');
  request.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  await closed;
});

test("a listener of 'connection' that throws: onError is told, and that connection destroyed", async () => {
  const onError = vi.fn();
  const mistake = new Error('mine');
  const at = await attached(
    createServer(() => {
      throw mistake;
    }),
    { onError },
  );
  await gone(await raw(portOf(at)));
  await eventually(() => at.connections === 0);
  expect(onError).toHaveBeenCalledWith(mistake, expect.anything());
});

test('mistakes', async () => {
  const listener = await anyPort();
  expect(() => attach(listener, {} as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  expect(() => attach(null as never, http.createServer())).toThrow(/"listener"/);
  expect(() => attach(listener, http.createServer(), { firstByteTimeout: -1 })).toThrow(/out of range/);
  expect(() => attach(listener, { plain: http.createServer(), tls: 7 } as never)).toThrow(/server\.tls/);
  const other = kept(serve(listener, () => {}));
  expect(() => attach(listener, http.createServer())).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }));
  other.close();
});
