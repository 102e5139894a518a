import { closeSync, openSync, readlinkSync } from 'node:fs';
import { dial, filePacketConn, listen, listenPacket, OpError, UDPConn, UnixgramConn } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { caught } from '../support/caught.ts';
import { openSockets } from '../support/fds.ts';
import { udpPair } from '../support/packets.ts';
import { socketPath } from '../support/pair.ts';
import { turns } from '../support/time.ts';

const onLinux = process.platform === 'linux';

describe('file() and filePacketConn()', () => {
  test('make a second conn on the same socket', async () => {
    using pair = await udpPair();
    using second = filePacketConn(pair.b.file()) as UDPConn;
    expect(second).toBeInstanceOf(UDPConn);
    expect(second.localAddr).toEqual(pair.b.localAddr);
    expect(second.remoteAddr).toBeNull();
    pair.b.close();
    await pair.a.writeTo('x', second.localAddr);
    expect((await second.readFrom()).addr).toEqual(pair.a.localAddr);
    expect(await second.writeTo('y', pair.a.localAddr)).toBe(1);
    expect(String(await pair.a.read())).toBe('y');
  });

  test('know a unixgram socket, and one that is connected', async () => {
    using gram = await listenPacket('unixgram', socketPath());
    using second = filePacketConn(gram.file());
    expect(second).toBeInstanceOf(UnixgramConn);
    expect(second.localAddr).toEqual(gram.localAddr);
    using connected = await dial('udp', `127.0.0.1:9`);
    using third = filePacketConn(connected.file());
    expect(third.remoteAddr).toEqual(connected.remoteAddr);
    expect(await third.write('x')).toBe(1);
  });

  test('detach() gives the socket away', async () => {
    using pair = await udpPair();
    const before = openSockets();
    const waiting = pair.b.readFrom().catch((error: OpError) => error.code);
    const fd = pair.b.detach();
    expect(await waiting).toBe('ERR_SPLICEWAY_CLOSED');
    expect(pair.b.state).toBe('closed');
    expect(pair.b.close()).toBe(false);
    expect(() => pair.b.detach()).toThrow('use of closed network connection');
    using again = filePacketConn(fd);
    expect(openSockets()).toBe(before);
    await pair.a.writeTo('x', pair.b.localAddr);
    expect(String(await again.read())).toBe('x');
  });

  test.skipIf(!onLinux)('refuse what is no socket, and leave it alone', () => {
    const fd = openSync('/dev/null', 'r');
    let error: OpError | undefined;
    try {
      filePacketConn(fd);
    } catch (e) {
      error = e as OpError;
    }
    expect(error).toBeInstanceOf(OpError);
    expect(error?.message).toBe('file file+net /dev/null: getsockopt: socket operation on non-socket');
    expect(error).toMatchObject({ op: 'file', net: 'file+net', code: 'ENOTSOCK', syscall: 'getsockopt', source: null });
    closeSync(fd);
  });

  test.skipIf(!onLinux)('refuse streams, and leave them alone', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    using conn = await dial('tcp', `${listener.addr}`);
    const sockets = () => Array.from({ length: 64 }, (_, fd) => fd).filter((fd) => isSocket(fd));
    const before = sockets();
    for (const fd of before) expect(() => filePacketConn(fd)).toThrow(/^file file\+net: invalid argument$/);
    expect(sockets()).toEqual(before);
    expect(conn.state).not.toBe('closed');
  });

  test('refuse what is no descriptor', () => {
    expect(() => filePacketConn(-1)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    expect(() => filePacketConn('3' as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    expect(() => filePacketConn(1_000_000)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });
});

function isSocket(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
  } catch {
    return false;
  }
}

describe('syscallConn()', () => {
  test('lends the descriptor, and after close says so', async () => {
    using pair = await udpPair();
    const raw = pair.b.syscallConn();
    let fd = -1;
    raw.control((number) => {
      fd = number;
    });
    expect(fd).toBeGreaterThan(2);
    pair.b.close();
    const message = `raw-control udp ${pair.b.localAddr}: use of closed network connection`;
    expect(() => raw.control(() => {})).toThrow(message);
  });

  test('read() asks again when a datagram has come, in line with other reads', async () => {
    using pair = await udpPair();
    let asked = 0;
    const raw = pair.b.syscallConn().read(() => ++asked === 2);
    const read = pair.b.read();
    await turns();
    expect(asked).toBe(1);
    await pair.a.writeTo('x', pair.b.localAddr);
    await raw;
    expect(asked).toBe(2);
    expect(String(await read)).toBe('x');
  });

  test('write() is asked at once, and a deadline ends both', async () => {
    using pair = await udpPair();
    await pair.b.syscallConn().write(() => true);
    pair.b.setDeadline(1);
    const raw = pair.b.syscallConn();
    for (const call of [raw.read(() => true), raw.write(() => true)]) {
      expect(await caught(call)).toMatchObject({ timeout: true });
    }
    pair.b.setDeadline(null);
    const waiting = raw.read(() => false);
    pair.b.close();
    expect(await caught(waiting)).toMatchObject({ op: 'raw-read', code: 'ERR_SPLICEWAY_CLOSED' });
  });
});

test.skipIf(!onLinux)('getOption() and setOption() reach what has no method', async () => {
  using conn = await listenPacket('udp', '127.0.0.1:0');
  expect(conn.getOption('SOL_SOCKET', 'SO_BROADCAST')).toBe(1);
  conn.setOption('SOL_SOCKET', 'SO_BROADCAST', 0);
  expect(conn.getOption('SOL_SOCKET', 'SO_BROADCAST')).toBe(0);
  conn.setTTL(7);
  expect(conn.getOption('IPPROTO_IP', 'IP_TTL')).toBe(7);
  conn.close();
  expect(() => conn.getOption('SOL_SOCKET', 'SO_BROADCAST')).toThrow(/^get udp .*: use of closed network connection$/);
});
