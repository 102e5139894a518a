import { networkInterfaces } from 'node:os';
import {
  AddrError,
  dial,
  joinHostPort,
  listen,
  type OpError,
  splitHostPort,
  TCPAddr,
  type TCPConn,
  UnixAddr,
  type UnixConn,
} from 'spliceway';
import { describe, expect, test } from 'vitest';
import { type Pair, socketPath, streams, tcpPair, unixPair } from '../support/pair.ts';

const hasIPv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
const onLinux = process.platform === 'linux';

// Go's tables in net/ip_test.go, and a few of our own.

test.each([
  ['localhost:http', 'localhost', 'http'],
  ['localhost:80', 'localhost', '80'],
  ['localhost%lo0:80', 'localhost%lo0', '80'],
  ['[localhost%lo0]:http', 'localhost%lo0', 'http'],
  ['127.0.0.1:80', '127.0.0.1', '80'],
  ['[::1]:http', '::1', 'http'],
  ['[::1%lo0]:80', '::1%lo0', '80'],
  [':http', '', 'http'],
  [':80', '', '80'],
  ['[]:80', '', '80'],
  [':', '', ''],
  ['golang.org:', 'golang.org', ''],
  ['127.0.0.1:', '127.0.0.1', ''],
  ['[::1]:', '::1', ''],
  ['golang.org:https%foo', 'golang.org', 'https%foo'],
])('splitHostPort("%s")', (address, host, port) => {
  expect(splitHostPort(address)).toEqual({ host, port });
});

test.each([
  ['', 'missing port in address'],
  ['golang.org', 'missing port in address'],
  ['127.0.0.1', 'missing port in address'],
  ['[::1]', 'missing port in address'],
  ['[fe80::1%lo0]', 'missing port in address'],
  ['[localhost%lo0]', 'missing port in address'],
  ['localhost%lo0', 'missing port in address'],
  ['::1', 'too many colons in address'],
  ['fe80::1%lo0', 'too many colons in address'],
  ['fe80::1%lo0:80', 'too many colons in address'],
  ['[foo:bar]', 'missing port in address'],
  ['[foo:bar]baz', 'missing port in address'],
  ['[foo]bar:baz', 'missing port in address'],
  ['[foo]:[bar]:baz', 'too many colons in address'],
  ['[foo]:[bar]baz', "unexpected '[' in address"],
  ['foo[bar]:baz', "unexpected '[' in address"],
  ['foo]bar:baz', "unexpected ']' in address"],
  ['[foo:80', "missing ']' in address"],
])('splitHostPort("%s") throws an AddrError: %s', (address, err) => {
  const split = () => splitHostPort(address);
  expect(split).toThrow(AddrError);
  expect(split).toThrow(
    expect.objectContaining({
      message: address === '' ? err : `address ${address}: ${err}`,
      code: 'ERR_SPLICEWAY_ADDRESS',
      err,
      addr: address,
    }),
  );
});

