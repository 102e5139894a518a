import {
  AddrError,
  DNSError,
  type IPAddr,
  resolveIPAddr,
  resolveTCPAddr,
  resolveUDPAddr,
  resolveUnixAddr,
  TCPAddr,
  UDPAddr,
  UnixAddr,
  UnknownNetworkError,
} from 'spliceway';
import { describe, expect, test } from 'vitest';
import { caught } from '../support/caught.ts';

const lookupAll = (addresses: string[]) => async () => addresses;

describe('resolveTCPAddr() and resolveUDPAddr()', () => {
  test.each([
    ['tcp', '127.0.0.1:80', '127.0.0.1:80'],
    ['tcp', ':80', ':80'],
    ['tcp', '', ':0'],
    ['tcp', ':', ':0'],
    ['tcp', '127.0.0.1:', '127.0.0.1:0'],
    ['tcp', '127.0.0.1:+80', '127.0.0.1:80'],
    ['tcp', '127.0.0.1:+', '127.0.0.1:0'],
    ['tcp', '127.0.0.1:-0', '127.0.0.1:0'],
    ['tcp', '127.0.0.1:00080', '127.0.0.1:80'],
    ['tcp', '[::ffff:127.0.0.1]:1', '127.0.0.1:1'],
    ['tcp', '[::ffff:7f00:1]:1', '127.0.0.1:1'],
    ['tcp', '[::]:1', '[::]:1'],
    ['tcp', '[fe80::1%en0]:1', '[fe80::1%en0]:1'],
    ['tcp', '[fe80::0:1]:1', '[fe80::1]:1'],
    ['tcp', '[FE80::A]:1', '[fe80::a]:1'],
    ['tcp', '[1:2:3:4:5:6:7::]:1', '[1:2:3:4:5:6:7:0]:1'],
    ['tcp', '[1:0:0:2:0:0:0:3]:1', '[1:0:0:2::3]:1'],
    ['tcp', '[::1.2.3.4]:1', '[::102:304]:1'],
    ['tcp', '127.0.0.1:http', '127.0.0.1:80'],
    ['tcp4', '127.0.0.1:HTTPS', '127.0.0.1:443'],
    ['udp', '127.0.0.1:domain', '127.0.0.1:53'],
  ])('%s "%s" is %s', async (network, address, expected) => {
    const resolve = network.startsWith('udp') ? resolveUDPAddr : resolveTCPAddr;
    const addr = await resolve(network, address);
    expect(addr).toBeInstanceOf(network.startsWith('udp') ? UDPAddr : TCPAddr);
    expect(`${addr}`).toBe(expected);
  });

  test.each([
    ['127.0.0.1', AddrError, 'address 127.0.0.1: missing port in address'],
    ['a:b:c', AddrError, 'address a:b:c: too many colons in address'],
    ['127.0.0.1:65536', AddrError, 'address 65536: invalid port'],
    ['127.0.0.1:-1', AddrError, 'address -1: invalid port'],
    ['127.0.0.1:123456789', AddrError, 'address 123456789: invalid port'],
    ['[::1]80', AddrError, 'address [::1]80: missing port in address'],
    ['127.0.0.1:nosuch', DNSError, 'lookup udp4/nosuch: unknown port'],
    ['127.0.0.1:gopher', DNSError, 'lookup udp4/gopher: unknown port'],
    ['127.0.0.1:8 0', DNSError, 'lookup udp4/8 0: unknown port'],
    ['[2001:db8::1]:53', AddrError, 'address 2001:db8::1: no suitable address found'],
  ])('udp4 "%s" rejects', async (address, type, message) => {
    const error = await caught<Error>(resolveUDPAddr('udp4', address));
    expect(error).toBeInstanceOf(type);
    expect(error.message).toBe(message);
  });

  test('of several addresses the first of IPv4 is taken, and else the first', async () => {
    const lookup = lookupAll(['2001:db8::1', '192.0.2.1', '192.0.2.2']);
    expect(`${await resolveTCPAddr('tcp', 'name.test:1', { lookup })}`).toBe('192.0.2.1:1');
    expect(`${await resolveTCPAddr('tcp6', 'name.test:1', { lookup })}`).toBe('[2001:db8::1]:1');
    const six = lookupAll(['2001:db8::1', '2001:db8::2']);
    expect(`${await resolveTCPAddr('tcp', 'name.test:1', { lookup: six })}`).toBe('[2001:db8::1]:1');
  });

  test('an unknown network rejects', async () => {
    for (const network of ['udp', 'foo', 'ip', 'tcp5']) {
      const error = await caught<Error>(resolveTCPAddr(network, ':1'));
      expect(error).toBeInstanceOf(UnknownNetworkError);
      expect(error.message).toBe(`unknown network ${network}`);
    }
  });

  test('a signal ends the wait', async () => {
    const ours = new AbortController();
    const resolving = resolveTCPAddr('tcp', 'slow.test:1', {
      signal: ours.signal,
      lookup: () => new Promise(() => {}),
    });
    const reason = new Error('enough');
    ours.abort(reason);
    expect(await caught(resolving)).toBe(reason);
    expect(await caught(resolveTCPAddr('tcp', '127.0.0.1:1', { signal: ours.signal }))).toBe(reason);
  });

  test('wrong arguments reject', async () => {
    const type = { code: 'ERR_INVALID_ARG_TYPE' };
    expect(await caught(resolveTCPAddr(1 as never, ''))).toMatchObject(type);
    expect(await caught(resolveTCPAddr('tcp', 1 as never))).toMatchObject(type);
    expect(await caught(resolveTCPAddr('tcp', '', { lookup: 1 } as never))).toMatchObject(type);
    expect(await caught(resolveTCPAddr('tcp', '', { signal: 1 } as never))).toMatchObject(type);
  });
});

describe('resolveIPAddr()', () => {
  test.each([
    ['ip', '127.0.0.1', '127.0.0.1'],
    ['ip', 'FE80::1%lo', 'fe80::1%lo'],
    ['ip4:icmp', '127.0.0.1', '127.0.0.1'],
    ['ip6:58', '::1', '::1'],
    ['ip', '', ''],
  ])('%s "%s" is "%s"', async (network, address, expected) => {
    expect(`${await resolveIPAddr(network, address)}`).toBe(expected);
  });

  test('has a host alone', async () => {
    const addr: IPAddr = await resolveIPAddr('ip', '::1');
    expect(addr).toMatchObject({ network: 'ip', ip: '::1', zone: '', port: 0 });
    expect((await caught<Error>(resolveIPAddr('ip4:nosuch', '::1'))).message).toBe(
      'address nosuch: unknown IP protocol specified',
    );
    expect((await caught<Error>(resolveIPAddr('ip6', '127.0.0.1'))).message).toBe(
      'address 127.0.0.1: no suitable address found',
    );
  });
});

test('resolveUnixAddr() takes a path for what it is', async () => {
  expect(await resolveUnixAddr('unixgram', '/x')).toEqual(new UnixAddr('/x', 'unixgram'));
  expect((await caught<Error>(resolveUnixAddr('unixfoo', '/x'))).message).toBe('unknown network unixfoo');
});
