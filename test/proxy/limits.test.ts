import { type Conn, dial, type ProxyEvent, type ProxyOptions, Proxy as TcpProxy } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, KiB, readAll, readExactly } from '../support/bytes.ts';
import { send } from '../support/chain.ts';
import { socketPath } from '../support/pair.ts';
import { ask, echo, target } from '../support/targets.ts';
import { eventually, PATIENCE } from '../support/time.ts';

async function start(to: { argument: string }, options: ProxyOptions) {
  const events: ProxyEvent[] = [];
  const onEvent = (event: ProxyEvent) => events.push(event);
  const proxy = await TcpProxy.listen('tcp', '127.0.0.1:0', { targets: to.argument, ...options, onEvent });
  return Object.assign(proxy, { events });
}

/** A client that was served once. */
async function served(proxy: TcpProxy, localAddr?: string) {
  const client = await dial('tcp', `${proxy.addr}`, { localAddr });
  await client.write('x');
  expect(String(await readExactly(client, 1))).toBe('x');
  return client;
}

const turnedAway = async (proxy: TcpProxy, localAddr?: string) => expect(await ask(proxy, localAddr)).toBe('');

describe('maxConnections', () => {
  test('those beyond are closed at once, and counted; a place is free when one ends', async () => {
    await using to = await echo();
    await using proxy = await start(to, { maxConnections: 2 });
    const one = await served(proxy);
    using _two = await served(proxy);
    for (let i = 0; i < 3; i++) await turnedAway(proxy);
    expect(proxy.stats).toMatchObject({ active: 2, total: 5, rejected: { maxConnections: 3 } });
    expect(proxy.events.filter(({ type }) => type === 'reject')).toMatchObject([
      { id: 3, reason: 'maxConnections', error: null },
      { id: 4 },
      { id: 5 },
    ]);
    one.close();
    await eventually(() => proxy.stats.active === 1);
    using _three = await served(proxy);
    await turnedAway(proxy);
  });
});

describe('maxPerSource', () => {
  test.runIf(process.platform === 'linux')('is for each address, whatever its ports', async () => {
    await using to = await echo();
    await using proxy = await start(to, { maxPerSource: 2 });
    const one = await served(proxy, '127.0.0.1:0');
    using _two = await served(proxy, '127.0.0.1:0');
    await turnedAway(proxy, '127.0.0.1:0');
    using _three = await served(proxy, '127.0.0.2:0');
    using _four = await served(proxy, '127.0.0.2:0');
    await turnedAway(proxy, '127.0.0.2:0');
    one.close();
    await eventually(() => proxy.stats.active === 3);
    using _five = await served(proxy, '127.0.0.1:0');
    expect(proxy.stats.rejected.maxPerSource).toBe(2);
  });

  test('clients of a Unix socket have no address, and no such limit', async () => {
    await using to = await echo();
    await using proxy = await TcpProxy.listen('unix', socketPath(), { targets: to.argument, maxPerSource: 1 });
    const clients = [];
    for (let i = 1; i <= 3; i++) {
      clients.push(await dial('unix', `${proxy.addr}`));
      await eventually(() => proxy.stats.active === i);
    }
    for (const client of clients) client.close();
  });
});

describe('idleTimeout', () => {
  test('ends a connection on which nothing moves, and none on which something does', async () => {
    await using to = await echo();
    await using proxy = await start(to, { idleTimeout: 200 });
    using idle = await served(proxy);
    using busy = await served(proxy);
    const from = performance.now();
    let idleFor = 0;
    const ended = over(idle).then(() => {
      idleFor = performance.now() - from;
    });
    while (idleFor === 0) {
      await busy.write('x');
      expect(String(await readExactly(busy, 1))).toBe('x');
    }
    await ended;
    expect(idleFor).toBeGreaterThanOrEqual(190);
    expect(proxy.events.find(({ type }) => type === 'end')).toMatchObject({ reason: 'idle', endedBy: null });
  });
});

describe('halfCloseTimeout', () => {
  test.each(['client', 'target'] as const)('ends a connection after the FIN of its %s', async (who) => {
    using to = await target();
    await using proxy = await start(to, { halfCloseTimeout: 100 });
    using client = await dial('tcp', `${proxy.addr}`);
    using upstream = await to.accept();
    const [first, second] = who === 'client' ? [client, upstream] : [upstream, client];
    await send(first, 'that is all');
    const from = performance.now();
    expect(String(await readAll(second))).toBe('that is all');
    await over(first);
    expect(performance.now() - from).toBeGreaterThanOrEqual(90);
    await eventually(() => proxy.stats.active === 0);
    expect(proxy.events.at(-1)).toMatchObject({ type: 'end', reason: 'halfClose', endedBy: who });
  });
});

describe('rateLimit', () => {
  test('holds each direction to so many bytes a second', async () => {
    using to = await target();
    await using proxy = await start(to, { rateLimit: 200 * KiB });
    using client = await dial('tcp', `${proxy.addr}`);
    using upstream = await to.accept();
    const all = bytes(200 * KiB);
    const from = performance.now();
    const both = [readAll(upstream), readAll(client)];
    await Promise.all([send(client, all), send(upstream, all)]);
    for (const got of await Promise.all(both)) expect(got.equals(all)).toBe(true);
    const took = performance.now() - from;
    // A tenth of a second's worth passes at once.
    expect(took).toBeGreaterThan(800);
    expect(took).toBeLessThan(5000 * PATIENCE);
  });
});

async function over(conn: Conn): Promise<void> {
  await readAll(conn).catch(() => {});
}
