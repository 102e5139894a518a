import { renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { join } from 'node:path';
import {
  AddrError,
  DNSError,
  dial,
  ErrBusy,
  ErrClosed,
  ErrDeadlineExceeded,
  listen,
  OpError,
  SyscallError,
  type TCPAddr,
  UnknownNetworkError,
} from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, MiB } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { root } from '../support/child.ts';
import { socketPath, tcpPair, unixPair } from '../support/pair.ts';
import { turns } from '../support/time.ts';

/** What a call throws. */
function thrown(call: () => unknown): OpError {
  try {
    call();
  } catch (error) {
    return error as OpError;
  }
  throw new Error('expected it to throw');
}

/** Everything that an error says. */
function fields(error: OpError) {
  const { message, op, net, source, addr, code, errno, syscall, timeout, temporary } = error;
  return {
    message,
    op,
    net,
    source: source === null ? null : `${source}`,
    addr: addr === null ? null : `${addr}`,
    code,
    errno,
    syscall,
    timeout,
    temporary,
  };
}

const CLOSED = { code: 'ERR_SPLICEWAY_CLOSED', errno: undefined, syscall: undefined, timeout: false, temporary: false };
const EXPIRED = {
  code: 'ERR_SPLICEWAY_DEADLINE_EXCEEDED',
  errno: undefined,
  syscall: undefined,
  timeout: true,
  temporary: true,
};
const ADDRESS = {
  code: 'ERR_SPLICEWAY_ADDRESS',
  errno: undefined,
  syscall: undefined,
  timeout: false,
  temporary: false,
};
const system = (code: keyof typeof constants.errno, syscall: string) => ({
  code,
  errno: -constants.errno[code],
  syscall,
  timeout: false,
  temporary: false,
});

