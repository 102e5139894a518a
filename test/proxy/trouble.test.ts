// Clients and targets that misbehave, and a machine that has run out.

import { dial, listen, type ProxyEvent, type ProxyOptions, Proxy as TcpProxy } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { blackhole } from '../support/blackhole.ts';
import { bytes, KiB, MiB, readAll, readExactly } from '../support/bytes.ts';
import { reset, send } from '../support/chain.ts';
import { runScript } from '../support/child.ts';
import { openSockets } from '../support/fds.ts';
import { socketPath } from '../support/pair.ts';
import { ask, echo, greeter, nobody, target } from '../support/targets.ts';
import { eventually, PATIENCE, turns } from '../support/time.ts';

async function start(options: ProxyOptions, network: 'tcp' | 'unix' = 'tcp') {
  const events: ProxyEvent[] = [];
  const onEvent = (event: ProxyEvent) => events.push(event);
  const address = network === 'tcp' ? '127.0.0.1:0' : socketPath();
  const proxy = await TcpProxy.listen(network, address, { ...options, onEvent });
  const connect = () => dial(network, `${proxy.addr}`);
  return Object.assign(proxy, { events, connect });
}

describe('a client that goes away while its target is connected to', () => {
  test.each([
    ['tcp', ''],
    ['tcp', 'early bytes'],
    ['unix', ''],
    ['unix', 'early bytes'],
  ] as const)(
    'over %s, having sent "%s", ends the attempt, which is not held against the target',
    async (network, early) => {
      using hole = await blackhole();
      await using proxy = await start({ targets: [`${hole.addr}`, await nobody()], health: { failures: 1 } }, network);
      const sockets = openSockets();
      const client = await proxy.connect();
      await client.write(early);
      await eventually(() => proxy.stats.targets[0]?.active === 1);
      reset(client);
      await eventually(() => proxy.stats.active === 0);
      expect(proxy.stats.rejected).toMatchObject({ clientGone: 1, noTarget: 0 });
      expect(proxy.stats.targets).toMatchObject([
        { state: 'up', active: 0, failed: 0 },
        { state: 'up', failed: 0 },
      ]);
      expect(proxy.events).toMatchObject([{ type: 'reject', reason: 'clientGone', error: null }]);
      expect(openSockets()).toBe(sockets);
    },
  );

  test('leaves a target that is down free for the next to try', async () => {
    using hole = await blackhole();
    const health = { failures: 1, backoff: 1, maxBackoff: 1 };
    await using proxy = await start({ targets: `${hole.addr}`, connectTimeout: 50, health });
    expect(await ask(proxy)).toBe('');
    expect(proxy.stats.targets[0]).toMatchObject({ state: 'down', failed: 1 });
    const client = await proxy.connect();
    await eventually(() => proxy.stats.active === 1);
    reset(client);
    await eventually(() => proxy.stats.active === 0);
    expect(await ask(proxy)).toBe('');
    expect(proxy.stats.targets[0]?.failed).toBe(2);
  });

  test('a FIN is no going away: the answer is for who waits for it', async () => {
    using to = await target();
    let ready = () => {};
    const lookup = () => new Promise<string[]>((resolve) => (ready = () => resolve(['127.0.0.1'])));
    const [, port] = to.argument.split(':');
    await using proxy = await start({ targets: `target.test:${port}`, dial: { lookup } });
    using client = await proxy.connect();
    client.closeWrite();
    await eventually(() => proxy.stats.active === 1);
    await turns();
    ready();
    using upstream = await to.accept();
    expect(await upstream.read()).toBeNull();
    await send(upstream, 'the answer');
    expect(String(await readAll(client))).toBe('the answer');
  });
});

