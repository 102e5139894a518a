import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytes, KiB, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { reset } from '../support/chain.ts';
import { foreignEnv } from '../support/child.ts';
import { runCli, startCli } from '../support/cli.ts';
import { socketPath } from '../support/pair.ts';
import { eventually } from '../support/time.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spliceway-send-'));
});
afterAll(() => rm(folder, { recursive: true }));

let names = 0;
async function holding(content: Uint8Array | string): Promise<string> {
  const path = join(folder, `file-${names++}`);
  await writeFile(path, content);
  return path;
}

describe.each([
  ['tcp', () => '127.0.0.1:0'],
  ['unix', () => `unix:${socketPath()}`],
])('on %s', (_network, place) => {
  test.each([0, 1, 64 * KiB, 8 * MiB])('%i bytes go to every client, and an end follows', async (size) => {
    const all = bytes(size);
    await using sending = await startCli('send', place(), await holding(all));
    await Promise.all(
      [1, 2, 3].map(async () => {
        using conn = await sending.dial();
        expect(sha256(await readAll(conn))).toBe(sha256(all));
      }),
    );
    expect(await sending.stop()).toMatchObject({ code: 0, signal: null, stderr: '' });
  });
});

test('a client that says something first gets the file all the same', async () => {
  const all = bytes(8 * MiB);
  await using sending = await startCli('send', '127.0.0.1:0', await holding(all));
  using conn = await sending.dial();
  await conn.write(bytes(100 * KiB));
  expect(sha256(await readAll(conn))).toBe(sha256(all));
});

test('a client that reads slowly, and one that goes away, hold up nobody', async () => {
  const all = bytes(32 * MiB);
  await using sending = await startCli('send', '127.0.0.1:0', await holding(all));
  using slow = await sending.dial();
  await readExactly(slow, 1000);
  const rude = await sending.dial();
  await readExactly(rude, 1000);
  reset(rude);
  using other = await sending.dial();
  expect(sha256(await readAll(other))).toBe(sha256(all));
  expect(sha256(await readAll(slow))).toBe(sha256(all.subarray(1000)));
});

test('each client gets the file as it is when it comes', async () => {
  const path = await holding('one');
  await using sending = await startCli('send', '127.0.0.1:0', path);
  using first = await sending.dial();
  expect(String(await readAll(first))).toBe('one');
  await writeFile(path, 'and two');
  using second = await sending.dial();
  expect(String(await readAll(second))).toBe('and two');
});

test('a file that shrinks while it is sent ends in a reset, not in what looks like its end', async () => {
  const path = await holding(bytes(64 * MiB));
  await using sending = await startCli('send', '127.0.0.1:0', path);
  using conn = await sending.dial();
  await readExactly(conn, 1000);
  await truncate(path, 1 * MiB);
  expect(await caught(readAll(conn))).toMatchObject({ code: 'ECONNRESET' });
  await eventually(() => sending.stderr.endsWith('\n'));
  expect(sending.stderr).toMatch(/file-\d+ shrank while it was sent: \d+ of 67108864 bytes\n$/);
  await writeFile(path, 'whole again');
  using next = await sending.dial();
  expect(String(await readAll(next))).toBe('whole again');
});

test('a file that is gone when a client comes is said on standard error, and the rest goes on', async () => {
  const path = await holding('here');
  await using sending = await startCli('send', '127.0.0.1:0', path);
  await unlink(path);
  using conn = await sending.dial();
  expect(await readAll(conn)).toHaveLength(0);
  await eventually(() => sending.stderr.includes('no such file'));
  await writeFile(path, 'back');
  using next = await sending.dial();
  expect(String(await readAll(next))).toBe('back');
  expect(await sending.stop()).toMatchObject({ code: 0 });
});

describe('what cannot be sent fails at the start with one clear line and exit code 1', () => {
  test.each([
    ['a file that is not there', async () => join(folder, 'missing'), /no such file or directory.*missing/],
    ['a directory', async () => folder, /is not a regular file/],
    [
      'a named pipe',
      async () => {
        const path = join(folder, 'pipe');
        execFileSync('mkfifo', [path], { env: foreignEnv() });
        return path;
      },
      /is not a regular file/,
    ],
    ['a device', async () => '/dev/null', /is not a regular file/],
  ])('%s', async (_name, make, says) => {
    const { code, stdout, stderr } = await runCli('send', '127.0.0.1:0', await make());
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toMatch(says);
  });
});
