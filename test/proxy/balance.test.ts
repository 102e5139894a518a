// Which target a connection goes to. Each target answers with its name.

import { dial, type ProxyBalance, type ProxyTargets, Proxy as TcpProxy } from 'spliceway';
import { expect, test } from 'vitest';
import { readAll } from '../support/bytes.ts';
import { reset } from '../support/chain.ts';
import { ask, greeter, nobody, type Serving, target } from '../support/targets.ts';
import { eventually } from '../support/time.ts';

const start = (targets: ProxyTargets, balance?: ProxyBalance) =>
  TcpProxy.listen('tcp', '127.0.0.1:0', { targets, balance });

async function greeters(...names: string[]) {
  const all = await Promise.all(names.map((name) => greeter(name)));
  return Object.assign(all, {
    arguments: all.map(({ argument }) => argument),
    async [Symbol.asyncDispose]() {
      for (const each of all) await each[Symbol.asyncDispose]();
    },
  });
}

async function askTimes(proxy: TcpProxy, n: number): Promise<string> {
  let answers = '';
  for (let i = 0; i < n; i++) answers += await ask(proxy);
  return answers;
}

test('roundRobin: each in its turn', async () => {
  await using targets = await greeters('a', 'b', 'c');
  await using proxy = await start(targets.arguments);
  expect(await askTimes(proxy, 7)).toBe('abcabca');
});

test('roundRobin: by weight, and spread out', async () => {
  await using targets = await greeters('a', 'b', 'c');
  const [a, b, c] = targets.arguments as [string, string, string];
  await using proxy = await start([{ address: a, weight: 3 }, b, c]);
  expect(await askTimes(proxy, 10)).toBe('abacaabaca'.slice(0, 10));
});

test('a target that is named twice is one target with two shares', async () => {
  await using targets = await greeters('a', 'b');
  const [a, b] = targets.arguments as [string, string];
  await using proxy = await start([a, b, a]);
  expect((await askTimes(proxy, 6)).replaceAll('b', '')).toBe('aaaa');
  expect(proxy.stats.targets.map(({ total }) => total)).toEqual([4, 2]);
});

test('roundRobin: the next one where one is down, and each is tried once', async () => {
  await using targets = await greeters('a', 'c');
  const [a, c] = targets.arguments as [string, string];
  const down = await nobody();
  await using proxy = await start([a, down, c]);
  expect(await askTimes(proxy, 2)).toBe('ac');
  expect(proxy.stats.targets.map(({ failed }) => failed)).toEqual([0, 1, 0]);
});

test('leastConnections: where the fewest are, by weight', async () => {
  using a = await target();
  using b = await target();
  await using proxy = await start([{ address: a.argument, weight: 2 }, b.argument], 'leastConnections');
  const active = () => proxy.stats.targets.map(({ active }) => active);
  const clients = [];
  for (let i = 1; i <= 9; i++) {
    clients.push(await dial('tcp', `${proxy.addr}`));
    await eventually(() => proxy.stats.active === i);
  }
  expect(active()).toEqual([6, 3]);
  // Those of b go away: the next ones are for b.
  for (let i = 0; i < 3; i++) reset(await b.accept());
  await eventually(() => active()[1] === 0);
  for (let i = 0; i < 3; i++) clients.push(await dial('tcp', `${proxy.addr}`));
  await eventually(() => proxy.stats.active === 9);
  expect(active()).toEqual([6, 3]);
  for (const client of clients) client.close();
});

test('leastConnections: connections that are being made count', async () => {
  await using targets = await greeters('a', 'b');
  const [a = '', b = ''] = targets.arguments.map((address) => `x.test:${address.split(':')[1]}`);
  const waiting: (() => void)[] = [];
  const lookup = () => new Promise<string[]>((resolve) => waiting.push(() => resolve(['127.0.0.1'])));
  await using proxy = await TcpProxy.listen('tcp', '127.0.0.1:0', {
    targets: [a, b],
    balance: 'leastConnections',
    dial: { lookup },
  });
  const asking = Promise.all(Array.from({ length: 20 }, () => ask(proxy)));
  await eventually(() => waiting.length === 20);
  expect(proxy.stats.targets.map(({ active }) => active)).toEqual([10, 10]);
  for (const go of waiting) go();
  expect((await asking).sort().join('')).toBe('aaaaaaaaaabbbbbbbbbb');
});

// Linux has all of 127.0.0.0/8; elsewhere there is one address to come from.
const sources = Array.from({ length: 200 }, (_, i) => `127.0.${1 + (i >> 7)}.${1 + (i & 127)}:0`);

test.runIf(process.platform === 'linux')('sourceHash: a source keeps its target, whoever else goes', async () => {
  await using targets = await greeters('a', 'b', 'c', 'd');
  await using proxy = await start(targets.arguments, 'sourceHash');
  const ofAll = async () => {
    const answers = new Map<string, string>();
    for (const source of sources) answers.set(source, await ask(proxy, source));
    return answers;
  };
  const before = await ofAll();
  const counts = ['a', 'b', 'c', 'd'].map((name) => [...before.values()].filter((each) => each === name).length);
  for (const count of counts) expect(count).toBeGreaterThan(20);
  expect(await ofAll()).toEqual(before);

  (targets[1] as Serving).server.close();
  const after = await ofAll();
  const moved = sources.filter((source) => before.get(source) !== after.get(source));
  expect(moved).toEqual(sources.filter((source) => before.get(source) === 'b'));
  // They went to all of the others, not to one.
  expect(new Set(moved.map((source) => after.get(source)))).toEqual(new Set(['a', 'c', 'd']));
});

test.runIf(process.platform === 'linux')('sourceHash: shares are by weight', async () => {
  await using targets = await greeters('a', 'b');
  const [a = '', b = ''] = targets.arguments;
  await using proxy = await start([{ address: a, weight: 4 }, b], 'sourceHash');
  let toA = 0;
  for (const source of sources) if ((await ask(proxy, source)) === 'a') toA++;
  expect(toA).toBeGreaterThan(130);
  expect(toA).toBeLessThan(190);
});

test('sourceHash does not depend on the port, nor on the order of the targets', async () => {
  await using targets = await greeters('a', 'b', 'c');
  await using proxy = await start(targets.arguments, 'sourceHash');
  await using reversed = await start([...targets.arguments].reverse(), 'sourceHash');
  const answers = (await askTimes(proxy, 5)) + (await askTimes(reversed, 5));
  expect(new Set(answers).size).toBe(1);
});

test('the one that is left serves all', async () => {
  await using to = await greeter('a');
  await using proxy = await start([await nobody(), to.argument, await nobody()], 'leastConnections');
  expect(await askTimes(proxy, 6)).toBe('aaaaaa');
  using client = await dial('tcp', `${proxy.addr}`);
  expect(String(await readAll(client))).toBe('a');
});
