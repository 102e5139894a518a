import { constants } from 'node:os';
import { listen, type SocketListener, socketOptions, type TCPConn } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { tcpPair, unixPair } from '../support/pair.ts';

const onLinux = process.platform === 'linux';
const thrown = (call: () => unknown): unknown => {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('it did not throw');
};

test('socketOptions has the numbers of this system, and cannot be changed', () => {
  expect(socketOptions).toMatchObject({
    SOL_SOCKET: expect.any(Number),
    SO_REUSEADDR: expect.any(Number),
    TCP_NODELAY: 1,
    IPPROTO_TCP: 6,
    IPPROTO_IPV6: 41,
    IPV6_V6ONLY: expect.any(Number),
  });
  if (onLinux) expect(socketOptions).toMatchObject({ SOL_SOCKET: 1, SO_REUSEADDR: 2, TCP_INFO: 11, SO_PEERCRED: 17 });
  expect(Object.isFrozen(socketOptions)).toBe(true);
});

test('a connection: ints by name and by number', async () => {
  using pair = await tcpPair();
  const conn = pair.client;
  expect(conn.getOption('IPPROTO_TCP', 'TCP_NODELAY')).not.toBe(0);
  conn.setOption('IPPROTO_TCP', 'TCP_NODELAY', 0);
  expect(conn.getOption(6, 1)).toBe(0);
  expect(conn.getOption('SOL_SOCKET', 'SO_TYPE')).toBe(1);
  conn.setOption('SOL_SOCKET', 'SO_RCVBUF', 20_000);
  expect(conn.getOption('SOL_SOCKET', 'SO_RCVBUF')).toBe(onLinux ? 40_000 : 20_000);
});

test.runIf(onLinux)('a connection: options that are text or a struct', async () => {
  using pair = await tcpPair();
  const conn = pair.client;
  const name = conn.getOption('IPPROTO_TCP', 'TCP_CONGESTION', 16);
  expect(String(name).replaceAll('\0', '')).toMatch(/^[a-z]+$/);
  expect(name.length).toBeLessThanOrEqual(16);
  conn.setOption('IPPROTO_TCP', 'TCP_CONGESTION', Buffer.from('reno'));
  expect(String(conn.getOption('IPPROTO_TCP', 'TCP_CONGESTION', 16))).toMatch(/^reno/);
  conn.setOption('SOL_SOCKET', 'SO_LINGER', new Uint8Array(new Int32Array([1, 3]).buffer));
  expect(new Int32Array(new Uint8Array(conn.getOption('SOL_SOCKET', 'SO_LINGER', 8)).buffer)).toEqual(
    new Int32Array([1, 3]),
  );
  conn.setLinger(-1);
  // What it gives is the caller's own: another call does not change it.
  const info = conn.getOption('IPPROTO_TCP', 'TCP_INFO', 65536);
  const before = Buffer.from(info);
  conn.getOption('SOL_SOCKET', 'SO_LINGER', 8);
  expect(info.equals(before)).toBe(true);
  expect(info.length).toBeGreaterThan(200);
});

test.runIf(onLinux)('unsigned ints pass', async () => {
  using pair = await tcpPair();
  pair.client.setOption('SOL_SOCKET', 'SO_MAX_PACING_RATE', 2 ** 32 - 2);
  expect(pair.client.getOption('SOL_SOCKET', 'SO_MAX_PACING_RATE') >>> 0).toBe(2 ** 32 - 2);
});

test('a listener', async () => {
  await using listener = await listen('tcp', '[::]:0');
  expect(listener.getOption('SOL_SOCKET', 'SO_REUSEADDR')).not.toBe(0);
  expect(listener.getOption('SOL_SOCKET', 'SO_ACCEPTCONN')).not.toBe(0);
  expect(listener.getOption('IPPROTO_IPV6', 'IPV6_V6ONLY')).toBe(0);
  listener.setOption('IPPROTO_TCP', 'TCP_KEEPINTVL', 44);
  expect(listener.getOption('IPPROTO_TCP', 'TCP_KEEPINTVL')).toBe(44);
});

