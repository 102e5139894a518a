import { execFileSync } from 'node:child_process';
import { listen } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { send } from '../support/chain.ts';
import { foreignEnv } from '../support/child.ts';
import { runCli, type Serving, startCli } from '../support/cli.ts';
import { echo, target } from '../support/targets.ts';
import { eventually } from '../support/time.ts';

type Event = Record<string, unknown> & { event: string };

const eventsOf = ({ stdout }: { stdout: string }): Event[] =>
  stdout
    .split('\n')
    .slice(1, -1)
    .map((line) => JSON.parse(line));

/** The process ids of its workers. */
const workersOf = ({ child }: Serving): number[] =>
  execFileSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8', env: foreignEnv() })
    .split('\n')
    .flatMap((line) => Number(line) || []);

const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** A client that was served once. */
async function served(proxy: Serving) {
  const client = await proxy.dial();
  await client.write('x');
  expect(String(await readExactly(client, 1))).toBe('x');
  return client;
}

const start = (to: { argument: string }, ...more: string[]) =>
  startCli('proxy', '127.0.0.1:0', to.argument, '--workers', '2', ...more);

describe('--workers', () => {
  test('share the port, which one line tells; every byte passes', async () => {
    await using to = await echo();
    await using proxy = await start(to, '--json');
    expect(workersOf(proxy)).toHaveLength(2);
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        using client = await proxy.dial();
        const all = bytes(i < 4 ? 4 * MiB : 1000, i + 1);
        const [back] = await Promise.all([readAll(client), send(client, all)]);
        expect(sha256(back)).toBe(sha256(all));
      }),
    );
    const ends = () => eventsOf(proxy).filter(({ event }) => event === 'end');
    await eventually(() => ends().length === 40);
    // The kernel spreads connections by their ports: all on one side is as good as impossible.
    expect(new Set(ends().map(({ worker }) => worker))).toEqual(new Set([1, 2]));
    const { code, stdout, stderr } = await proxy.stop();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/listening/g)).toHaveLength(1);
    expect(eventsOf({ stdout }).at(-1)).toMatchObject({ event: 'stop', finished: 0, forced: 0 });
  });

  test('a signal drains them all, and a second one does not wait', async () => {
    await using to = await echo();
    await using proxy = await start(to, '--drain-timeout', '1h', '--json');
    const pids = workersOf(proxy);
    const clients = await Promise.all(Array.from({ length: 10 }, () => served(proxy)));
    proxy.child.kill('SIGTERM');
    await eventually(() => !isListening(proxy));
    for (const client of clients) {
      await client.write('still served');
      expect(String(await readExactly(client, 12))).toBe('still served');
    }
    const { code, stdout } = await proxy.stop('SIGINT');
    expect(code).toBe(0);
    expect(eventsOf({ stdout }).filter(({ event }) => event === 'end')).toHaveLength(10);
    expect(pids.filter(isThere)).toEqual([]);
    for (const client of clients) client.close();
  });

  test("a terminal's Ctrl-C, which reaches all of them, is one signal", async () => {
    await using to = await echo();
    await using proxy = await start(to, '--drain-timeout', '1h');
    using client = await served(proxy);
    for (const pid of [...workersOf(proxy), proxy.child.pid as number]) process.kill(pid, 'SIGINT');
    await eventually(() => !isListening(proxy));
    await client.write('still served');
    expect(String(await readExactly(client, 12))).toBe('still served');
    client.closeWrite();
    expect(await client.read()).toBeNull();
    await eventually(() => proxy.child.exitCode !== null);
    expect(proxy.child.exitCode).toBe(0);
  });

  test('one that dies is told of, and not started again; the others go on; in the end it is a failure', async () => {
    await using to = await echo();
    await using proxy = await start(to);
    const [first = 0, second = 0] = workersOf(proxy);
    process.kill(first, 'SIGKILL');
    await eventually(() => proxy.stderr !== '');
    expect(proxy.stderr).toMatch(/^worker \d: it has ended \(SIGKILL\), and is not started again\n$/);
    for (let i = 0; i < 10; i++) (await served(proxy)).close();
    expect(workersOf(proxy)).toEqual([second]);
    process.kill(second, 'SIGKILL');
    await eventually(() => proxy.child.exitCode !== null);
    expect(proxy.child.exitCode).toBe(1);
  });

  test('SIGTERM to one drains that one', async () => {
    await using to = await echo();
    await using proxy = await start(to, '--json');
    const [first = 0] = workersOf(proxy);
    process.kill(first, 'SIGTERM');
    await eventually(() => eventsOf(proxy).some(({ event }) => event === 'workerEnded'));
    expect(eventsOf(proxy).at(-1)).toMatchObject({ event: 'workerEnded', worker: 1, code: 0, signal: null });
    (await served(proxy)).close();
    expect((await proxy.stop()).code).toBe(0);
  });

  test('they do not outlive their parent', async () => {
    await using to = await echo();
    await using proxy = await start(to);
    const pids = workersOf(proxy);
    await proxy.stop('SIGKILL');
    await eventually(() => pids.filter(isThere).length === 0);
  });

  test('a port that somebody has is refused in one line, though it could be shared', async () => {
    using taken = await listen('tcp', '127.0.0.1:0', { reusePort: true });
    using to = await target();
    const { code, stdout, stderr } = await runCli('proxy', `${taken.addr}`, to.argument, '--workers', '2');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`error: listen tcp ${taken.addr}: bind: address already in use\n`);
  });
});

function isListening({ address }: Serving): boolean {
  const [, port] = address.split(':');
  return execFileSync('ss', ['-Hltn', `sport = :${port}`], { encoding: 'utf8', env: foreignEnv() }) !== '';
}
