import {
  dial,
  listen,
  type ProxyEvent,
  type ProxyOptions,
  pipe,
  serve,
  type TCPAddr,
  Proxy as TcpProxy,
} from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { MIXES, send } from '../support/chain.ts';
import { socketPath } from '../support/pair.ts';
import { ask, echo, greeter, type Socket, target } from '../support/targets.ts';
import { eventually } from '../support/time.ts';

const start = (network: 'tcp' | 'unix', options: ProxyOptions) =>
  TcpProxy.listen(network, network === 'tcp' ? '127.0.0.1:0' : socketPath(), options);

const connect = (proxy: TcpProxy): Promise<Socket> => dial(proxy.addr.network as 'tcp' | 'unix', `${proxy.addr}`);

describe.each(MIXES)('%s to %s', (first, second) => {
  test('bytes pass unchanged, both ways at once, on several connections', async () => {
    await using to = await echo(second);
    await using proxy = await start(first, { targets: to.argument });
    await Promise.all(
      [1, 2, 3].map(async (seed) => {
        using client = await connect(proxy);
        const all = bytes(4 * MiB, seed);
        const [back] = await Promise.all([readAll(client), send(client, all)]);
        expect(sha256(back)).toBe(sha256(all));
      }),
    );
    await eventually(() => proxy.stats.active === 0);
    expect(proxy.stats).toMatchObject({ total: 3, bytesToTargets: 12 * MiB, bytesToClients: 12 * MiB });
  });

  test('a half-close passes, with bytes before it and without', async () => {
    using to = await target(second);
    await using proxy = await start(first, { targets: to.argument });
    for (const question of ['question', '']) {
      using client = await connect(proxy);
      await send(client, question);
      using upstream = await to.accept();
      expect(String(await readAll(upstream))).toBe(question);
      await send(upstream, 'answer');
      expect(String(await readAll(client))).toBe('answer');
    }
  });
});

test("a client's first bytes and its FIN, sent before there is a target, are kept for it", async () => {
  using to = await target();
  let ready = () => {};
  // The name is not resolved before the client has said everything.
  const lookup = () => new Promise<string[]>((resolve) => (ready = () => resolve(['127.0.0.1'])));
  const port = (to.addr as TCPAddr).port;
  await using proxy = await start('tcp', { targets: `target.test:${port}`, dial: { lookup } });
  using client = await connect(proxy);
  const all = bytes(100_000);
  await send(client, all);
  await eventually(() => proxy.stats.targets[0]?.active === 1);
  ready();
  using upstream = await to.accept();
  expect(sha256(await readAll(upstream))).toBe(sha256(all));
  await send(upstream, 'got it');
  expect(String(await readAll(client))).toBe('got it');
});

test('IPv6 on both sides', async () => {
  using to = await listen('tcp6', '[::1]:0');
  await using proxy = await TcpProxy.listen('tcp6', '[::1]:0', { targets: [`${to.addr}`] });
  using client = await connect(proxy);
  await client.write('six');
  using upstream = await to.accept();
  expect(String(await readExactly(upstream, 3))).toBe('six');
  expect(proxy.stats.targets[0]?.name).toMatch(/^\[::1\]:\d+$/);
});

test('targets are dialed as `dial` says', async () => {
  using to = await target();
  await using proxy = await start('tcp', { targets: to.argument, dial: { localAddr: '127.0.0.9:0' } });
  using _client = await connect(proxy);
  using upstream = await to.accept();
  expect((upstream.remoteAddr as TCPAddr).ip).toBe('127.0.0.9');
});

test('it listens as `listen` says', async () => {
  await using to = await greeter('hello');
  await using one = await start('tcp', { targets: to.argument, listen: { reusePort: true } });
  await using two = await TcpProxy.listen('tcp', `${one.addr}`, { targets: to.argument, listen: { reusePort: true } });
  expect(`${two.addr}`).toBe(`${one.addr}`);
});

test('a listener of its own making is forwarded, and belongs to the proxy then', async () => {
  await using to = await greeter('hello');
  const listener = await listen('tcp', '127.0.0.1:0');
  const early = await dial('tcp', `${listener.addr}`);
  const proxy = new TcpProxy(listener, { targets: [{ address: to.argument }] });
  expect(String(await readAll(early))).toBe('hello');
  early.close();
  expect(await caught(listener.accept())).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY' });
  expect(proxy.close()).toBe(true);
  expect(proxy.close()).toBe(false);
  expect(await caught(listener.accept())).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
});

test('connections of another make are forwarded too', async () => {
  await using to = await echo();
  const [near, far] = pipe();
  const queue = [far];
  const accept = () => queue.pop() ?? new Promise(() => {});
  const listener = {
    addr: far.localAddr,
    accept,
    close: () => true,
    async *[Symbol.asyncIterator]() {
      for (;;) yield await accept();
    },
  };
  const proxy = new TcpProxy(listener as never, { targets: to.argument, balance: 'sourceHash', maxPerSource: 1 });
  await near.write('through a pipe');
  expect(String(await readExactly(near as never, 14))).toBe('through a pipe');
  near.close();
  await eventually(() => proxy.stats.active === 0);
  proxy.close();
});