describe('what the system refuses', () => {
  test('is an OpError of set or get, with both addresses', async () => {
    using pair = await unixPair();
    const { client } = pair;
    const where = `${client.localAddr}->${client.remoteAddr}`;
    const notThere = onLinux ? 'ENOTSUP' : expect.any(String);
    expect(thrown(() => client.setOption('IPPROTO_TCP', 'TCP_NODELAY', 1))).toMatchObject({
      op: 'set',
      code: notThere,
      syscall: 'setsockopt',
      ...(onLinux && { message: `set unix ${where}: setsockopt: operation not supported` }),
    });
    expect(thrown(() => client.getOption('IPPROTO_TCP', 'TCP_NODELAY'))).toMatchObject({
      op: 'get',
      code: notThere,
      syscall: 'getsockopt',
    });
  });

  test('ENOPROTOOPT, from a connection and from a listener', async () => {
    using pair = await tcpPair();
    const name = 54_321;
    for (const socket of [pair.client, pair.listener] as (TCPConn | SocketListener)[]) {
      const local = socket === pair.client ? `${pair.client.localAddr}->${pair.client.remoteAddr}` : pair.listener.addr;
      expect(thrown(() => socket.setOption('SOL_SOCKET', name, 1))).toMatchObject({
        op: 'set',
        code: 'ENOPROTOOPT',
        message: `set tcp ${local}: setsockopt: protocol not available`,
      });
      expect(thrown(() => socket.getOption('SOL_SOCKET', name))).toMatchObject({
        op: 'get',
        code: 'ENOPROTOOPT',
        errno: -constants.errno.ENOPROTOOPT,
        message: `get tcp ${local}: getsockopt: protocol not available`,
      });
    }
  });

  test('a socket that is closed', async () => {
    using pair = await tcpPair();
    for (const socket of [pair.client, pair.listener] as (TCPConn | SocketListener)[]) {
      socket.close();
      const closed = { code: 'ERR_SPLICEWAY_CLOSED' };
      expect(thrown(() => socket.setOption(1, 2, 1))).toMatchObject({ op: 'set', ...closed });
      expect(thrown(() => socket.getOption(1, 2))).toMatchObject({ op: 'get', ...closed });
    }
  });
});

test('what is refused here', async () => {
  using pair = await tcpPair();
  for (const socket of [pair.client, pair.listener] as (TCPConn | SocketListener)[]) {
    const refused: [code: string, call: () => unknown][] = [
      ['ERR_INVALID_ARG_TYPE', () => socket.getOption(null as never, 'SO_TYPE')],
      ['ERR_INVALID_ARG_TYPE', () => socket.getOption('SOL_SOCKET', {} as never)],
      ['ERR_INVALID_ARG_TYPE', () => socket.setOption('SOL_SOCKET', 'SO_RCVBUF', '1' as never)],
      ['ERR_INVALID_ARG_TYPE', () => socket.setOption('SOL_SOCKET', 'SO_RCVBUF', true as never)],
      ['ERR_INVALID_ARG_VALUE', () => socket.getOption('SOL_SOCKET', 'SO_TYPO')],
      ['ERR_INVALID_ARG_VALUE', () => socket.getOption('SOL_SOCKET', 'toString')],
      ['ERR_OUT_OF_RANGE', () => socket.getOption('SOL_SOCKET', 'SO_TYPE', 0)],
      ['ERR_OUT_OF_RANGE', () => socket.getOption('SOL_SOCKET', 'SO_TYPE', 65537)],
      ['ERR_OUT_OF_RANGE', () => socket.getOption(1.5, 'SO_TYPE')],
      ['ERR_OUT_OF_RANGE', () => socket.setOption('SOL_SOCKET', 'SO_RCVBUF', 2 ** 32)],
    ];
    for (const [code, call] of refused) expect(thrown(call)).toMatchObject({ code });
  }
});
