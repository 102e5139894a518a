import { readFileSync } from 'node:fs';
import { dial, listen, type TCPConn } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, MiB, readExactly } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { tcpPair } from '../support/pair.ts';
import { hasPython } from '../support/python.ts';
import { allSocketOptions, socketOptions } from '../support/sockopt.ts';
import { isPending } from '../support/time.ts';

const canAsk = process.platform === 'linux' && hasPython;

// The system's own values, which a negative number leaves in place.
const setting = (name: string) => Number(readFileSync(`/proc/sys/net/ipv4/tcp_keepalive_${name}`, 'utf8'));
const SYSTEM = canAsk
  ? { keepIdle: setting('time'), keepInterval: setting('intvl'), keepCount: setting('probes') }
  : {};

/** A pair whose ends were made with these options. */
async function pairWith(options: Parameters<typeof dial>[2] & Parameters<typeof listen>[2]) {
  const listener = await listen('tcp', '127.0.0.1:0', options);
  const client = await dial('tcp', `${listener.addr}`, options);
  const server = await listener.accept();
  return {
    ends: [client, server],
    [Symbol.dispose]() {
      for (const each of [client, server, listener]) each.close();
    },
  };
}

describe.runIf(canAsk)('a TCP connection', () => {
  test('has no-delay on, keep-alive after 15 s, every 15 s, 9 times: dialed or accepted', async () => {
    using pair = await tcpPair();
    for (const options of allSocketOptions([pair.client, pair.server])) {
      expect(options).toMatchObject({
        noDelay: 1,
        keepAlive: 1,
        keepIdle: 15,
        keepInterval: 15,
        keepCount: 9,
        userTimeout: 0,
        linger: [0, 0],
      });
    }
  });

  test('is non-blocking and closes on exec: dialed or accepted', async () => {
    using pair = await tcpPair();
    for (const options of allSocketOptions([pair.client, pair.server])) {
      expect(options).toMatchObject({ nonBlocking: true, closeOnExec: true });
    }
  });

  test('has the keep-alive that dial() or listen() was given', async () => {
    using pair = await pairWith({ keepAliveConfig: { enable: true, idle: 7000, interval: 2000, count: 3 } });
    for (const options of allSocketOptions(pair.ends)) {
      expect(options).toMatchObject({ keepAlive: 1, keepIdle: 7, keepInterval: 2, keepCount: 3 });
    }
  });

  test('has none where dial() or listen() was told so', async () => {
    using pair = await pairWith({ keepAliveConfig: { enable: false } });
    for (const options of allSocketOptions(pair.ends)) expect(options).toMatchObject({ keepAlive: 0, ...SYSTEM });
  });

  test('takes the defaults for 0 and what is absent, and the system for what is negative', async () => {
    using defaults = await pairWith({ keepAliveConfig: { enable: true, idle: 0, interval: 0, count: 0 } });
    for (const options of allSocketOptions(defaults.ends)) {
      expect(options).toMatchObject({ keepIdle: 15, keepInterval: 15, keepCount: 9 });
    }
    using system = await pairWith({ keepAliveConfig: { enable: true, idle: -1, interval: -1, count: -1 } });
    for (const options of allSocketOptions(system.ends)) expect(options).toMatchObject({ keepAlive: 1, ...SYSTEM });
  });
});

describe.runIf(canAsk)('setters', () => {
  test('setNoDelay()', async () => {
    using pair = await tcpPair();
    pair.client.setNoDelay(false);
    expect(socketOptions(pair.client).noDelay).toBe(0);
    pair.client.setNoDelay(true);
    expect(socketOptions(pair.client).noDelay).toBe(1);
  });

  test('setKeepAlive()', async () => {
    using pair = await tcpPair();
    pair.client.setKeepAlive(false);
    expect(socketOptions(pair.client)).toMatchObject({ keepAlive: 0, keepIdle: 15 });
    pair.client.setKeepAlive(true);
    expect(socketOptions(pair.client)).toMatchObject({ keepAlive: 1, keepIdle: 15, keepInterval: 15, keepCount: 9 });
  });

  test('setKeepAlivePeriod() changes the idle time alone, rounded up to whole seconds', async () => {
    using pair = await tcpPair();
    pair.client.setKeepAlivePeriod(30_000);
    expect(socketOptions(pair.client)).toMatchObject({ keepIdle: 30, keepInterval: 15, keepCount: 9 });
    pair.client.setKeepAlivePeriod(1500);
    expect(socketOptions(pair.client).keepIdle).toBe(2);
    pair.client.setKeepAlivePeriod(1);
    expect(socketOptions(pair.client).keepIdle).toBe(1);
  });

  test('setKeepAliveConfig()', async () => {
    using pair = await tcpPair();
    pair.client.setKeepAliveConfig({ enable: true, idle: 4001, interval: 999, count: 5 });
    expect(socketOptions(pair.client)).toMatchObject({ keepAlive: 1, keepIdle: 5, keepInterval: 1, keepCount: 5 });
    pair.client.setKeepAliveConfig({ enable: true, idle: -1, interval: 8000, count: -1 });
    expect(socketOptions(pair.client)).toMatchObject({ keepIdle: 5, keepInterval: 8, keepCount: 5 });
    pair.client.setKeepAliveConfig({ enable: true });
    expect(socketOptions(pair.client)).toMatchObject({ keepIdle: 15, keepInterval: 15, keepCount: 9 });
    pair.client.setKeepAliveConfig({ enable: false, idle: 60_000 });
    expect(socketOptions(pair.client)).toMatchObject({ keepAlive: 0, keepIdle: 60 });
    pair.client.setKeepAliveConfig({ enable: true, idle: 32_767_000, interval: 32_767_000, count: 127 });
    expect(socketOptions(pair.client)).toMatchObject({ keepIdle: 32767, keepInterval: 32767, keepCount: 127 });
  });

  test('setLinger()', async () => {
    using pair = await tcpPair();
    pair.client.setLinger(7);
    expect(socketOptions(pair.client).linger).toEqual([1, 7]);
    pair.client.setLinger(0);
    expect(socketOptions(pair.client).linger).toEqual([1, 0]);
    pair.client.setLinger(-1);
    expect(socketOptions(pair.client).linger[0]).toBe(0);
  });

  test('setReadBuffer() and setWriteBuffer(), which Linux doubles', async () => {
    using pair = await tcpPair();
    pair.client.setReadBuffer(20_000);
    pair.client.setWriteBuffer(30_000);
    expect(socketOptions(pair.client)).toMatchObject({ readBuffer: 40_000, writeBuffer: 60_000 });
  });

  test('setUserTimeout(), rounded up to whole milliseconds', async () => {
    using pair = await tcpPair();
    pair.client.setUserTimeout(1500);
    expect(socketOptions(pair.client).userTimeout).toBe(1500);
    pair.client.setUserTimeout(0.25);
    expect(socketOptions(pair.client).userTimeout).toBe(1);
    pair.client.setUserTimeout(0);
    expect(socketOptions(pair.client).userTimeout).toBe(0);
  });
});