describe('the error of', () => {
  test('a read after a reset', async () => {
    using pair = await tcpPair();
    pair.client.setLinger(0);
    pair.client.close();
    const { localAddr, remoteAddr } = pair.server;
    const error = await caught(pair.server.read());
    expect(fields(error)).toEqual({
      message: `read tcp ${localAddr}->${remoteAddr}: read: connection reset by peer`,
      op: 'read',
      net: 'tcp',
      source: `${localAddr}`,
      addr: `${remoteAddr}`,
      ...system('ECONNRESET', 'read'),
    });
    expect(error.cause).toBeInstanceOf(SyscallError);
    expect(error.cause.message).toBe('read: connection reset by peer');
    expect('bytesWritten' in error).toBe(false);
  });

  test('a write after closeWrite()', async () => {
    using pair = await tcpPair();
    pair.client.closeWrite();
    const { localAddr, remoteAddr } = pair.client;
    const where = { net: 'tcp', source: `${localAddr}`, addr: `${remoteAddr}` };
    expect(fields(await caught(pair.client.write('x')))).toEqual({
      message: `write tcp ${localAddr}->${remoteAddr}: write: broken pipe`,
      op: 'write',
      ...where,
      ...system('EPIPE', 'write'),
    });
    expect(fields(await caught(pair.client.writev([Buffer.from('x')])))).toEqual({
      message: `writev tcp ${localAddr}->${remoteAddr}: writev: broken pipe`,
      op: 'writev',
      ...where,
      ...system('EPIPE', 'writev'),
    });
  });

  test('a read and a write past their deadline', async () => {
    using pair = await tcpPair();
    pair.client.setDeadline(0);
    const { localAddr, remoteAddr } = pair.client;
    for (const [op, call] of [
      ['read', pair.client.read()],
      ['write', pair.client.write('x')],
      ['writev', pair.client.writev([])],
    ] as const) {
      const error = await caught(call);
      expect(fields(error)).toEqual({
        message: `${op} tcp ${localAddr}->${remoteAddr}: i/o timeout`,
        op,
        net: 'tcp',
        source: `${localAddr}`,
        addr: `${remoteAddr}`,
        ...EXPIRED,
      });
      expect(error.cause).toBe(ErrDeadlineExceeded);
    }
  });

  test('a call on a closed connection', async () => {
    using pair = await tcpPair();
    const { client } = pair;
    client.close();
    const { localAddr, remoteAddr } = client;
    const both = { source: `${localAddr}`, addr: `${remoteAddr}` };
    const text = 'use of closed network connection';
    for (const [op, error] of [
      ['read', await caught(client.read())],
      ['write', await caught(client.write('x'))],
      ['close', thrown(() => client.closeWrite())],
      ['set', thrown(() => client.setNoDelay(true))],
    ] as const) {
      expect(fields(error)).toEqual({
        message: `${op} tcp ${localAddr}->${remoteAddr}: ${text}`,
        op,
        net: 'tcp',
        ...both,
        ...CLOSED,
      });
      expect(error.cause).toBe(ErrClosed);
    }
    for (const error of [thrown(() => client.setDeadline(0)), thrown(() => client.setReadBuffer(4096))]) {
      expect(fields(error)).toEqual({
        message: `set tcp ${localAddr}: ${text}`,
        op: 'set',
        net: 'tcp',
        source: null,
        addr: `${localAddr}`,
        ...CLOSED,
      });
      expect(error.cause).toBe(ErrClosed);
    }
  });

  test('half-closing a connection that was reset', async () => {
    using pair = await tcpPair();
    pair.client.setLinger(0);
    pair.client.close();
    await turns();
    await caught(pair.server.read());
    const { localAddr, remoteAddr } = pair.server;
    expect(fields(thrown(() => pair.server.closeWrite()))).toEqual({
      message: `close tcp ${localAddr}->${remoteAddr}: shutdown: transport endpoint is not connected`,
      op: 'close',
      net: 'tcp',
      source: `${localAddr}`,
      addr: `${remoteAddr}`,
      ...system('ENOTCONN', 'shutdown'),
    });
  });

  test('a dial to a closed port', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    listener.close();
    expect(fields(await caught(dial('tcp', `${listener.addr}`)))).toEqual({
      message: `dial tcp ${listener.addr}: connect: connection refused`,
      op: 'dial',
      net: 'tcp',
      source: null,
      addr: `${listener.addr}`,
      ...system('ECONNREFUSED', 'connect'),
    });
  });

  test('a dial to a path that nobody made, and to one that nobody listens on', async () => {
    const path = socketPath();
    expect(fields(await caught(dial('unix', path)))).toEqual({
      message: `dial unix ${path}: connect: no such file or directory`,
      op: 'dial',
      net: 'unix',
      source: null,
      addr: path,
      ...system('ENOENT', 'connect'),
    });
    const listener = await listen('unix', path);
    renameSync(path, `${path}.dead`);
    listener.close();
    expect(fields(await caught(dial('unix', `${path}.dead`)))).toEqual({
      message: `dial unix ${path}.dead: connect: connection refused`,
      op: 'dial',
      net: 'unix',
      source: null,
      addr: `${path}.dead`,
      ...system('ECONNREFUSED', 'connect'),
    });
    rmSync(`${path}.dead`);
  });

  test('a dial with a deadline that has passed', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const error = await caught(dial('tcp', `${listener.addr}`, { deadline: 0 }));
    expect(fields(error)).toEqual({
      message: `dial tcp ${listener.addr}: i/o timeout`,
      op: 'dial',
      net: 'tcp',
      source: null,
      addr: `${listener.addr}`,
      ...EXPIRED,
    });
    expect(error.cause).toBe(ErrDeadlineExceeded);
  });

  test('a dial from an address that is taken', async () => {
    using pair = await tcpPair();
    const local = `${pair.client.localAddr}`;
    expect(fields(await caught(dial('tcp', `${pair.listener.addr}`, { localAddr: local })))).toEqual({
      message: `dial tcp ${local}->${pair.listener.addr}: bind: address already in use`,
      op: 'dial',
      net: 'tcp',
      source: local,
      addr: `${pair.listener.addr}`,
      ...system('EADDRINUSE', 'bind'),
    });
  });

  test.each([
    ['tcp', '', 'dial tcp: missing address'],
    ['tcp', '127.0.0.1', 'dial tcp: address 127.0.0.1: missing port in address'],
    ['tcp', '::1:80', 'dial tcp: address ::1:80: too many colons in address'],
    ['tcp', '[::1]80', 'dial tcp: address [::1]80: missing port in address'],
    ['tcp', '127.0.0.1:65536', 'dial tcp: address 65536: invalid port'],
    ['tcp', '127.0.0.1:-1', 'dial tcp: address -1: invalid port'],
    ['tcp4', '[::1]:80', 'dial tcp4: address ::1: no suitable address found'],
    ['tcp6', '127.0.0.1:80', 'dial tcp6: address 127.0.0.1: no suitable address found'],
    ['foo', 'x', 'dial foo: unknown network foo'],
  ])('dial("%s", "%s")', async (network, address, message) => {
    const error = await caught(dial(network as never, address));
    expect(error).toBeInstanceOf(OpError);
    expect(fields(error)).toEqual({ message, op: 'dial', net: network, source: null, addr: null, ...ADDRESS });
    expect(error.cause).toBeInstanceOf(network === 'foo' ? UnknownNetworkError : AddrError);
  });

  test.each([
    ['tcp', '127.0.0.1', 'listen tcp: address 127.0.0.1: missing port in address'],
    ['tcp', '127.0.0.1:65536', 'listen tcp: address 65536: invalid port'],
    ['tcp', '[::1:80', "listen tcp: address [::1:80: missing ']' in address"],
    ['tcp4', '[::1]:0', 'listen tcp4: address ::1: no suitable address found'],
    ['foo', '', 'listen foo: unknown network foo'],
  ])('listen("%s", "%s")', async (network, address, message) => {
    const error = await caught(listen(network as never, address));
    expect(fields(error)).toEqual({ message, op: 'listen', net: network, source: null, addr: null, ...ADDRESS });
  });

  test('a listen on a network of another kind', async () => {
    const error = await caught(listen('udp' as never, '127.0.0.1:0'));
    expect(fields(error)).toEqual({
      message: 'listen udp 127.0.0.1:0: address 127.0.0.1:0: unexpected address type',
      op: 'listen',
      net: 'udp',
      source: null,
      addr: '127.0.0.1:0',
      ...ADDRESS,
    });
  });

  test('a listen on an address that is taken', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    expect(fields(await caught(listen('tcp', `${listener.addr}`)))).toEqual({
      message: `listen tcp ${listener.addr}: bind: address already in use`,
      op: 'listen',
      net: 'tcp',
      source: null,
      addr: `${listener.addr}`,
      ...system('EADDRINUSE', 'bind'),
    });
  });

  test('an accept that meets its deadline, or close()', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const where = { op: 'accept', net: 'tcp', source: null, addr: `${listener.addr}` };
    listener.setDeadline(0);
    const late = await caught(listener.accept());
    expect(fields(late)).toEqual({ message: `accept tcp ${listener.addr}: i/o timeout`, ...where, ...EXPIRED });
    expect(late.cause).toBe(ErrDeadlineExceeded);
    listener.close();
    const closed = await caught(listener.accept());
    const message = `accept tcp ${listener.addr}: use of closed network connection`;
    expect(fields(closed)).toEqual({ message, ...where, ...CLOSED });
    expect(closed.cause).toBe(ErrClosed);
  });

  test('a call that the handler style excludes', async () => {
    using pair = await tcpPair();
    pair.server.handle({ data() {} });
    const error = await caught(pair.server.read());
    expect(error).toMatchObject({ op: 'read', code: 'ERR_SPLICEWAY_BUSY', timeout: false, temporary: false });
    expect(error.cause).toBe(ErrBusy);
  });
});

