import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../support/child.ts';
import { runCli } from '../support/cli.ts';

describe('wrong usage exits with 2 and says in one line what is wrong', () => {
  test.each<[args: string[], says: RegExp]>([
    [[], /a command is missing/],
    [['bogus'], /unknown command 'bogus'/],
    [['--bogus'], /unknown option '--bogus'/],
    [['Echo', ':0'], /unknown command 'Echo'/],
    [['echo'], /missing required argument 'listen'/],
    [['echo', ':0', 'more'], /too many arguments/],
    [['echo', ':0', '--bogus'], /unknown option '--bogus'/],
    [['echo', ':0', '--style', 'callback'], /'callback' is invalid.*await, handler/],
    [['echo', ':0', '--style'], /argument missing/],
    [['echo', '127.0.0.1'], /missing port in address.*host:port, :port or unix:\/path/],
    [['echo', '127.0.0.1:99999'], /port/],
    [['echo', '::1:80'], /too many colons/],
    [['echo', 'unix:'], /path is missing/],
    [['echo', ''], /missing port in address/],
    [['proxy'], /missing required argument 'listen'/],
    [['proxy', ':0'], /missing required argument 'target'/],
    [['proxy', ':0', 'nowhere'], /'nowhere' is invalid.*target/],
    [['proxy', ':0', 'localhost:80', 'unix:'], /path is missing/],
    [['send', ':0'], /missing required argument 'file'/],
    [['send', ':0', 'a', 'b'], /too many arguments/],
    [['doctor', 'now'], /too many arguments/],
    [['doctor', '--yaml'], /unknown option '--yaml'/],
  ])('%j', async (args, says) => {
    const { code, stdout, stderr } = await runCli(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toMatch(says);
  });
});

test('--help names every command, and exits with 0', async () => {
  const { code, stdout, stderr } = await runCli('--help');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const command of ['echo', 'proxy', 'send', 'doctor']) expect(stdout).toContain(command);
});

test('--help of a command names its arguments', async () => {
  const { code, stdout } = await runCli('echo', '--help');
  expect(code).toBe(0);
  expect(stdout).toMatch(/<listen>[\s\S]*--style/);
});

test('--version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(await runCli('--version')).toMatchObject({ code: 0, stdout: `${version}\n` });
});
