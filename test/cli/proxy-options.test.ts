// What the options of `spliceway proxy` do, as far as the class's own tests do not say it.

import { existsSync, statSync } from 'node:fs';
import { dial, listen } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { blackhole } from '../support/blackhole.ts';
import { bytes, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { reset, send } from '../support/chain.ts';
import { type Serving, startCli } from '../support/cli.ts';
import { socketPath } from '../support/pair.ts';
import { echo, greeter, nobody, target } from '../support/targets.ts';
import { eventually } from '../support/time.ts';

type Event = Record<string, unknown> & { event: string };

/** The JSON lines so far. */
function eventsOf({ stdout }: { stdout: string }): Event[] {
  const lines = stdout.split('\n').slice(1, -1);
  return lines.map((line) => JSON.parse(line));
}

/** What a client of it reads to the end; '' where it is turned away. */
async function ask(proxy: Serving, first = ''): Promise<string> {
  const client = await proxy.dial();
  try {
    await client.write(first);
    return String(await readAll(client));
  } catch {
    return '';
  } finally {
    client.close();
  }
}

describe('--json', () => {
  test('is a document on each line, behind the line that says where it listens', async () => {
    await using to = await echo();
    const down = await nobody();
    await using proxy = await startCli(
      'proxy',
      '127.0.0.1:0',
      `${to.argument},weight=3`,
      down,
      '--json',
      '--health-failures',
      '1',
    );
    for (const text of ['one', 'two', 'three', 'four']) {
      using client = await proxy.dial();
      const { localAddr } = client;
      const [back] = await Promise.all([readAll(client), send(client, text)]);
      expect(String(back)).toBe(text);
      await eventually(() => eventsOf(proxy).some(({ event, source }) => event === 'end' && source === `${localAddr}`));
    }
    const { code, stdout, stderr } = await proxy.stop();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')[0]).toBe(`listening tcp ${proxy.address}`);
    const events = eventsOf({ stdout });
    for (const { time } of events) expect(new Date(time as string).toISOString()).toBe(time);
    const without = events.map(({ time: _, ...rest }) => rest);
    expect(without[0]).toEqual({
      event: 'start',
      network: 'tcp',
      address: proxy.address,
      pid: proxy.child.pid,
      targets: [
        { name: to.argument, weight: 3 },
        { name: down, weight: 1 },
      ],
      routes: {},
    });
    expect(without.filter(({ event }) => event === 'end')).toHaveLength(4);
    expect(without.find(({ event }) => event === 'end')).toEqual({
      event: 'end',
      id: 1,
      source: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      target: to.argument,
      connectTime: expect.any(Number),
      reason: 'end',
      endedBy: 'client',
      error: null,
      bytesToTarget: 3,
      bytesToClient: 3,
      duration: expect.any(Number),
    });
    const error = { message: `dial tcp ${down}: connect: connection refused`, code: 'ECONNREFUSED' };
    expect(without.filter(({ event }) => event === 'dialFailed')).toEqual([
      { event: 'dialFailed', id: expect.any(Number), source: expect.any(String), target: down, error },
    ]);
    expect(without.filter(({ event }) => event === 'targetDown')).toEqual([
      { event: 'targetDown', target: down, error, failures: 1, retryIn: expect.any(Number) },
    ]);
    expect(without.at(-1)).toEqual({ event: 'stop', finished: 0, forced: 0 });
    expect(new Set(without.map(({ event }) => event))).toEqual(
      new Set(['start', 'end', 'dialFailed', 'targetDown', 'stop']),
    );
  });

  test('tells of rejections and of targets that are up again', async () => {
    const address = await nobody();
    await using proxy = await startCli('proxy', '127.0.0.1:0', address, '--json', '--health-failures', '1');
    expect(await ask(proxy)).toBe('');
    await using _to = await greeter('back', address);
    expect(await ask(proxy)).toBe('back');
    await eventually(() => eventsOf(proxy).some(({ event }) => event === 'end'));
    expect(eventsOf(proxy).map(({ event }) => event)).toEqual([
      'start',
      'dialFailed',
      'targetDown',
      'reject',
      'targetUp',
      'end',
    ]);
    expect(eventsOf(proxy)[3]).toMatchObject({ reason: 'noTarget', error: { code: 'ECONNREFUSED' } });
  });

  test.each([[['--json']], [[]]])('a reader that goes away does not end it: %j', async (how) => {
    await using to = await greeter('hello');
    await using proxy = await startCli('proxy', '127.0.0.1:0', to.argument, await nobody(), ...how);
    proxy.child.stdout?.destroy();
    proxy.child.stderr?.destroy();
    for (let i = 0; i < 10; i++) expect(await ask(proxy)).toBe('hello');
    proxy.child.kill('SIGTERM');
    await eventually(() => proxy.child.exitCode !== null);
    expect(proxy.child.exitCode).toBe(0);
  });
});

describe('for a person', () => {
  test('a target that goes down is told of once, and again when it is up', async () => {
    await using other = await greeter('other');
    const address = await nobody();
    await using proxy = await startCli(
      ...['proxy', '127.0.0.1:0', address, other.argument, '--health-failures', '2', '--health-backoff', '50ms'],
    );
    for (let i = 0; i < 20; i++) expect(await ask(proxy)).toBe('other');
    const refused = `dial tcp ${address}: connect: connection refused\n`;
    await using _to = await greeter('back', address);
    while ((await ask(proxy)) !== 'back');
    const { code, stderr } = await proxy.stop();
    expect(code).toBe(0);
    expect(stderr).toMatch(
      new RegExp(
        `^${refused}${refused}target ${address} is down after 2 failures; .*\ntarget ${address} is up again, after .* s\n$`,
      ),
    );
  });

  test('a limit that turns clients away is told of once', async () => {
    await using to = await echo();
    await using proxy = await startCli('proxy', '127.0.0.1:0', to.argument, '--max-connections', '1');
    using one = await proxy.dial();
    await one.write('x');
    await readExactly(one, 1);
    for (let i = 0; i < 5; i++) expect(await ask(proxy)).toBe('');
    reset(one);
    const { stderr } = await proxy.stop();
    expect(stderr).toMatch(/^a connection was rejected: maxConnections [^\n]+\n$/);
  });
});

describe('targets', () => {
  test('by weight', async () => {
    await using a = await greeter('a');
    await using b = await greeter('b');
    await using proxy = await startCli('proxy', '127.0.0.1:0', `${a.argument},weight=2`, b.argument);
    let answers = '';
    for (let i = 0; i < 6; i++) answers += await ask(proxy);
    expect([...answers].sort().join('')).toBe('aaaabb');
  });

  test.each(['leastConnections', 'sourceHash'])('--balance %s', async (how) => {
    await using a = await echo();
    await using b = await echo();
    await using proxy = await startCli('proxy', '127.0.0.1:0', a.argument, b.argument, '--balance', how);
    const clients = [];
    for (let i = 0; i < 4; i++) {
      const client = await proxy.dial();
      clients.push(client);
      await client.write('x');
      await readExactly(client, 1);
    }
    const counts = [a.server.connections, b.server.connections].sort();
    expect(counts).toEqual(how === 'sourceHash' ? [0, 4] : [2, 2]);
    for (const client of clients) client.close();
  });

  test('--sni needs no other target; what is no TLS has none then', async () => {
    await using to = await greeter('hello');
    await using proxy = await startCli(
      'proxy',
      '127.0.0.1:0',
      '--sni',
      `a.test=${to.argument}`,
      '--sni',
      '*.b.test=:1',
    );
    expect(await ask(proxy, 'GET /')).toBe('');
    await using both = await startCli('proxy', '127.0.0.1:0', to.argument, '--sni', `a.test=${await nobody()}`);
    expect(await ask(both, 'GET /')).toBe('hello');
  });

  test('--hello-timeout ends who says nothing', async () => {
    await using to = await greeter('hello');
    await using proxy = await startCli(
      'proxy',
      '127.0.0.1:0',
      '--sni',
      `a.test=${to.argument}`,
      '--hello-timeout',
      '50ms',
    );
    expect(await ask(proxy)).toBe('');
    await eventually(() => proxy.stderr.includes('noHello'));
  });
});

test('--accept-proxy and --send-proxy: one in front of another passes the client on', async () => {
  using to = await listen('tcp', '127.0.0.1:0', { proxyProtocol: { trusted: ['127.0.0.1'] } });
  await using inner = await startCli(
    'proxy',
    '127.0.0.1:0',
    `${to.addr}`,
    '--accept-proxy',
    '127.0.0.0/8',
    '--send-proxy',
    'v1',
  );
  await using outer = await startCli('proxy', '127.0.0.1:0', inner.address, '--send-proxy', 'v2');
  using client = await outer.dial();
  await send(client, 'hello');
  using upstream = await to.accept();
  expect(`${upstream.remoteAddr}`).toBe(`${client.localAddr}`);
  expect(upstream.proxyHeader?.version).toBe(1);
  expect(String(await readAll(upstream))).toBe('hello');
});

test('--proxy-optional and --proxy-timeout', async () => {
  await using to = await greeter('hello');
  const accept = ['--accept-proxy', '127.0.0.1', '--proxy-timeout', '50ms'];
  await using strict = await startCli('proxy', '127.0.0.1:0', to.argument, ...accept);
  expect(await ask(strict)).toBe('');
  expect(await ask(strict, 'GET /')).toBe('');
  await using lenient = await startCli('proxy', '127.0.0.1:0', to.argument, ...accept, '--proxy-optional');
  expect(await ask(lenient, 'GET / HTTP/1.1\r\n')).toBe('hello');
});

describe('timeouts and limits', () => {
  test('--idle-timeout', async () => {
    using to = await target();
    await using proxy = await startCli('proxy', '127.0.0.1:0', to.argument, '--idle-timeout', '100ms', '--json');
    using client = await proxy.dial();
    using _upstream = await to.accept();
    expect(await client.read()).toBeNull();
    await eventually(() => eventsOf(proxy).some(({ reason }) => reason === 'idle'));
  });

  test('--connect-timeout', async () => {
    using hole = await blackhole();
    await using to = await greeter('hello');
    await using proxy = await startCli(
      'proxy',
      '127.0.0.1:0',
      `${hole.addr}`,
      to.argument,
      '--connect-timeout',
      '100ms',
    );
    const from = performance.now();
    expect(await ask(proxy)).toBe('hello');
    expect(performance.now() - from).toBeGreaterThanOrEqual(99);
  });

  test('--half-close-timeout', async () => {
    using to = await target();
    await using proxy = await startCli('proxy', '127.0.0.1:0', to.argument, '--half-close-timeout', '100ms', '--json');
    using client = await proxy.dial();
    using _upstream = await to.accept();
    client.closeWrite();
    await client.read().catch(() => null);
    await eventually(() => eventsOf(proxy).some(({ reason }) => reason === 'halfClose'));
  });

  test('--rate', async () => {
    await using to = await echo();
    await using proxy = await startCli('proxy', '127.0.0.1:0', to.argument, '--rate', '100KiB');
    using client = await proxy.dial();
    const from = performance.now();
    const all = bytes(100 * 1024);
    const [back] = await Promise.all([readAll(client), send(client, all)]);
    expect(back.equals(all)).toBe(true);
    expect(performance.now() - from).toBeGreaterThan(800);
  });

  test('--max-per-source', async () => {
    await using to = await echo();
    await using proxy = await startCli('proxy', '127.0.0.1:0', to.argument, '--max-per-source', '1');
    using one = await proxy.dial();
    await one.write('x');
    await readExactly(one, 1);
    expect(await ask(proxy)).toBe('');
  });
});

describe('on a Unix socket', () => {
  test('--mode is its permissions', async () => {
    await using to = await greeter('hello');
    const path = socketPath();
    await using proxy = await startCli('proxy', `unix:${path}`, to.argument, '--mode', '600');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await ask(proxy)).toBe('hello');
  });

  test('--remove-stale replaces one that a killed process has left', async () => {
    await using to = await greeter('hello');
    const path = socketPath();
    await using killed = await startCli('proxy', `unix:${path}`, to.argument);
    await killed.stop('SIGKILL');
    expect(existsSync(path)).toBe(true);
    await using proxy = await startCli('proxy', `unix:${path}`, to.argument, '--remove-stale');
    expect(await ask(proxy)).toBe('hello');
  });
});

