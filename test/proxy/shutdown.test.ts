import { dial, listen, type ProxyEvent, type ProxyOptions, Proxy as TcpProxy } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { blackhole } from '../support/blackhole.ts';
import { bytes, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { send } from '../support/chain.ts';
import { runScript } from '../support/child.ts';
import { openSockets } from '../support/fds.ts';
import { ask, echo, greeter, target } from '../support/targets.ts';
import { eventually, isPending } from '../support/time.ts';

const start = (to: { argument: string }, options: ProxyOptions = {}) =>
  TcpProxy.listen('tcp', '127.0.0.1:0', { targets: to.argument, ...options });

const connect = (proxy: TcpProxy) => dial('tcp', `${proxy.addr}`);

describe('shutdown()', () => {
  test('closes the listener, lets connections finish, and loses no byte of theirs', async () => {
    await using to = await echo();
    const proxy = await start(to);
    using client = await connect(proxy);
    await client.write('x');
    await readExactly(client, 1);
    const down = proxy.shutdown({ timeout: 60_000 });
    expect(await caught(connect(proxy))).toMatchObject({ code: 'ECONNREFUSED' });
    const all = bytes(16 * MiB);
    const [back] = await Promise.all([readAll(client), send(client, all)]);
    expect(sha256(back)).toBe(sha256(all));
    expect(await down).toEqual({ finished: 1, forced: 0 });
    expect(proxy.stats).toMatchObject({ active: 0, bytesToTargets: 16 * MiB + 1, bytesToClients: 16 * MiB + 1 });
  });

  test('accepts and serves those that queue in the kernel', async () => {
    await using to = await greeter('hello');
    const listener = await listen('tcp', '127.0.0.1:0');
    const queued = await Promise.all(Array.from({ length: 100 }, () => dial('tcp', `${listener.addr}`)));
    const proxy = new TcpProxy(listener, { targets: to.argument });
    const more = await Promise.all(Array.from({ length: 100 }, () => dial('tcp', `${listener.addr}`)));
    const down = proxy.shutdown();
    for (const client of [...queued, ...more]) {
      client.closeWrite();
      expect(String(await readAll(client))).toBe('hello');
      client.close();
    }
    const { forced } = await down;
    expect(forced).toBe(0);
    expect(proxy.stats.total).toBe(200);
  });

  test('closes those that are there when the time is up, and says how many', async () => {
    using to = await target();
    const ends: ProxyEvent[] = [];
    const proxy = await start(to, { onEvent: (event) => ends.push(event) });
    using one = await connect(proxy);
    using two = await connect(proxy);
    using first = await to.accept();
    using second = await to.accept();
    await eventually(() => ends.length === 2);
    const from = performance.now();
    expect(await proxy.shutdown({ timeout: 50 })).toEqual({ finished: 0, forced: 2 });
    expect(performance.now() - from).toBeGreaterThanOrEqual(49);
    for (const conn of [one, two, first, second]) expect(await conn.read().catch(() => null)).toBeNull();
    // Their ends have been told by then.
    expect(ends.slice(2)).toMatchObject([
      { type: 'end', reason: 'closed' },
      { type: 'end', reason: 'closed' },
    ]);
    expect(proxy.stats.active).toBe(0);
  });

  test('gives up what is still being connected when the time is up', async () => {
    using hole = await blackhole();
    const proxy = await start({ argument: `${hole.addr}` });
    using client = await connect(proxy);
    await eventually(() => proxy.stats.active === 1);
    expect(await proxy.shutdown({ timeout: 50 })).toEqual({ finished: 0, forced: 1 });
    expect(proxy.stats).toMatchObject({ active: 0, rejected: { closed: 1, clientGone: 0 } });
    expect(await client.read().catch(() => null)).toBeNull();
  });

  test('is over at once where nobody is connected, and may be called again', async () => {
    await using to = await echo();
    const proxy = await start(to);
    const from = performance.now();
    expect(await proxy.shutdown()).toEqual({ finished: 0, forced: 0 });
    expect(await proxy.shutdown()).toEqual({ finished: 0, forced: 0 });
    expect(performance.now() - from).toBeLessThan(1000);
    expect(await caught(proxy.shutdown({ timeout: -1 }))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  });

  test('close() in the middle of it does not wait any longer', async () => {
    using to = await target();
    const proxy = await start(to);
    using client = await connect(proxy);
    using _upstream = await to.accept();
    const down = proxy.shutdown({ timeout: 60_000 });
    expect(await isPending(down)).toBe(true);
    proxy.close();
    expect(await down).toEqual({ finished: 0, forced: 1 });
    expect(await client.read().catch(() => null)).toBeNull();
  });
});

test('close() ends everything at once, and leaves nothing open', async () => {
  const before = openSockets();
  using to = await target();
  const proxy = await start(to);
  const clients = await Promise.all(Array.from({ length: 10 }, () => connect(proxy)));
  await eventually(() => proxy.stats.targets[0]?.total === 10);
  expect(proxy.close()).toBe(true);
  for (const client of clients) {
    expect(await client.read().catch(() => null)).toBeNull();
    client.close();
  }
  to.close();
  await eventually(() => proxy.stats.active === 0 && openSockets() === before);
});

test('a signal closes it', async () => {
  await using to = await greeter('hello');
  const controller = new AbortController();
  const proxy = await start(to, { signal: controller.signal });
  expect(await ask(proxy)).toBe('hello');
  controller.abort();
  expect(await caught(connect(proxy))).toMatchObject({ code: 'ECONNREFUSED' });
});

test('await using shuts it down', async () => {
  await using to = await echo();
  let addr = '';
  {
    await using proxy = await start(to);
    addr = `${proxy.addr}`;
  }
  expect(await caught(dial('tcp', addr))).toMatchObject({ code: 'ECONNREFUSED' });
});

test('a process whose proxy was shut down ends by itself; one whose proxy runs does not', async () => {
  const program = (end: string) => `
    import { Proxy, dial, listen } from 'spliceway';
    const target = await listen('tcp', '127.0.0.1:0');
    const proxy = await Proxy.listen('tcp', '127.0.0.1:0', { targets: String(target.addr), idleTimeout: 60_000 });
    const client = await dial('tcp', String(proxy.addr));
    const upstream = await target.accept();
    client.close();
    upstream.close();
    ${end}
    setTimeout(() => { console.log('alive'); process.exit(); }, 300).unref();
  `;
  expect((await runScript(program('await proxy.shutdown();'))).stdout).toBe('');
  expect((await runScript(program(''))).stdout).toBe('alive\n');
});
