import { type ProxyEvent, type ProxyHealthOptions, type ProxyTargets, Proxy as TcpProxy } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { blackhole } from '../support/blackhole.ts';
import { ask, greeter, nobody } from '../support/targets.ts';
import { eventually } from '../support/time.ts';

type Event<T extends ProxyEvent['type']> = Extract<ProxyEvent, { type: T }> & { at: number };

/** A proxy, and what it tells of its targets. */
async function start(targets: ProxyTargets, health: ProxyHealthOptions, connectTimeout = 5000) {
  const events: (ProxyEvent & { at: number })[] = [];
  const onEvent = (event: ProxyEvent) => events.push({ ...event, at: performance.now() });
  const proxy = await TcpProxy.listen('tcp', '127.0.0.1:0', { targets, health, connectTimeout, onEvent });
  const told = <T extends ProxyEvent['type']>(type: T) => events.filter((event) => event.type === type) as Event<T>[];
  return Object.assign(proxy, { told });
}

const states = (proxy: TcpProxy) => proxy.stats.targets.map(({ state }) => state);

test('a target goes down after so many failures in a row, and nobody tries it then', async () => {
  await using to = await greeter('a');
  const down = await nobody();
  await using proxy = await start([down, to.argument], { failures: 2, backoff: 60_000, maxBackoff: 60_000 });
  for (let i = 0; i < 10; i++) expect(await ask(proxy)).toBe('a');
  expect(states(proxy)).toEqual(['down', 'up']);
  expect(proxy.stats.targets[0]).toMatchObject({ failed: 2, active: 0, total: 0 });
  expect(proxy.told('dialFailed')).toHaveLength(2);
  const [event, ...more] = proxy.told('targetDown');
  expect(more).toEqual([]);
  expect(event).toMatchObject({ target: down, failures: 2, error: { code: 'ECONNREFUSED', op: 'dial' } });
  // The jitter takes up to half of it away.
  expect(event?.retryIn).toBeGreaterThan(29_000);
  expect(event?.retryIn).toBeLessThanOrEqual(60_000);
});

test('a success between failures begins the count anew', async () => {
  const address = await nobody();
  await using proxy = await start(address, { failures: 2, backoff: 60_000, maxBackoff: 60_000 });
  for (let i = 0; i < 3; i++) {
    expect(await ask(proxy)).toBe('');
    await using _to = await greeter('a', address);
    expect(await ask(proxy)).toBe('a');
  }
  expect(states(proxy)).toEqual(['up']);
  expect(proxy.told('targetDown')).toEqual([]);
});

test('once its back-off is over one connection tries it: a failure doubles it, a success brings it up', async () => {
  await using other = await greeter('other');
  const address = await nobody();
  await using proxy = await start([address, other.argument], { failures: 1, backoff: 50, maxBackoff: 200 });
  while (proxy.stats.targets[0]?.failed !== 5) expect(await ask(proxy)).toBe('other');
  const failures = proxy.told('dialFailed').map(({ at }) => at);
  const gaps = failures.slice(1).map((at, i) => at - (failures[i] as number));
  // From the failure to the next trial: at least half of 50, 100, 200, 200.
  [25, 50, 100, 100].forEach((least, i) => {
    expect(gaps[i]).toBeGreaterThanOrEqual(least - 1);
  });
  expect(proxy.told('targetDown')).toHaveLength(1);

  await using _to = await greeter('back', address);
  while ((await ask(proxy)) !== 'back');
  expect(states(proxy)).toEqual(['up', 'up']);
  const [event] = proxy.told('targetUp');
  expect(event).toMatchObject({ target: address });
  expect(event?.downFor).toBeGreaterThan(300);
  // What went before is forgotten.
  expect((await ask(proxy)) + (await ask(proxy))).toMatch(/back/);
});

test('one connection at a time tries a target that is down; the others do not wait for it', async () => {
  await using other = await greeter('other');
  using hole = await blackhole();
  await using proxy = await start([`${hole.addr}`, other.argument], { failures: 1, backoff: 1, maxBackoff: 1 }, 300);
  expect(await ask(proxy)).toBe('other');
  expect(states(proxy)).toEqual(['down', 'up']);
  // One of several in a row has its turn there.
  const trying = Promise.all(Array.from({ length: 4 }, () => ask(proxy)));
  await eventually(() => proxy.stats.targets[0]?.active === 1);
  for (let i = 0; i < 20; i++) expect(await ask(proxy)).toBe('other');
  expect(proxy.stats.targets[0]).toMatchObject({ active: 1, failed: 1 });
  expect(new Set(await trying)).toEqual(new Set(['other']));
});

describe('where all are down', () => {
  test('the one that failed longest ago is tried all the same', async () => {
    const [one, two] = [await nobody(), await nobody()];
    await using proxy = await start([one, two], { failures: 1, backoff: 60_000, maxBackoff: 60_000 });
    expect(await ask(proxy)).toBe('');
    expect(states(proxy)).toEqual(['down', 'down']);
    for (let i = 0; i < 4; i++) expect(await ask(proxy)).toBe('');
    const tried = proxy.told('dialFailed').map(({ target }) => target);
    expect(tried).toEqual([one, two, one, two, one, two]);
    expect(proxy.stats.rejected.noTarget).toBe(5);
  });

  test('it comes up by that, without waiting for its back-off', async () => {
    const address = await nobody();
    await using proxy = await start(address, { failures: 1, backoff: 60_000, maxBackoff: 60_000 });
    expect(await ask(proxy)).toBe('');
    await using _to = await greeter('back', address);
    expect(await ask(proxy)).toBe('back');
    expect(states(proxy)).toEqual(['up']);
    expect(proxy.told('targetUp')).toHaveLength(1);
  });
});

test('failures that were under way when it went down count once', async () => {
  await using proxy = await start(await nobody(), { failures: 3, backoff: 60_000, maxBackoff: 60_000 });
  await Promise.all(Array.from({ length: 50 }, () => ask(proxy)));
  expect(proxy.told('targetDown')).toHaveLength(1);
  expect(proxy.stats.targets[0]?.failed).toBe(50);
});

test('failures: 0 never takes a target down', async () => {
  await using other = await greeter('other');
  await using proxy = await start([await nobody(), other.argument], { failures: 0 });
  for (let i = 0; i < 10; i++) expect(await ask(proxy)).toBe('other');
  expect(states(proxy)).toEqual(['up', 'up']);
});

test('a name that does not resolve takes its target down as well', async () => {
  const lookup = async () => {
    throw Object.assign(new Error('no such host'), { code: 'ENOTFOUND' });
  };
  await using other = await greeter('other');
  await using proxy = await TcpProxy.listen('tcp', '127.0.0.1:0', {
    targets: ['x.test:80', other.argument],
    health: { failures: 1 },
    dial: { lookup },
  });
  expect(await ask(proxy)).toBe('other');
  expect(states(proxy)).toEqual(['down', 'up']);
});