describe('stopping', () => {
  test('what was accepted is delivered: those that queue, and those in the middle of their bytes', async () => {
    await using to = await echo();
    await using proxy = await startCli('proxy', '127.0.0.1:0', to.argument, '--drain-timeout', '1m');
    const all = bytes(8 * MiB);
    const clients = await Promise.all(Array.from({ length: 10 }, () => proxy.dial()));
    const asking = clients.map(async (client) => {
      const [back] = await Promise.all([readAll(client), send(client, all)]);
      client.close();
      return sha256(back);
    });
    const more = Array.from({ length: 50 }, async () => {
      using client = await proxy.dial();
      // Connected before the signal, or turned away by the kernel.
      const [back] = await Promise.all([readAll(client), send(client, 'queued')]);
      return String(back);
    });
    const { code } = await proxy.stop();
    expect(code).toBe(0);
    expect(new Set(await Promise.all(asking))).toEqual(new Set([sha256(all)]));
    const settled = await Promise.allSettled(more);
    for (const each of settled) {
      if (each.status === 'fulfilled') expect(each.value).toBe('queued');
      else expect(each.reason).toMatchObject({ code: 'ECONNREFUSED' });
    }
  });

  test('--drain-timeout bounds it, and a second signal does not wait', async () => {
    using to = await target();
    await using quick = await startCli('proxy', '127.0.0.1:0', to.argument, '--drain-timeout', '100ms', '--json');
    using _one = await quick.dial();
    using _first = await to.accept();
    const { code, stdout } = await quick.stop();
    expect(code).toBe(0);
    expect(eventsOf({ stdout }).slice(-2)).toMatchObject([
      { event: 'end', reason: 'closed' },
      { event: 'stop', finished: 0, forced: 1 },
    ]);

    await using slow = await startCli('proxy', '127.0.0.1:0', to.argument, '--drain-timeout', '1h');
    using two = await slow.dial();
    using _second = await to.accept();
    slow.child.kill('SIGTERM');
    await two.write('still there');
    expect(String(await readExactly(_second, 11))).toBe('still there');
    expect((await slow.stop('SIGINT')).code).toBe(0);
  });
});

test('it answers where dial() goes', async () => {
  await using to = await greeter('hello');
  await using proxy = await startCli('proxy', '[::1]:0', to.argument);
  expect(proxy.address).toMatch(/^\[::1\]:\d+$/);
  using client = await dial('tcp', proxy.address);
  expect(String(await readAll(client))).toBe('hello');
});