test('splitHostPort() throws ERR_INVALID_ARG_TYPE for what is not text', () => {
  for (const value of [undefined, null, 80, {}]) {
    expect(() => splitHostPort(value as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  }
});

test.each([
  ['localhost', 80, 'localhost:80'],
  ['localhost%lo0', '80', 'localhost%lo0:80'],
  ['127.0.0.1', 'http', '127.0.0.1:http'],
  ['::1', 80, '[::1]:80'],
  ['::1%lo0', '80', '[::1%lo0]:80'],
  ['', 80, ':80'],
  ['', '', ':'],
  ['golang.org', 'https%foo', 'golang.org:https%foo'],
])('joinHostPort("%s", %j) is "%s"', (host, port, address) => {
  expect(joinHostPort(host, port)).toBe(address);
});

test('splitHostPort() undoes joinHostPort()', () => {
  for (const host of ['localhost', '127.0.0.1', '::1', 'fe80::1%eth0', '']) {
    expect(splitHostPort(joinHostPort(host, 8080))).toEqual({ host, port: '8080' });
  }
});

test.each([
  [new TCPAddr('127.0.0.1', 80), '127.0.0.1:80'],
  [new TCPAddr('::1', 80), '[::1]:80'],
  [new TCPAddr('fe80::1', 80, 'eth0'), '[fe80::1%eth0]:80'],
  [new TCPAddr('', 80), ':80'],
  [new UnixAddr('/run/x.sock'), '/run/x.sock'],
  [new UnixAddr('@name'), '@name'],
  [new UnixAddr(''), '@'],
])('an address prints as Go prints it: %s', (addr, text) => {
  expect(addr.toString()).toBe(text);
  expect(`${addr}`).toBe(text);
});

test('an address has its parts, and its network', () => {
  expect(new TCPAddr('::1', 80, 'lo')).toMatchObject({ network: 'tcp', ip: '::1', port: 80, zone: 'lo' });
  expect(new TCPAddr('::1', 80)).toMatchObject({ zone: '' });
  expect(new UnixAddr('/x')).toMatchObject({ network: 'unix', path: '/x' });
  expect(new UnixAddr('/x', 'unixpacket')).toMatchObject({ network: 'unixpacket' });
});

test.each([new TCPAddr('127.0.0.1', 80), new UnixAddr('/x')])('an address is frozen: %s', (addr) => {
  expect(Object.isFrozen(addr)).toBe(true);
  expect(() => Object.assign(addr, { network: 'other' })).toThrow(TypeError);
});

/** Both ends' addresses as text. */
function addresses({ client, server }: Pair<TCPConn | UnixConn>): string[] {
  return [client, server].flatMap(({ localAddr, remoteAddr }) => [`${localAddr}`, `${remoteAddr}`]);
}

describe.each([...streams, ['unixpacket', () => unixPair('unixpacket')] as const])(
  'the addresses of a %s connection',
  (network, makePair) => {
    test('mirror each other, and the server is where the listener says', async () => {
      using pair = await makePair();
      const [clientLocal, clientRemote, serverLocal, serverRemote] = addresses(pair);
      expect(clientLocal).toBe(serverRemote);
      expect(clientRemote).toBe(serverLocal);
      expect(serverLocal).toBe(`${pair.listener.addr}`);
    });

    test('are frozen and know their network', async () => {
      using pair = await makePair();
      for (const end of [pair.client, pair.server]) {
        for (const addr of [end.localAddr, end.remoteAddr]) {
          expect(Object.isFrozen(addr)).toBe(true);
          expect(addr.network).toBe(network);
        }
      }
    });

    test('are still there after close', async () => {
      using pair = await makePair();
      const before = addresses(pair);
      pair[Symbol.dispose]();
      expect(addresses(pair)).toEqual(before);
    });

    test('are still there after close when nobody asked before', async () => {
      using pair = await makePair();
      pair[Symbol.dispose]();
      const [clientLocal, clientRemote, serverLocal, serverRemote] = addresses(pair);
      expect(clientLocal).toBe(serverRemote);
      expect(clientRemote).toBe(serverLocal);
      expect(serverLocal).toBe(`${pair.listener.addr}`);
    });
  },
);

test('the peer of a connection that was reset is still known', async () => {
  using pair = await tcpPair();
  const client = `${pair.client.localAddr}`;
  pair.client.setLinger(0);
  pair.client.close();
  const error = (await pair.server.read().catch((reason) => reason)) as OpError;
  expect(error.code).toBe('ECONNRESET');
  expect(`${error.addr}`).toBe(client);
  expect(`${pair.server.remoteAddr}`).toBe(client);
});

describe('a listener on the wildcard', () => {
  test.skipIf(!hasIPv6).each(['127.0.0.1', '[::1]'])(
    'has connections with addresses of their own: %s',
    async (host) => {
      using listener = await listen('tcp', ':0');
      const target = `${host}:${(listener.addr as TCPAddr).port}`;
      using client = await dial('tcp', target);
      using server = await listener.accept();
      expect(`${client.remoteAddr}`).toBe(target);
      expect(`${server.localAddr}`).toBe(target);
      expect(`${server.remoteAddr}`).toBe(`${client.localAddr}`);
      expect(server.localAddr).toMatchObject({ network: 'tcp', zone: '' });
      server.close();
      expect(`${server.localAddr}`).toBe(target);
    },
  );

  test('has them after close too, when nobody asked before', async () => {
    using listener = await listen('tcp4', ':0');
    const target = `127.0.0.1:${(listener.addr as TCPAddr).port}`;
    using client = await dial('tcp', target);
    using server = await listener.accept();
    server.close();
    expect(`${server.localAddr}`).toBe(target);
    expect(`${server.remoteAddr}`).toBe(`${client.localAddr}`);
  });
});

describe('Unix sockets', () => {
  test('an unnamed end prints as @', async () => {
    using pair = await unixPair();
    expect(`${pair.client.localAddr}`).toBe('@');
    expect(`${pair.server.remoteAddr}`).toBe('@');
    expect(pair.client.localAddr).toMatchObject({ network: 'unix', path: '' });
  });

  test('a path of more than ASCII comes back as it was given', async () => {
    const path = `${socketPath()}-ä-✓`;
    using listener = await listen('unix', path);
    using client = await dial('unix', path);
    using server = await listener.accept();
    expect(`${client.remoteAddr}`).toBe(path);
    expect(`${server.localAddr}`).toBe(path);
  });

  test.runIf(onLinux)('a name in the abstract namespace begins with @', async () => {
    const name = `@spliceway-${process.pid}-addr`;
    using listener = await listen('unix', name);
    using client = await dial('unix', name, { localAddr: `${name}-client` });
    using server = await listener.accept();
    expect(listener.addr).toMatchObject({ network: 'unix', path: name });
    expect(`${client.remoteAddr}`).toBe(name);
    expect(`${server.localAddr}`).toBe(name);
    expect(`${client.localAddr}`).toBe(`${name}-client`);
    expect(`${server.remoteAddr}`).toBe(`${name}-client`);
  });

  test.runIf(onLinux)('an empty name is one that the kernel chooses', async () => {
    using listener = await listen('unix', '');
    expect(`${listener.addr}`).toMatch(/^@[0-9a-f]{5}$/);
    using client = await dial('unix', `${listener.addr}`);
    using server = await listener.accept();
    expect(`${client.remoteAddr}`).toBe(`${server.localAddr}`);
  });
});
