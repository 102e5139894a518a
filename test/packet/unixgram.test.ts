import { rmSync } from 'node:fs';
import { dial, listenPacket, UDPAddr, UnixAddr, UnixgramConn } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { caught } from '../support/caught.ts';
import { unixgramPair } from '../support/packets.ts';
import { socketPath } from '../support/pair.ts';
import { hasPython, pythonSync } from '../support/python.ts';
import { isPending, turns } from '../support/time.ts';

const onLinux = process.platform === 'linux';

describe('a sender', () => {
  test('without a name is null', async () => {
    using to = await listenPacket('unixgram', socketPath());
    using from = await dial('unixgram', to.localAddr.path);
    expect(from).toBeInstanceOf(UnixgramConn);
    expect(`${from.localAddr}`).toBe('@');
    expect(from.remoteAddr).toEqual(to.localAddr);
    await from.write('anonymous');
    expect(await to.readFrom()).toEqual({ data: Buffer.from('anonymous'), addr: null });
  });

  test('with a path is that path', async () => {
    const path = socketPath();
    using to = await listenPacket('unixgram', socketPath());
    using from = await dial('unixgram', to.localAddr.path, { localAddr: path });
    await from.write('named');
    expect(await to.readFrom()).toEqual({ data: Buffer.from('named'), addr: new UnixAddr(path, 'unixgram') });
    from.close();
    const error = await caught(to.writeTo('x', new UnixAddr(path, 'unixgram')));
    expect(error.message).toBe(`write unixgram ${to.localAddr}->${path}: sendto: connection refused`);
    rmSync(path);
  });

  test('may have a name that is not ASCII', async () => {
    const path = `${socketPath()}-été-日本`;
    using to = await listenPacket('unixgram', path);
    using from = await listenPacket('unixgram', `${path}2`);
    await from.writeTo('x', to.localAddr);
    expect((await to.readFrom()).addr?.path).toBe(`${path}2`);
  });

  test.skipIf(!onLinux)('may have an abstract name', async () => {
    using to = await listenPacket('unixgram', `@${socketPath()}`);
    using from = await listenPacket('unixgram', '');
    await from.writeTo('x', to.localAddr);
    expect((await to.readFrom()).addr).toEqual(from.localAddr);
  });
});

test.each([
  ['writeTo() without an address', (c: UnixgramConn) => c.writeTo('x', null), 'A: invalid argument', 'EINVAL'],
  ['write()', (c: UnixgramConn) => c.write('x'), 'A: write: transport endpoint is not connected', 'ENOTCONN'],
  ['writeMsg()', (c: UnixgramConn) => c.writeMsg('x'), 'A: sendmsg: transport endpoint is not connected', 'ENOTCONN'],
  [
    'a missing path',
    (c: UnixgramConn) => c.writeTo('x', '/nosuch'),
    'A->/nosuch: sendto: no such file or directory',
    'ENOENT',
  ],
  [
    'an address of UDP',
    (c: UnixgramConn) => c.writeTo('x', new UDPAddr('::1', 1)),
    'A->[::1]:1: invalid argument',
    'EINVAL',
  ],
  [
    'an address of streams',
    (c: UnixgramConn) => c.writeTo('x', new UnixAddr('/s')),
    'A->/s: address family not supported by protocol',
    'EAFNOSUPPORT',
  ],
])('%s fails as in Go', async (_what, call, message, code) => {
  using conn = await listenPacket('unixgram', socketPath());
  const error = await caught(call(conn));
  expect(error.message).toBe(`write unixgram ${message.replace('A', `${conn.localAddr}`)}`);
  expect(error.code).toBe(code);
});

describe('a connected one', () => {
  test('refuses writeTo() and writeMsg()', async () => {
    using to = await listenPacket('unixgram', socketPath());
    using conn = await dial('unixgram', to.localAddr.path);
    const use = 'use of WriteTo with pre-connected connection';
    expect((await caught(conn.writeTo('x', to.localAddr))).message).toBe(`write unixgram @->${to.localAddr}: ${use}`);
    expect((await caught(conn.writeMsg('x'))).message).toBe(`write unixgram @: ${use}`);
  });

  test('is told that its peer is gone', async () => {
    using to = await listenPacket('unixgram', socketPath());
    using conn = await dial('unixgram', to.localAddr.path);
    to.close();
    expect((await caught(conn.write('x'))).message).toBe(
      `write unixgram @->${to.localAddr}: write: connection refused`,
    );
    expect(await caught(dial('unixgram', `${to.localAddr}-nosuch`))).toMatchObject({ op: 'dial', code: 'ENOENT' });
  });
});

