import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dial, listen } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { reset, send } from '../support/chain.ts';
import { runCli, startCli } from '../support/cli.ts';
import { socketPath } from '../support/pair.ts';

const STYLES = ['await', 'handler'];
const unixAddress = () => `unix:${socketPath()}`;
const PLACES: [name: string, listen: () => string][] = [
  ['tcp', () => '127.0.0.1:0'],
  ['unix', unixAddress],
];

describe.each(STYLES)('--style %s', (style) => {
  describe.each(PLACES)('on %s', (network, place) => {
    test('every byte comes back, on several connections at once', async () => {
      await using echo = await startCli('echo', place(), '--style', style);
      expect(echo.network).toBe(network);
      await Promise.all(
        [1, 2, 3].map(async (seed) => {
          using conn = await echo.dial();
          const all = bytes(4 * MiB, seed);
          const [back] = await Promise.all([readAll(conn), send(conn, all)]);
          expect(sha256(back)).toBe(sha256(all));
        }),
      );
      expect(await echo.stop()).toMatchObject({ code: 0, signal: null, stderr: '' });
    });
  });

  test('a client that resets ends its own connection only', async () => {
    await using echo = await startCli('echo', '127.0.0.1:0', '--style', style);
    using steady = await echo.dial();
    const rude = await echo.dial();
    await rude.write(bytes(1 * MiB));
    await rude.read();
    reset(rude);
    await steady.write('still here');
    expect(String(await readExactly(steady, 10))).toBe('still here');
  });

  test('a client that does not read is waited for, and others are served', async () => {
    await using echo = await startCli('echo', '127.0.0.1:0', '--style', style);
    using greedy = await echo.dial();
    const all = bytes(32 * MiB);
    const sending = send(greedy, all);
    using other = await echo.dial();
    await other.write('hello');
    expect(String(await readExactly(other, 5))).toBe('hello');
    expect(sha256(await readAll(greedy))).toBe(sha256(all));
    await sending;
  });
});

describe('serving', () => {
  test('prints one line with the real port, and nothing else on standard output', async () => {
    await using echo = await startCli('echo', '127.0.0.1:0');
    expect(echo.address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
    using conn = await echo.dial();
    await conn.write('x');
    await conn.read();
    const { code, stdout } = await echo.stop();
    expect({ code, stdout }).toEqual({ code: 0, stdout: `listening tcp ${echo.address}\n` });
  });

  test(':port listens on every address', async () => {
    await using echo = await startCli('echo', ':0');
    expect(echo.address).toMatch(/^(\[::\]|0\.0\.0\.0):\d+$/);
    using conn = await dial('tcp', `127.0.0.1:${echo.address.split(':').at(-1)}`);
    await conn.write('x');
    expect(String(await conn.read())).toBe('x');
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it with 0, at once when nobody is connected', async (signal) => {
    await using echo = await startCli('echo', '127.0.0.1:0');
    const from = performance.now();
    expect(await echo.stop(signal)).toMatchObject({ code: 0, signal: null, stderr: '' });
    // Far less than what connections would get.
    expect(performance.now() - from).toBeLessThan(900);
    expect(await caught(echo.dial())).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('a signal right after the line is heard', async () => {
    // Nothing here comes between the line and the signal but the line's own way.
    for (let i = 0; i < 5; i++) {
      await using echo = await startCli('echo', '127.0.0.1:0');
      expect(await echo.stop()).toMatchObject({ code: 0, signal: null });
    }
  });

  test('connections get a while to end, then are closed', async () => {
    await using echo = await startCli('echo', '127.0.0.1:0');
    using quick = await echo.dial();
    using idle = await echo.dial();
    for (const conn of [quick, idle]) {
      await conn.write('x');
      await conn.read();
    }
    const stopping = echo.stop();
    await quick.write('last');
    expect(String(await readExactly(quick, 4))).toBe('last');
    quick.closeWrite();
    expect(await quick.read()).toBeNull();
    expect(await idle.read()).toBeNull();
    expect(await stopping).toMatchObject({ code: 0, signal: null });
  });

  test('a second signal does not wait for them', async () => {
    await using echo = await startCli('echo', '127.0.0.1:0');
    using idle = await echo.dial();
    await idle.write('x');
    await idle.read();
    echo.child.kill('SIGINT');
    const { code } = await echo.stop('SIGTERM');
    expect(code).toBe(0);
    expect(await idle.read()).toBeNull();
  });

  test("a Unix socket's file goes with it", async () => {
    const path = socketPath();
    await using echo = await startCli('echo', `unix:${path}`);
    expect(echo.address).toBe(path);
    expect(existsSync(path)).toBe(true);
    expect(await echo.stop()).toMatchObject({ code: 0 });
    expect(existsSync(path)).toBe(false);
  });
});

describe('what it cannot listen on is one clear line and exit code 1', () => {
  test('a port that is taken', async () => {
    using taken = await listen('tcp', '127.0.0.1:0');
    const { code, stdout, stderr } = await runCli('echo', `${taken.addr}`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`error: listen tcp ${taken.addr}: bind: address already in use\n`);
  });

  test('a path that is taken', async () => {
    const path = socketPath();
    using _taken = await listen('unix', path);
    const { code, stderr } = await runCli('echo', `unix:${path}`);
    expect(code).toBe(1);
    expect(stderr).toBe(`error: listen unix ${path}: bind: address already in use\n`);
  });

  test('a path in no folder, and one that is too long', async () => {
    expect(await runCli('echo', 'unix:/nonexistent/x.sock')).toMatchObject({
      code: 1,
      stderr: 'error: listen unix /nonexistent/x.sock: bind: no such file or directory\n',
    });
    const { code, stderr } = await runCli('echo', `unix:/tmp/${'x'.repeat(200)}`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: listen unix: address [^\n]+: name too long [^\n]+\n$/);
  });

  test('an address that is not of this machine, and a name that does not resolve', async () => {
    const { code, stderr } = await runCli('echo', '192.0.2.1:0');
    expect(code).toBe(1);
    expect(stderr).toBe('error: listen tcp 192.0.2.1:0: bind: cannot assign requested address\n');
    const unknown = await runCli('echo', 'no-such-host.invalid:0');
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toMatch(/^error: listen tcp: lookup no-such-host\.invalid: [^\n]+\n$/);
  });

  test('a path at which something else is', async () => {
    const path = socketPath();
    await writeFile(path, 'not a socket');
    expect(await runCli('echo', `unix:${path}`)).toMatchObject({ code: 1 });
  });
});
