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
    [['proxy', ':0', ':80,weight=101'], /a weight is 1 to 100/],
    [['proxy', ':0', ':80', '--balance', 'random'], /roundRobin, leastConnections, sourceHash/],
    [['proxy', ':0', ':80', '--idle-timeout', '5'], /'--idle-timeout <time>'.*250ms, 5s, 5m or 1h/],
    [['proxy', ':0', ':80', '--hello-timeout', '0'], /more than 0/],
    [['proxy', ':0', ':80', '--connect-timeout', '5x'], /expected a time/],
    [['proxy', ':0', ':80', '--rate', '10MB'], /512B, 64KiB, 10MiB or 1GiB/],
    [['proxy', ':0', ':80', '--max-connections', '1.5'], /a whole number from 0 on/],
    [['proxy', ':0', ':80', '--workers', 'two'], /a whole number from 0 on/],
    [['proxy', ':0', ':80', '--workers'], /argument missing/],
    [['proxy', ':0', ':80', '--sni', 'a.test'], /name=target/],
    [['proxy', ':0', ':80', '--sni', 'constructor=nowhere'], /missing port/],
    [['proxy', ':0', ':80', '--sni', 'a b=:80'], /name=target/],
    [['proxy', ':0', ':80', '--sni', 'a.test=nowhere'], /missing port/],
    [['proxy', ':0', ':80', '--accept-proxy', '10.0.0.0/33'], /10\.0\.0\.0\/8, or unix/],
    [['proxy', ':0', ':80', '--proxy-optional'], /--accept-proxy/],
    [['proxy', ':0', ':80', '--send-proxy', '2'], /v1, v2/],
    [['proxy', ':0', ':80', '--mode', '660'], /Unix/],
    [['proxy', 'unix:/tmp/x', ':80', '--mode', '888'], /octal/],
    [['proxy', 'unix:/tmp/x', ':80', '--workers', '2'], /TCP/],
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

test("proxy's help has every option with its default, and examples", async () => {
  const { code, stdout } = await runCli('proxy', '--help');
  expect(code).toBe(0);
  expect(stdout).toMatch(/proxy \[options\] <listen> <target\.\.\.>/);
  for (const word of ['--connect-timeout', '5s', '--sni', '--workers', 'Examples:', '64KiB'])
    expect(stdout).toContain(word);
});

test('--version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(await runCli('--version')).toMatchObject({ code: 0, stdout: `${version}\n` });
});