test('writes wait while the queue is full, in their order, and lose nothing', async () => {
  using pair = await unixgramPair();
  const writes = Array.from({ length: 500 }, (_, i) => pair.a.writeTo(`${i}`, pair.b.localAddr));
  expect(await isPending(writes[499] as Promise<number>)).toBe(true);
  for (let i = 0; i < 500; i++) expect(String(await pair.b.read())).toBe(`${i}`);
  expect((await Promise.all(writes)).length).toBe(500);
});

test('a queue that others filled is tried again', async () => {
  using pair = await unixgramPair();
  using other = await listenPacket('unixgram', socketPath());
  while (other.tryWriteTo('x', pair.b.localAddr));
  const waiting = pair.a.writeTo('mine', pair.b.localAddr);
  expect(await isPending(waiting)).toBe(true);
  for (;;) if (String(await pair.b.read()) === 'mine') break;
  expect(await waiting).toBe(4);
});

test('shutdown() lets waiting writes finish, and close() does not', async () => {
  using pair = await unixgramPair();
  const writes = Array.from({ length: 300 }, (_, i) => pair.a.writeTo(`${i}`, pair.b.localAddr));
  const done = pair.a.shutdown();
  expect(pair.a.state).toBe('closing');
  expect(await caught(pair.a.writeTo('late', pair.b.localAddr))).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
  for (let i = 0; i < 300; i++) expect(String(await pair.b.read())).toBe(`${i}`);
  await done;
  expect((await Promise.all(writes)).length).toBe(300);
  expect(pair.a.state).toBe('closed');

  const more = Array.from({ length: 300 }, () => pair.b.writeTo('x', pair.b.localAddr));
  pair.b.close();
  expect(await caught(more[299] as Promise<number>)).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED', bytesWritten: 0 });
});

test('a write deadline and a signal end writes that wait', async () => {
  using pair = await unixgramPair();
  while (pair.a.tryWriteTo('x', pair.b.localAddr));
  const ours = new AbortController();
  const aborted = pair.a.writeTo('aborted', pair.b.localAddr, { signal: ours.signal });
  const late = pair.a.writeBatch([{ data: 'late', addr: pair.b.localAddr }]);
  await turns();
  ours.abort(new Error('enough'));
  expect((await caught(aborted)).message).toBe('enough');
  pair.a.setWriteDeadline(Date.now() + 5);
  expect(await caught(late)).toMatchObject({ timeout: true, packetsWritten: 0 });
});

test('closeRead() and closeWrite() end a direction', async () => {
  using pair = await unixgramPair();
  pair.a.closeWrite();
  expect(await caught(pair.a.writeTo('x', pair.b.localAddr))).toMatchObject({ code: 'EPIPE' });
  pair.b.handle({ message() {} });
  pair.b.closeRead();
  expect(await caught(pair.a.writeTo('x', pair.b.localAddr))).toMatchObject({ code: 'EPIPE' });
  pair.b.close();
  expect(() => pair.b.closeRead()).toThrow('use of closed network connection');
});

// A control message of one descriptor, as Linux lays it out on a 64-bit machine.
test.skipIf(!onLinux || !hasPython)('readMsg() and writeMsg() carry descriptors, which are close-on-exec', async () => {
  using pair = await unixgramPair();
  using passed = await listenPacket('udp', '127.0.0.1:0');
  const fd = passed.file();
  const oob = Buffer.alloc(24);
  oob.writeBigUInt64LE(20n, 0); // cmsg_len
  oob.writeInt32LE(1, 8); // SOL_SOCKET
  oob.writeInt32LE(1, 12); // SCM_RIGHTS
  oob.writeInt32LE(fd, 16);
  expect(await pair.a.writeMsg('with it', oob, pair.b.localAddr)).toBe(7);
  const message = await pair.b.readMsg({ oob: 64 });
  expect(message).toMatchObject({ truncated: false, addr: pair.a.localAddr });
  expect(String(message.data)).toBe('with it');
  const received = message.oob.readInt32LE(16);
  expect(received).not.toBe(fd);
  const address = pythonSync('print("%s:%d" % socket.socket(fileno=3).getsockname())', [received]);
  expect(address.trim()).toBe(`${passed.localAddr}`);
  const { filePacketConn } = await import('spliceway');
  filePacketConn(received).close();
});