test('setters work while calls wait, in both directions', async () => {
  using pair = await tcpPair();
  const reading = pair.client.read();
  const writing = pair.client.write(bytes(32 * MiB));
  expect(await isPending(writing)).toBe(true);
  pair.client.setNoDelay(false);
  pair.client.setKeepAlive(false);
  pair.client.setReadBuffer(64 * 1024);
  pair.client.setWriteBuffer(64 * 1024);
  pair.client.setLinger(1);
  pair.client.setLinger(-1);
  await readExactly(pair.server, 32 * MiB);
  expect(await writing).toBe(32 * MiB);
  await pair.server.write('x');
  expect(String(await reading)).toBe('x');
});

describe('what is refused', () => {
  const OUT_OF_RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
  const WRONG_TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };

  const outOfRange: [call: string, set: (conn: TCPConn) => void][] = [
    ['setLinger(65536)', (conn) => conn.setLinger(65536)],
    ['setLinger(-2)', (conn) => conn.setLinger(-2)],
    ['setLinger(1.5)', (conn) => conn.setLinger(1.5)],
    ['setReadBuffer(0)', (conn) => conn.setReadBuffer(0)],
    ['setReadBuffer(2 ** 31)', (conn) => conn.setReadBuffer(2 ** 31)],
    ['setWriteBuffer(-1)', (conn) => conn.setWriteBuffer(-1)],
    ['setWriteBuffer(NaN)', (conn) => conn.setWriteBuffer(Number.NaN)],
    ['setUserTimeout(-1)', (conn) => conn.setUserTimeout(-1)],
    ['setUserTimeout(2 ** 31)', (conn) => conn.setUserTimeout(2 ** 31)],
    ['setUserTimeout(Infinity)', (conn) => conn.setUserTimeout(Number.POSITIVE_INFINITY)],
    ['setKeepAlivePeriod(32,767,001)', (conn) => conn.setKeepAlivePeriod(32_767_001)],
    ['setKeepAlivePeriod(NaN)', (conn) => conn.setKeepAlivePeriod(Number.NaN)],
    ['setKeepAliveConfig({ idle })', (conn) => conn.setKeepAliveConfig({ enable: true, idle: 32_767_001 })],
    ['setKeepAliveConfig({ interval })', (conn) => conn.setKeepAliveConfig({ enable: true, interval: 1.5 })],
    ['setKeepAliveConfig({ count })', (conn) => conn.setKeepAliveConfig({ enable: true, count: 128 })],
  ];

  test.each(outOfRange)('%s throws ERR_OUT_OF_RANGE', async (_call, set) => {
    using pair = await tcpPair();
    expect(() => set(pair.client)).toThrow(expect.objectContaining(OUT_OF_RANGE));
  });

  const methods = [
    'setNoDelay',
    'setKeepAlive',
    'setKeepAlivePeriod',
    'setKeepAliveConfig',
    'setLinger',
    'setReadBuffer',
    'setWriteBuffer',
    'setUserTimeout',
  ] as const;

  test.each(methods)('%s() throws ERR_INVALID_ARG_TYPE for another type', async (method) => {
    using pair = await tcpPair();
    for (const value of [undefined, null, 'yes', 10n, [], Symbol('x')]) {
      expect(() => pair.client[method](value as never)).toThrow(expect.objectContaining(WRONG_TYPE));
    }
  });

  test.each([
    {},
    { enable: 1 },
    { enable: true, idle: '1' },
    { enable: true, interval: null },
    { enable: true, count: 10n },
  ])('keep-alive that is %o: ERR_INVALID_ARG_TYPE', async (keepAliveConfig) => {
    using pair = await tcpPair();
    const options = { keepAliveConfig } as never;
    expect(() => pair.client.setKeepAliveConfig(keepAliveConfig as never)).toThrow(expect.objectContaining(WRONG_TYPE));
    expect(await caught(dial('tcp', `${pair.listener.addr}`, options))).toMatchObject(WRONG_TYPE);
    expect(await caught(listen('tcp', '127.0.0.1:0', options))).toMatchObject(WRONG_TYPE);
  });
});