describe('an error names', () => {
  test('the network as it was given to dial() and listen(), though addresses say tcp', async () => {
    using listener = await listen('tcp4', '127.0.0.1:0');
    using client = await dial('tcp4', `${listener.addr}`);
    using server = await listener.accept();
    for (const conn of [client, server]) {
      conn.setDeadline(0);
      const error = await caught(conn.read());
      expect(error.net).toBe('tcp4');
      expect(error.message).toBe(`read tcp4 ${conn.localAddr}->${conn.remoteAddr}: i/o timeout`);
      expect(error.addr?.network).toBe('tcp');
    }
    listener.setDeadline(0);
    expect((await caught(listener.accept())).message).toBe(`accept tcp4 ${listener.addr}: i/o timeout`);
  });

  test('the target of a dial without a host as it was asked for', async () => {
    const listener = await listen('tcp4', '127.0.0.1:0');
    const { port } = listener.addr as TCPAddr;
    listener.close();
    const error = await caught(dial('tcp4', `:${port}`));
    expect(error.message).toBe(`dial tcp4 :${port}: connect: connection refused`);
  });

  test('unnamed ends of Unix sockets as @', async () => {
    using pair = await unixPair();
    const path = `${pair.listener.addr}`;
    pair.client.close();
    expect((await caught(pair.client.read())).message).toBe(`read unix @->${path}: use of closed network connection`);
    expect((await caught(pair.server.write('x'))).message).toBe(`write unix ${path}->@: write: broken pipe`);
    pair.server.close();
    expect(thrown(() => pair.server.setDeadline(0)).message).toBe(`set unix ${path}: use of closed network connection`);
    expect(thrown(() => pair.client.setDeadline(0)).message).toBe('set unix @: use of closed network connection');
  });

  test('IPv6 addresses in brackets', async () => {
    const error = new OpError('read', 'tcp', null, null, ErrClosed);
    expect(error.message).toBe('read tcp: use of closed network connection');
    const refused = await caught(dial('tcp', '[::1]:1'));
    expect(refused.message).toMatch(/^dial tcp \[::1\]:1: connect: /);
  });
});