describe('a target', () => {
  test('that is a black hole is given up after the connect timeout, and the next one serves', async () => {
    using hole = await blackhole();
    await using to = await greeter('hello');
    await using proxy = await start({ targets: [`${hole.addr}`, to.argument], connectTimeout: 100 });
    const from = performance.now();
    expect(await ask(proxy)).toBe('hello');
    const took = performance.now() - from;
    expect(took).toBeGreaterThanOrEqual(99);
    expect(took).toBeLessThan(3000 * PATIENCE);
    expect(proxy.events[0]).toMatchObject({ type: 'dialFailed', target: `${hole.addr}`, error: { timeout: true } });
  });

  test('that resets in the middle of bytes ends its own client', async () => {
    using to = await target();
    await using proxy = await start({ targets: to.argument });
    using steady = await proxy.connect();
    using steadyUpstream = await to.accept();
    using client = await proxy.connect();
    using upstream = await to.accept();
    const writing = client.write(bytes(64 * MiB)).catch((error: unknown) => error);
    await readExactly(upstream, 100 * KiB);
    reset(upstream);
    expect(await writing).toMatchObject({ name: 'OpError' });
    await eventually(() => proxy.stats.active === 1);
    expect(proxy.events.at(-1)).toMatchObject({ type: 'end', id: 2, reason: 'error', endedBy: 'target' });
    await steady.write('still here');
    expect(String(await readExactly(steadyUpstream, 10))).toBe('still here');
  });

  test('that hangs up on everybody at once is up all the same', async () => {
    await using to = await greeter('');
    await using proxy = await start({ targets: to.argument, health: { failures: 1 } });
    for (let i = 0; i < 20; i++) expect(await ask(proxy)).toBe('');
    expect(proxy.stats.targets[0]).toMatchObject({ state: 'up', total: 20, failed: 0 });
  });
});

test('a thousand clients at once, each served whole', async () => {
  await using one = await echo();
  await using two = await echo('unix');
  await using proxy = await start({ targets: [one.argument, two.argument], balance: 'leastConnections' });
  const ends = await Promise.all(
    Array.from({ length: 1000 }, async (_, i) => {
      using client = await proxy.connect();
      const mine = `client ${i} `.repeat(100);
      const [back] = await Promise.all([readAll(client), send(client, mine)]);
      return String(back) === mine;
    }),
  );
  expect(ends.every((whole) => whole)).toBe(true);
  await eventually(() => proxy.stats.active === 0);
  expect(proxy.stats.total).toBe(1000);
  const [first = 0, second = 0] = proxy.stats.targets.map(({ total }) => total);
  expect(first + second).toBe(1000);
  expect(Math.min(first, second)).toBeGreaterThan(300);
});

test('clients that reset at every moment leave nothing behind', async () => {
  await using to = await echo();
  await using proxy = await start({ targets: to.argument });
  const sockets = openSockets();
  for (let i = 0; i < 100; i++) {
    const client = await proxy.connect();
    if (i % 3 === 1) await client.write('x');
    if (i % 3 === 2) await turns();
    reset(client);
  }
  await eventually(() => proxy.stats.active === 0 && openSockets() <= sockets);
  const { total, rejected, targets } = proxy.stats;
  expect(rejected.clientGone + (targets[0]?.total ?? 0)).toBe(total);
});

test('packets pass too', async () => {
  using to = await listen('unixpacket', socketPath());
  await using proxy = await TcpProxy.listen('unixpacket', socketPath(), {
    targets: { network: 'unixpacket', address: `${to.addr}` },
  });
  using client = await dial('unixpacket', `${proxy.addr}`);
  using upstream = await to.accept();
  for (const packet of ['one', 'two']) await client.write(packet);
  expect(String(await upstream.read())).toBe('one');
  expect(String(await upstream.read())).toBe('two');
});

describe('a process without descriptors', () => {
  const PROGRAM = `
    import { Proxy, dial, listen, serve } from 'spliceway';
    import { closeSync, openSync } from 'node:fs';
    const hoarded = [];
    const hoard = () => { try { for (;;) hoarded.push(openSync('/dev/null')); } catch {} };
    const giveBack = (n) => { for (const fd of hoarded.splice(0, n)) closeSync(fd); };
    const target = await listen('tcp', '127.0.0.1:0');
    const server = serve(target, async (conn) => { await conn.write('hello'); await conn.shutdown(); });
    const told = [];
    const onEvent = ({ type, reason, error }) => told.push([type, reason, error?.code].join(' '));
    const proxy = await Proxy.listen('tcp', '127.0.0.1:0', { targets: String(target.addr), health: { failures: 1 }, onEvent });
    async function ask() {
      const conn = await dial('tcp', String(proxy.addr));
      let answer = '';
      try { for await (const chunk of conn) answer += chunk; } catch {}
      conn.close();
      return answer;
    }
  `;

  test('turns its clients away, holds it against no target, and serves again later', async () => {
    const { code, stdout } = await runScript(
      `${PROGRAM}
      hoard();
      giveBack(2); // the client and its connection: there is none for the target
      console.log(JSON.stringify(await ask()), told.join(', '), proxy.stats.targets[0].state);
      giveBack(20);
      console.log(await ask(), proxy.stats.rejected.noTarget);
      proxy.close();
      server.close();`,
      { maxOpenFiles: 120 },
    );
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '"" dialFailed  EMFILE, reject noTarget EMFILE up\nhello 1\n',
    });
  });
});
