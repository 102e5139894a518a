// ListenConfig, and the options that only listening has.

import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { ListenConfig, listen, type OpError } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { openSockets } from '../support/fds.ts';
import { socketPath } from '../support/pair.ts';

/** The file of a listener that died without a word. */
async function stalePath(): Promise<string> {
  const path = socketPath();
  await runScript(`
    import { listen } from 'spliceway';
    await listen('unix', ${JSON.stringify(path)});
    process.exit();
  `);
  expect(existsSync(path)).toBe(true);
  return path;
}

describe('ListenConfig', () => {
  test('holds options for any number of listeners', async () => {
    const config = new ListenConfig({ reusePort: true });
    using first = await config.listen('tcp', '127.0.0.1:0');
    using second = await config.listen('tcp', `${first.addr}`);
    expect(`${second.addr}`).toBe(`${first.addr}`);
  });

  test('checks its options when it is made', () => {
    const coded = (code: string) => expect.objectContaining({ code });
    expect(() => new ListenConfig({ backlog: 'long' as never })).toThrow(coded('ERR_INVALID_ARG_TYPE'));
    expect(() => new ListenConfig({ mode: 0o1000 })).toThrow(coded('ERR_OUT_OF_RANGE'));
    expect(() => new ListenConfig({ removeStale: 1 as never })).toThrow(coded('ERR_INVALID_ARG_TYPE'));
  });
});

describe('control', () => {
  test('is called once before bind, with the concrete network and the address that was asked for', async () => {
    const calls: unknown[] = [];
    const control = (...args: unknown[]) => void calls.push(args.slice(0, 2));
    const path = socketPath();
    const addresses = [
      ['tcp', '127.0.0.1:0'],
      ['tcp4', ':0'],
      ['unix', path],
    ] as const;
    for (const [network, address] of addresses) (await listen(network, address, { control })).close();
    expect(calls).toEqual([
      ['tcp4', '127.0.0.1:0'],
      ['tcp4', ':0'],
      ['unix', path],
    ]);
  });

  test('what it throws fails the call, as its cause', async () => {
    const before = openSockets();
    const refusal = new Error('control refused');
    const control = () => {
      throw refusal;
    };
    const error = (await caught(listen('tcp', '127.0.0.1:0', { control }))) as OpError;
    expect(error).toMatchObject({ op: 'listen', message: 'listen tcp 127.0.0.1:0: control refused', cause: refusal });
    expect(openSockets()).toBe(before);
  });
});

describe('mode', () => {
  test.each([0o600, 0o660, 0o777])('%o is that of the file', async (mode) => {
    using listener = await listen('unix', socketPath(), { mode });
    expect(statSync(`${listener.addr}`).mode & 0o777).toBe(mode);
  });
});

describe('removeStale', () => {
  test('off: the file of a listener that died is in the way', async () => {
    expect(await caught(listen('unix', await stalePath()))).toMatchObject({ code: 'EADDRINUSE', syscall: 'bind' });
  });

  test('on: it is replaced', async () => {
    const path = await stalePath();
    using listener = await listen('unix', path, { removeStale: true });
    expect(`${listener.addr}`).toBe(path);
  });

  test('the file of a listener that lives is left alone, ours or another', async () => {
    using first = await listen('unix', socketPath());
    const options = { removeStale: true };
    expect(await caught(listen('unix', `${first.addr}`, options))).toMatchObject({ code: 'EADDRINUSE' });
    const path = socketPath();
    const other = createServer().listen(path);
    expect(await caught(listen('unix', path, options))).toMatchObject({ code: 'EADDRINUSE' });
    expect(existsSync(path)).toBe(true);
    other.close();
  });

  test('a file that is no socket is left alone', async () => {
    const path = socketPath();
    writeFileSync(path, 'precious');
    expect(await caught(listen('unix', path, { removeStale: true }))).toMatchObject({ code: 'EADDRINUSE' });
    expect(existsSync(path)).toBe(true);
  });
});
