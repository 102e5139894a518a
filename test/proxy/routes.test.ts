// TLS pass-through by SNI. Each target is a TLS server of Node's, with a key that both sides know and no
// certificate, so that a handshake that comes through is one that nobody touched.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { dial, type ProxyEvent, type ProxyOptions, pipe, Proxy as TcpProxy } from 'spliceway';
import { afterEach, describe, expect, test } from 'vitest';
import { readAll, readExactly } from '../support/bytes.ts';
import { reset } from '../support/chain.ts';
import { ask, echo, greeter, nobody } from '../support/targets.ts';
import { eventually } from '../support/time.ts';

const KEY = Buffer.from('0123456789abcdef0123456789abcdef', 'hex');
const TLS = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A TLS server that answers with its name; its address. */
async function tlsGreeter(name: string): Promise<string> {
  const server = createServer({ ...TLS, pskCallback: () => KEY, pskIdentityHint: '' }, (socket) => socket.end(name));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function tlsAsk(proxy: TcpProxy, servername: string | undefined): Promise<string> {
  const { port } = proxy.addr as { port: number };
  const pskCallback = () => ({ psk: KEY, identity: 'test' });
  const options = { ...TLS, host: '127.0.0.1', port, pskCallback, checkServerIdentity: () => undefined };
  const socket: TLSSocket = connect(servername === undefined ? options : { ...options, servername });
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

async function start(options: ProxyOptions): Promise<TcpProxy> {
  const proxy = await TcpProxy.listen('tcp', '127.0.0.1:0', options);
  closers.push(() => proxy.close());
  return proxy;
}

test('a client gets the target of the name that it asks for', async () => {
  const proxy = await start({
    targets: await tlsGreeter('default'),
    routes: {
      'a.example.com': await tlsGreeter('a'),
      '*.example.com': [await tlsGreeter('wild')],
      '*.deep.example.com': { address: await tlsGreeter('deep') },
      'Upper.Test.': await tlsGreeter('upper'),
    },
  });
  const asked: [name: string | undefined, answer: string][] = [
    ['a.example.com', 'a'],
    ['A.Example.COM', 'a'],
    ['b.example.com', 'wild'],
    ['x.y.example.com', 'wild'],
    ['x.deep.example.com', 'deep'],
    ['deep.example.com', 'wild'],
    ['example.com', 'default'],
    ['notexample.com', 'default'],
    ['upper.test', 'upper'],
    ['other.test', 'default'],
    [undefined, 'default'],
  ];
  for (const [name, answer] of asked) expect([name, await tlsAsk(proxy, name)]).toEqual([name, answer]);
});

test('a route is balanced among its targets, and one that is down is passed over', async () => {
  const proxy = await start({
    routes: { 'a.test': [await tlsGreeter('1'), await nobody(), await tlsGreeter('2')] },
  });
  const answers = [];
  for (let i = 0; i < 4; i++) answers.push(await tlsAsk(proxy, 'a.test'));
  expect(answers.sort()).toEqual(['1', '1', '2', '2']);
});

test('a target that several routes have is one target', async () => {
  const address = await tlsGreeter('shared');
  const proxy = await start({ targets: address, routes: { 'a.test': address, 'b.test': address } });
  for (const name of ['a.test', 'b.test', 'c.test']) expect(await tlsAsk(proxy, name)).toBe('shared');
  expect(proxy.stats.targets).toMatchObject([{ name: address, total: 3 }]);
});

describe('what is no TLS', () => {
  test('goes to the default target, whole', async () => {
    await using to = await echo();
    const proxy = await start({ targets: to.argument, routes: { 'a.test': await nobody() } });
    using client = await dial('tcp', `${proxy.addr}`);
    await client.write('GET / HTTP/1.1\r\n\r\n');
    expect(String(await readExactly(client, 18))).toBe('GET / HTTP/1.1\r\n\r\n');
  });

  test('is turned away where there is none, as names are that have no route', async () => {
    const events: ProxyEvent[] = [];
    const proxy = await start({ routes: { 'a.test': await tlsGreeter('a') }, onEvent: (event) => events.push(event) });
    using client = await dial('tcp', `${proxy.addr}`);
    await client.write('GET /');
    expect(await readAll(client).catch(() => Buffer.alloc(0))).toHaveLength(0);
    await expect(tlsAsk(proxy, 'b.test')).rejects.toThrow();
    await eventually(() => proxy.stats.rejected.noRoute === 2);
    expect(events).toMatchObject([
      { type: 'reject', reason: 'noRoute', id: 1 },
      { type: 'reject', reason: 'noRoute', id: 2 },
    ]);
  });

  test('a connection of another make has no name', async () => {
    await using to = await greeter('hello');
    const [near, far] = pipe();
    const listener = {
      addr: far.localAddr,
      accept: () => new Promise(() => {}),
      close: () => true,
      async *[Symbol.asyncIterator]() {
        yield far;
      },
    };
    const proxy = new TcpProxy(listener as never, { targets: to.argument, routes: { 'a.test': await nobody() } });
    expect(String(await readAll(near as never))).toBe('hello');
    proxy.close();
  });
});

describe('a ClientHello that does not come', () => {
  test('in time ends the connection; what has come of one is no reason to wait longer', async () => {
    const proxy = await start({ targets: await nobody(), routes: { 'a.test': await nobody() }, helloTimeout: 50 });
    const from = performance.now();
    expect(await ask(proxy)).toBe('');
    expect(performance.now() - from).toBeGreaterThanOrEqual(49);
    using client = await dial('tcp', `${proxy.addr}`);
    await client.write(Buffer.from('1603010200', 'hex'));
    expect(await readAll(client).catch(() => Buffer.alloc(0))).toHaveLength(0);
    await eventually(() => proxy.stats.rejected.noHello === 2);
    expect(proxy.stats.targets.map(({ failed }) => failed)).toEqual([0, 0]);
  });

  test('because the client went away, or the proxy was closed', async () => {
    const proxy = await start({ targets: await nobody(), routes: { 'a.test': await nobody() } });
    const client = await dial('tcp', `${proxy.addr}`);
    await eventually(() => proxy.stats.active === 1);
    reset(client);
    await eventually(() => proxy.stats.rejected.clientGone === 1);
    using _another = await dial('tcp', `${proxy.addr}`);
    await eventually(() => proxy.stats.active === 1);
    proxy.close();
    await eventually(() => proxy.stats.rejected.closed === 1);
    expect(proxy.stats.active).toBe(0);
  });
});

test('two ways to write a name share its targets', async () => {
  const proxy = await start({ routes: { 'A.test': await tlsGreeter('one'), 'a.test.': await tlsGreeter('two') } });
  expect(proxy.stats.targets).toHaveLength(2);
  const answers = [await tlsAsk(proxy, 'a.test'), await tlsAsk(proxy, 'a.test')];
  expect(answers.sort()).toEqual(['one', 'two']);
});

test('a stranger with a PROXY header is counted as that and nothing else', async () => {
  const events: ProxyEvent[] = [];
  const proxy = await start({
    routes: { 'a.test': await tlsGreeter('one') },
    listen: { proxyProtocol: { trusted: [] } },
    onEvent: (event) => events.push(event),
  });
  using stranger = await dial('tcp', `${proxy.addr}`);
  await stranger.write('PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n');
  expect(await stranger.read().catch(() => null)).toBeNull();
  await eventually(() => proxy.stats.proxyHeaders?.untrusted === 1);
  expect(Object.values(proxy.stats.rejected).every((count) => count === 0)).toBe(true);
  expect(events).toEqual([]);
});