describe('events', () => {
  test('tell of a connection that is joined, and of its end', async () => {
    await using to = await echo();
    const events: ProxyEvent[] = [];
    await using proxy = await start('tcp', { targets: to.argument, onEvent: (event) => events.push(event) });
    using client = await connect(proxy);
    await send(client, 'hello');
    await readAll(client);
    await eventually(() => events.length === 2);
    const joined = { id: 1, source: client.localAddr, target: to.argument, connectTime: expect.any(Number) };
    expect(events).toEqual([
      { type: 'connect', ...joined },
      {
        type: 'end',
        ...joined,
        reason: 'end',
        endedBy: 'client',
        error: null,
        bytesToTarget: 5,
        bytesToClient: 5,
        duration: expect.any(Number),
      },
    ]);
  });

  test('are told whatever becomes of those that hear them', async () => {
    await using to = await greeter('hello');
    const thrown: unknown[] = [];
    const caughtHere = (error: unknown) => thrown.push(error);
    process.on('uncaughtException', caughtHere);
    const mistake = new Error('a mistake');
    await using proxy = await start('tcp', {
      targets: to.argument,
      onEvent: () => {
        throw mistake;
      },
    });
    expect(await ask(proxy)).toBe('hello');
    await eventually(() => thrown.length === 2);
    process.off('uncaughtException', caughtHere);
    expect(thrown).toEqual([mistake, mistake]);
  });
});

test('the counters of a running connection are live', async () => {
  await using to = await echo();
  await using proxy = await start('tcp', { targets: to.argument });
  using client = await connect(proxy);
  await client.write('hello');
  await readExactly(client, 5);
  await eventually(() => proxy.stats.bytesToClients === 5);
  const { active, bytesToTargets, bytesToClients, targets } = proxy.stats;
  expect({ active, bytesToTargets, bytesToClients }).toEqual({ active: 1, bytesToTargets: 5, bytesToClients: 5 });
  expect(targets).toEqual([
    { name: to.argument, state: 'up', active: 1, total: 1, failed: 0, bytesToTarget: 5, bytesToClients: 5 },
  ]);
});

describe('what cannot be', () => {
  const NOT_TYPE = { code: 'ERR_INVALID_ARG_TYPE' };
  const NOT_VALUE = { code: 'ERR_INVALID_ARG_VALUE' };
  const NOT_IN_RANGE = { code: 'ERR_OUT_OF_RANGE' };
  const NO_ADDRESS = { code: 'ERR_SPLICEWAY_ADDRESS', op: 'dial' };
  const T = '127.0.0.1:80';

  test.each<[options: unknown, error: object]>([
    [undefined, NOT_TYPE],
    [{}, NOT_VALUE],
    [{ targets: [] }, NOT_VALUE],
    [{ targets: 80 }, NOT_TYPE],
    [{ targets: [T, null] }, NOT_TYPE],
    [{ targets: new Array(1) }, NOT_TYPE],
    [{ targets: 'nowhere' }, NO_ADDRESS],
    [{ targets: { address: '127.0.0.1:99999' } }, NO_ADDRESS],
    [{ targets: {} }, NOT_TYPE],
    [{ targets: { address: T, network: 'udp' } }, NOT_VALUE],
    [{ targets: { address: T, weight: 0 } }, NOT_IN_RANGE],
    [{ targets: { address: T, weight: 101 } }, NOT_IN_RANGE],
    [{ targets: { address: T, weight: '1' } }, NOT_TYPE],
    [{ targets: T, routes: { 'a b': T } }, NOT_VALUE],
    [{ targets: T, routes: { 'a.test': [] } }, NOT_VALUE],
    [{ targets: T, routes: 1 }, NOT_TYPE],
    [{ targets: T, balance: 'random' }, NOT_VALUE],
    [{ targets: T, connectTimeout: -1 }, NOT_IN_RANGE],
    [{ targets: T, idleTimeout: '5s' }, NOT_TYPE],
    [{ targets: T, halfCloseTimeout: Number.NaN }, NOT_IN_RANGE],
    [{ targets: T, rateLimit: 1.5 }, NOT_IN_RANGE],
    [{ targets: T, maxConnections: -1 }, NOT_IN_RANGE],
    [{ targets: T, maxPerSource: true }, NOT_TYPE],
    [{ targets: T, health: null }, NOT_TYPE],
    [{ targets: T, health: { failures: -1 } }, NOT_IN_RANGE],
    [{ targets: T, health: { backoff: -1 } }, NOT_IN_RANGE],
    [{ targets: T, health: { maxBackoff: '1' } }, NOT_TYPE],
    [{ targets: T, dial: { localAddr: 1 } }, NOT_TYPE],
    [{ targets: T, dial: 1 }, NOT_TYPE],
    [{ targets: T, listen: { backlog: 0 } }, NOT_IN_RANGE],
    [{ targets: T, onEvent: 1 }, NOT_TYPE],
    [{ targets: T, signal: 1 }, NOT_TYPE],
  ])('%j', async (options, error) => {
    expect(await caught(TcpProxy.listen('tcp', '127.0.0.1:0', options as never))).toMatchObject(error);
  });

  test('arguments of the constructor', async () => {
    expect(() => new TcpProxy(1 as never, { targets: T })).toThrow(expect.objectContaining(NOT_TYPE));
    await using to = await echo();
    const listener = await listen('tcp', '127.0.0.1:0');
    expect(() => new TcpProxy(listener, {} as never)).toThrow(expect.objectContaining(NOT_VALUE));
    const server = serve(listener, () => {});
    expect(() => new TcpProxy(listener, { targets: to.argument })).toThrow(
      expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }),
    );
    server.close();
  });

  test('an address to listen on', async () => {
    expect(await caught(TcpProxy.listen('tcp', 'nowhere', { targets: T }))).toMatchObject({ op: 'listen' });
  });
});