describe('OpError', () => {
  test('is an Error with a name and a stack', async () => {
    using pair = await tcpPair();
    pair.client.close();
    const error = await caught(pair.client.read());
    expect(error).toBeInstanceOf(OpError);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('OpError');
    expect(`${error}`).toBe(`OpError: ${error.message}`);
    expect(error.stack).toContain(error.message);
  });

  test('is an error of its own for each call', async () => {
    using pair = await tcpPair();
    pair.client.close();
    const [a, b] = await Promise.all([caught(pair.client.read()), caught(pair.client.read())]);
    expect(a).not.toBe(b);
    expect(a?.cause).toBe(b?.cause);
  });

  test('of a failed write has bytesWritten, others have not', async () => {
    using pair = await tcpPair();
    const writing = pair.client.write(bytes(32 * MiB));
    const reading = pair.client.read();
    await turns();
    pair.client.close();
    expect((await caught(writing)).bytesWritten).toBeGreaterThan(0);
    expect(await caught(pair.client.write('x'))).toHaveProperty('bytesWritten', 0);
    expect(await caught(reading)).not.toHaveProperty('bytesWritten');
  });

  test('is the same class for ESM and CommonJS, and so is all that goes with it', async () => {
    const required = createRequire(join(root, 'package.json'))('spliceway');
    expect(required.OpError).toBe(OpError);
    expect(required.SyscallError).toBe(SyscallError);
    expect(required.AddrError).toBe(AddrError);
    expect(required.DNSError).toBe(DNSError);
    expect(required.ErrClosed).toBe(ErrClosed);
    expect(required.ErrDeadlineExceeded).toBe(ErrDeadlineExceeded);
    expect(required.ErrBusy).toBe(ErrBusy);
    expect(required.dial).toBe(dial);
    expect(await caught(required.dial('tcp', 'no port'))).toBeInstanceOf(OpError);
  });

  test('of a name that does not resolve wraps a DNSError', async () => {
    const lookup = () =>
      Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND nowhere.test'), { code: 'ENOTFOUND' }));
    const error = await caught(dial('tcp', 'nowhere.test:80', { lookup }));
    expect(fields(error)).toEqual({
      message: 'dial tcp: lookup nowhere.test: no such host',
      op: 'dial',
      net: 'tcp',
      source: null,
      addr: null,
      code: 'ENOTFOUND',
      errno: undefined,
      syscall: undefined,
      timeout: false,
      temporary: false,
    });
    expect(error.cause).toBeInstanceOf(DNSError);
    expect(error.cause).toMatchObject({ hostname: 'nowhere.test', notFound: true, temporary: false });
  });
});

test('the sentinels read as Go prints them, and have codes', () => {
  expect(ErrClosed).toMatchObject({ message: 'use of closed network connection', code: 'ERR_SPLICEWAY_CLOSED' });
  expect(ErrDeadlineExceeded).toMatchObject({ message: 'i/o timeout', code: 'ERR_SPLICEWAY_DEADLINE_EXCEEDED' });
  expect(ErrBusy).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY' });
});
