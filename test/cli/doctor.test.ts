import { spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { childEnv, root, runNode } from '../support/child.ts';
import { runCli } from '../support/cli.ts';

test('it tells a person on standard error, and nothing on standard output', async () => {
  const { code, stdout, stderr } = await runCli('doctor');
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  for (const word of ['spliceway', process.version, 'backend', 'binary', 'kernel', 'RLIMIT_NOFILE']) {
    expect(stderr).toContain(word);
  }
});

test('--json is one document on standard output, and nothing else', async () => {
  const { code, stdout, stderr } = await runCli('doctor', '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    backend: process.platform === 'linux' ? 'epoll' : 'kqueue',
    binary: { path: expect.stringMatching(/\.node$/), error: null },
    kernel: { release: expect.any(String), splice: process.platform === 'linux', sendfile: true },
    ok: expect.any(Boolean),
  });
  for (const limit of report.limits) {
    expect(limit).toEqual({ name: expect.any(String), value: expect.anything(), advice: limit.advice });
    expect(limit.advice === null || typeof limit.advice === 'string').toBe(true);
  }
});

test.runIf(process.platform === 'linux')('it asks for every limit that a server meets', async () => {
  const { limits } = JSON.parse((await runCli('doctor', '--json')).stdout);
  const names = limits.map(({ name }: { name: string }) => name).join('\n');
  for (const word of ['RLIMIT_NOFILE', 'somaxconn', 'ip_local_port_range', 'max_user_watches', 'pipe-user-pages']) {
    expect(names).toContain(word);
  }
});

// Node raises its soft limit to the hard one when it starts.
test.skipIf(process.env.SPLICEWAY_SANITIZE === 'thread')('a low limit of open files comes with advice', () => {
  const command = ['-c', 'ulimit -n 256 && exec "$0" "$@"', process.execPath, 'dist/cli/main.js', 'doctor', '--json'];
  const { stdout, status } = spawnSync('sh', command, { cwd: root, env: childEnv(), encoding: 'utf8' });
  expect(status).toBe(0);
  const { limits, ok } = JSON.parse(stdout);
  const files = limits.find(({ name }: { name: string }) => name.includes('RLIMIT_NOFILE'));
  expect(files).toMatchObject({ value: 256, advice: expect.stringContaining('ulimit -n') });
  expect(ok).toBe(false);
});

test('without a binary it still runs, names the fault and exits with 1', async () => {
  const missing = { SPLICEWAY_BINARY_PATH: '/nonexistent/spliceway.node' };
  const { code, stdout } = await runNode(['dist/cli/main.js', 'doctor', '--json'], { env: missing });
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ binary: { path: null, error: 'no binary found' }, ok: false });
});

test('a binary that does not load is named, in the words of the loader', async () => {
  const path = join(tmpdir(), `spliceway-${process.pid}-broken.node`);
  await writeFile(path, 'no binary');
  const env = { SPLICEWAY_BINARY_PATH: path };
  const { code, stderr } = await runNode(['dist/cli/main.js', 'doctor'], { env });
  await rm(path);
  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`binary +none: .*${path}`));
});

test('a command that needs the binary says that there is none', async () => {
  const env = { SPLICEWAY_BINARY_PATH: '/nonexistent/spliceway.node' };
  const { code, stderr } = await runNode(['dist/cli/main.js', 'echo', ':0'], { env });
  expect(code).toBe(1);
  expect(stderr).toContain('/nonexistent/spliceway.node');
});
