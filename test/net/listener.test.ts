import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import {
  AddrError,
  dial,
  ErrClosed,
  ErrDeadlineExceeded,
  listen,
  OpError,
  type StreamNetwork,
  type TCPAddr,
  type TCPConn,
  UnknownNetworkError,
} from 'spliceway';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { caught } from '../support/caught.ts';
import { socketPath } from '../support/pair.ts';

const portOf = ({ addr }: { addr: unknown }) => (addr as TCPAddr).port;
const hasIPv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

describe('addresses', () => {
  test('port 0 is any free one, and addr tells which, also after close', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    expect(portOf(listener)).toBeGreaterThan(0);
    expect(`${listener.addr}`).toBe(`127.0.0.1:${portOf(listener)}`);
    expect(Object.isFrozen(listener.addr)).toBe(true);
    const before = listener.addr;
    listener.close();
    expect(listener.addr).toBe(before);
  });

  test.skipIf(!hasIPv6).each(['', '0.0.0.0', '[::]'])(
    'tcp on the wildcard "%s" is one socket for both families',
    async (host) => {
      using listener = await listen('tcp', `${host}:0`);
      expect(`${listener.addr}`).toBe(`[::]:${portOf(listener)}`);
      for (const target of ['127.0.0.1', '[::1]']) {
        using client = await dial('tcp', `${target}:${portOf(listener)}`);
        using server = await listener.accept();
        expect(`${client.remoteAddr}`).toBe(`${target}:${portOf(listener)}`);
        expect(`${server.localAddr}`).toBe(`${target}:${portOf(listener)}`);
        expect(`${server.remoteAddr}`).toBe(`${client.localAddr}`);
      }
    },
  );

  test('tcp4 on the wildcard is IPv4 alone', async () => {
    using listener = await listen('tcp4', ':0');
    expect(`${listener.addr}`).toBe(`0.0.0.0:${portOf(listener)}`);
    using _client = await dial('tcp', `127.0.0.1:${portOf(listener)}`);
    if (hasIPv6) expect(await caught(dial('tcp', `[::1]:${portOf(listener)}`))).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test.skipIf(!hasIPv6)('tcp6 on the wildcard is IPv6 alone, and leaves the port free for tcp4', async () => {
    using six = await listen('tcp6', ':0');
    expect(`${six.addr}`).toBe(`[::]:${portOf(six)}`);
    using _client = await dial('tcp', `[::1]:${portOf(six)}`);
    expect(await caught(dial('tcp', `127.0.0.1:${portOf(six)}`))).toMatchObject({ code: 'ECONNREFUSED' });
    using four = await listen('tcp4', `:${portOf(six)}`);
    expect(portOf(four)).toBe(portOf(six));
  });

  test('a taken port is EADDRINUSE, in the words of Go', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const error = await caught(listen('tcp', `${listener.addr}`));
    expect(error).toBeInstanceOf(OpError);
    expect(error.message).toBe(`listen tcp ${listener.addr}: bind: address already in use`);
    expect(error).toMatchObject({
      op: 'listen',
      net: 'tcp',
      source: null,
      code: 'EADDRINUSE',
      syscall: 'bind',
      timeout: false,
      temporary: false,
    });
    expect(error.errno).toBeLessThan(0);
    expect(`${error.addr}`).toBe(`${listener.addr}`);
  });

  test('a wildcard collides with a specific address on its port', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    expect(await caught(listen('tcp', `:${portOf(listener)}`))).toMatchObject({ code: 'EADDRINUSE' });
  });

  test.each([
    ['127.0.0.1', 'listen tcp: address 127.0.0.1: missing port in address'],
    ['127.0.0.1:65536', 'listen tcp: address 65536: invalid port'],
    ['127.0.0.1:-1', 'listen tcp: address -1: invalid port'],
    ['::1:80', 'listen tcp: address ::1:80: too many colons in address'],
    ['[::1:80', "listen tcp: address [::1:80: missing ']' in address"],
  ])('the address %s does not parse', async (address, message) => {
    const error = await caught(listen('tcp', address));
    expect(error).toBeInstanceOf(OpError);
    expect(error.cause).toBeInstanceOf(AddrError);
    expect(error).toMatchObject({ message, op: 'listen', addr: null, source: null, code: 'ERR_SPLICEWAY_ADDRESS' });
  });

  test.each([
    ['tcp4', '[::1]:0'],
    ['tcp6', '127.0.0.1:0'],
  ] as const)('%s cannot listen on %s', async (network, address) => {
    expect(await caught(listen(network, address))).toMatchObject({
      cause: { err: 'no suitable address found' },
      code: 'ERR_SPLICEWAY_ADDRESS',
    });
  });

  test('a network that nobody knows is an OpError that names it', async () => {
    const error = await caught(listen('foo' as StreamNetwork, '127.0.0.1:0'));
    expect(error.message).toBe('listen foo: unknown network foo');
    expect(error.cause).toBeInstanceOf(UnknownNetworkError);
    expect(error.addr).toBeNull();
  });

  test.each(['udp', 'udp4', 'unixgram'])('%s is known, but not of streams', async (network) => {
    const address = network === 'unixgram' ? socketPath() : '127.0.0.1:0';
    const error = await caught(listen(network as StreamNetwork, address));
    expect(error.cause).toMatchObject({ name: 'AddrError', err: 'unexpected address type' });
    expect(existsSync(address)).toBe(false);
  });

  test('a host is looked up, and an IPv4 address of it preferred', async () => {
    const lookup = async () => (hasIPv6 ? ['::1', '127.0.0.1'] : ['127.0.0.1']);
    using listener = await listen('tcp', 'host.test:0', { lookup });
    expect(`${listener.addr}`).toBe(`127.0.0.1:${portOf(listener)}`);
  });

  test('wrong types and ranges reject with the codes of Node', async () => {
    expect(await caught(listen(1 as never, ''))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(await caught(listen('tcp', 80 as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(await caught(listen('tcp', ':0', 1 as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(await caught(listen('tcp', ':0', { backlog: 0 }))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    expect(await caught(listen('tcp', ':0', { backlog: 1.5 }))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    expect(await caught(listen('tcp', ':0', { reusePort: 1 as never }))).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    });
    expect(await caught(listen('tcp', ':0', { signal: {} as never }))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  test('a signal that is aborted already rejects with its reason', async () => {
    const reason = new Error('not wanted');
    expect(await caught(listen('tcp', '127.0.0.1:0', { signal: AbortSignal.abort(reason) }))).toBe(reason);
  });
});

describe('options', () => {
  test('backlog bounds the queue', async () => {
    using listener = await listen('unix', socketPath(), { backlog: 2 });
    const queued = await Promise.all([1, 2, 3].map(() => dial('unix', `${listener.addr}`)));
    expect(await caught(dial('unix', `${listener.addr}`))).toMatchObject({ code: 'EAGAIN', syscall: 'connect' });
    const accepted = await listener.accept();
    using _next = await dial('unix', `${listener.addr}`);
    for (const conn of [...queued, accepted]) conn.close();
  });

  test('without reusePort the port is ours alone; with it two listeners share it', async () => {
    using first = await listen('tcp', '127.0.0.1:0', { reusePort: true });
    expect(await caught(listen('tcp', `${first.addr}`))).toMatchObject({ code: 'EADDRINUSE' });
    using second = await listen('tcp', `${first.addr}`, { reusePort: true });
    first.close();
    using _client = await dial('tcp', `${second.addr}`);
    using _server = await second.accept();
  });
});

describe('accept', () => {
  test('waiting calls are served in the order in which they were made', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const order: number[] = [];
    const accepts = Array.from({ length: 8 }, (_, i) =>
      listener.accept().then((conn) => {
        order.push(i);
        return conn;
      }),
    );
    for (const accept of accepts) {
      using client = await dial('tcp', `${listener.addr}`);
      using server = await accept;
      expect(`${server.remoteAddr}`).toBe(`${client.localAddr}`);
    }
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('one connection for each call and none ahead', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const clients = await Promise.all([1, 2, 3].map(() => dial('tcp', `${listener.addr}`)));
    const server = await listener.accept();
    listener.close();
    const reads = clients.map((client) => client.read());
    server.close();
    const ends = await Promise.all(reads.map((read) => read.catch((error: OpError) => error.code)));
    expect(ends.sort()).toEqual(['ECONNRESET', 'ECONNRESET', null]);
    for (const client of clients) client.close();
  });

  test('what a client wrote before it was accepted is there', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    using client = await dial('tcp', `${listener.addr}`);
    await client.write('early');
    client.closeWrite();
    using server = await listener.accept();
    expect(String(await server.read())).toBe('early');
    expect(await server.read()).toBeNull();
  });

  test('a client that closed while it queued is accepted, and reads to the end', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const client = await dial('tcp', `${listener.addr}`);
    const from = `${client.localAddr}`;
    client.close();
    using server = await listener.accept();
    expect(`${server.remoteAddr}`).toBe(from);
    expect(await server.read()).toBeNull();
  });

  test('a client that reset while it queued is accepted, and its read fails', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const client = await dial('tcp', `${listener.addr}`);
    client.setLinger(0);
    client.close();
    using server = await listener.accept();
    expect(await caught(server.read())).toMatchObject({ code: 'ECONNRESET' });
  });

  test('an aborted signal ends the call that has it, and the connection goes to the next', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const controller = new AbortController();
    const aborted = listener.accept({ signal: controller.signal });
    const next = listener.accept();
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await caught(aborted)).toBe(reason);
    using client = await dial('tcp', `${listener.addr}`);
    using server = await next;
    expect(`${server.remoteAddr}`).toBe(`${client.localAddr}`);
  });

  test('a signal that is aborted already takes nothing from the queue', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    using client = await dial('tcp', `${listener.addr}`);
    const reason = new Error('never');
    expect(await caught(listener.accept({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    using server = await listener.accept();
    expect(`${server.remoteAddr}`).toBe(`${client.localAddr}`);
  });

  test('a signal has no effect after the connection was accepted', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const controller = new AbortController();
    const accept = listener.accept({ signal: controller.signal });
    using client = await dial('tcp', `${listener.addr}`);
    using server = await accept;
    controller.abort();
    await client.write('still here');
    expect(String(await server.read())).toBe('still here');
  });

  test('wrong arguments reject', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    expect(await caught(listener.accept(1 as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(await caught(listener.accept({ signal: 1 as never }))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });
});

describe('deadlines', () => {
  test('in the past: accept() fails at once although a client queues; cleared, it takes the client', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    using client = await dial('tcp', `${listener.addr}`);
    listener.setDeadline(Date.now() - 1);
    const error = await caught(listener.accept());
    expect(error.message).toBe(`accept tcp ${listener.addr}: i/o timeout`);
    expect(error).toMatchObject({
      op: 'accept',
      source: null,
      cause: ErrDeadlineExceeded,
      code: 'ERR_SPLICEWAY_DEADLINE_EXCEEDED',
      timeout: true,
      temporary: true,
    });
    expect(await caught(listener.accept())).toMatchObject({ timeout: true });
    listener.setDeadline(null);
    using server = await listener.accept();
    expect(`${server.remoteAddr}`).toBe(`${client.localAddr}`);
  });

  test('moved to the past: every waiting accept fails', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const accepts = [listener.accept(), listener.accept()];
    listener.setDeadline(new Date(0));
    for (const accept of accepts) expect(await caught(accept)).toMatchObject({ timeout: true });
  });

  test('in the future: the waiting accepts fail then, and not before', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const from = performance.now();
    listener.setDeadline(Date.now() + 60);
    const errors = await Promise.all([caught(listener.accept()), caught(listener.accept())]);
    expect(performance.now() - from).toBeGreaterThanOrEqual(58);
    for (const error of errors) expect(error).toMatchObject({ timeout: true });
  });

  test('moved later while an accept waits: the new one holds', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    listener.setDeadline(Date.now() + 20);
    const from = performance.now();
    const accept = caught(listener.accept());
    listener.setDeadline(Date.now() + 80);
    expect(await accept).toMatchObject({ timeout: true });
    expect(performance.now() - from).toBeGreaterThanOrEqual(78);
  });

  test('cleared while an accept waits: it goes on waiting', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    using clock = await listen('tcp', '127.0.0.1:0');
    listener.setDeadline(Date.now() + 20);
    clock.setDeadline(Date.now() + 60);
    const accept = listener.accept();
    listener.setDeadline(null);
    await caught(clock.accept());
    using _client = await dial('tcp', `${listener.addr}`);
    using _server = await accept;
  });

  test('a deadline after close is ErrClosed itself, and a wrong type a TypeError', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    expect(() => listener.setDeadline('soon' as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
    expect(() => listener.setDeadline(Number.NaN)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    listener.close();
    expect(() => listener.setDeadline(null)).toThrow(ErrClosed);
  });
});

describe('close', () => {
  test('ends every waiting accept with ErrClosed', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    const accepts = [listener.accept(), listener.accept(), listener.accept()];
    expect(listener.close()).toBe(true);
    for (const accept of accepts) {
      const error = await caught(accept);
      expect(error.message).toBe(`accept tcp ${listener.addr}: use of closed network connection`);
      expect(error).toMatchObject({ cause: ErrClosed, code: 'ERR_SPLICEWAY_CLOSED', source: null, timeout: false });
    }
  });

  test('is true once; a later accept is ErrClosed', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    expect(listener.close()).toBe(true);
    expect(listener.close()).toBe(false);
    expect(await caught(listener.accept())).toMatchObject({ op: 'accept', code: 'ERR_SPLICEWAY_CLOSED' });
  });

  test('resets what queues', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    const clients = await Promise.all([1, 2, 3].map(() => dial('tcp', `${listener.addr}`)));
    listener.close();
    for (const client of clients) expect(await caught(client.read())).toMatchObject({ code: 'ECONNRESET' });
    for (const client of clients) client.close();
  });

  test('refuses whoever comes later', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    listener.close();
    expect(await caught(dial('tcp', `${listener.addr}`))).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('leaves accepted connections as they are, and their port can be listened on again at once', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    using client = await dial('tcp', `${listener.addr}`);
    using server = await listener.accept();
    listener.close();
    using again = await listen('tcp', `${listener.addr}`);
    await client.write('old');
    expect(String(await server.read())).toBe('old');
    using _second = await dial('tcp', `${again.addr}`);
    using _accepted = await again.accept();
  });

  test('leaves a port free that has connections in TIME_WAIT', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    const client = await dial('tcp', `${listener.addr}`);
    const server = await listener.accept();
    // Whoever sends the first FIN has the TIME_WAIT: here the listening side.
    server.close();
    expect(await client.read()).toBeNull();
    client.close();
    listener.close();
    using again = await listen('tcp', `${listener.addr}`);
    expect(portOf(again)).toBe(portOf(listener));
  });

  test('using and await using close it', async () => {
    let first: Awaited<ReturnType<typeof listen>>;
    let second: Awaited<ReturnType<typeof listen>>;
    {
      using a = await listen('tcp', '127.0.0.1:0');
      await using b = await listen('tcp', '127.0.0.1:0');
      [first, second] = [a, b];
    }
    expect(first.close()).toBe(false);
    expect(second.close()).toBe(false);
  });
});

describe('iteration', () => {
  test('break closes nothing and loses nothing', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const clients: TCPConn[] = [];
    for (let i = 0; i < 3; i++) clients.push(await dial('tcp', `${listener.addr}`));
    const served: TCPConn[] = [];
    for await (const conn of listener) {
      served.push(conn);
      break;
    }
    for await (const conn of listener) {
      served.push(conn);
      break;
    }
    served.push(await listener.accept());
    expect(served.map((conn) => `${conn.remoteAddr}`)).toEqual(clients.map((conn) => `${conn.localAddr}`));
    for (const conn of [...clients, ...served]) conn.close();
  });

  test('close ends it without throwing', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    const served: TCPConn[] = [];
    const loop = (async () => {
      for await (const conn of listener) served.push(conn);
    })();
    using _client = await dial('tcp', `${listener.addr}`);
    while (served.length === 0) await setImmediate();
    listener.close();
    await loop;
    expect(served).toHaveLength(1);
    served[0]?.close();
    for await (const _ of listener) throw new Error('a closed listener has nothing to give');
  });

  test('a deadline ends it with the error', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const loop = (async () => {
      for await (const _ of listener);
    })();
    listener.setDeadline(1);
    expect(await caught(loop)).toMatchObject({ op: 'accept', timeout: true });
  });
});

describe('unix sockets', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'spliceway-listener-'));
    path = join(folder, 's');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('the file is there while it listens, and is removed by close', async () => {
    const listener = await listen('unix', path);
    expect(`${listener.addr}`).toBe(path);
    expect(listener.addr.network).toBe('unix');
    expect(existsSync(path)).toBe(true);
    using client = await dial('unix', path);
    using server = await listener.accept();
    await client.write('hello');
    expect(String(await server.read())).toBe('hello');
    listener.close();
    expect(existsSync(path)).toBe(false);
    await client.write('again');
    expect(String(await server.read())).toBe('again');
  });

  test('only the first close removes it', async () => {
    const listener = await listen('unix', path);
    listener.close();
    using _other = await listen('unix', path);
    expect(listener.close()).toBe(false);
    expect(existsSync(path)).toBe(true);
  });

  test('a relative path is removed where it was made, wherever the process went since', async () => {
    const here = process.cwd();
    try {
      process.chdir(folder);
      const listener = await listen('unix', 's');
      process.chdir(here);
      expect(existsSync(path)).toBe(true);
      listener.close();
      expect(existsSync(path)).toBe(false);
    } finally {
      process.chdir(here);
    }
  });

  test("another process' socket at the same path is never unlinked", async () => {
    const listener = await listen('unix', path);
    unlinkSync(path);
    const other = spawn(process.execPath, [
      '-e',
      `require('node:net').createServer((c) => c.end('other')).listen(${JSON.stringify(path)}, () => console.log('up'))`,
    ]);
    const gone = once(other, 'exit');
    try {
      await once(other.stdout, 'data');
      listener.close();
      expect(existsSync(path)).toBe(true);
      using client = await dial('unix', path);
      expect(String(await client.read())).toBe('other');
    } finally {
      other.kill('SIGKILL');
      await gone;
    }
  });

  test('a file that took its place is not removed, and a missing one is no error', async () => {
    const listener = await listen('unix', path);
    renameSync(path, join(folder, 'moved'));
    writeFileSync(path, 'precious');
    expect(listener.close()).toBe(true);
    expect(existsSync(path)).toBe(true);
    const second = await listen('unix', join(folder, 'second'));
    unlinkSync(join(folder, 'second'));
    expect(second.close()).toBe(true);
  });

  test('an existing path is EADDRINUSE, whatever it is', async () => {
    writeFileSync(path, 'precious');
    const error = await caught(listen('unix', path));
    expect(error.message).toBe(`listen unix ${path}: bind: address already in use`);
    expect(error).toMatchObject({ code: 'EADDRINUSE' });
    expect(existsSync(path)).toBe(true);
  });

  test('so is the file of a listener that died', async () => {
    const server = createServer().listen(path);
    await once(server, 'listening');
    renameSync(path, join(folder, 'dead'));
    server.close();
    expect(await caught(listen('unix', join(folder, 'dead')))).toMatchObject({ code: 'EADDRINUSE' });
    expect(await caught(dial('unix', join(folder, 'dead')))).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('a folder that is not there is the error of the system', async () => {
    const missing = join(folder, 'no', 'such', 's');
    expect(await caught(listen('unix', missing))).toMatchObject({ code: 'ENOENT', syscall: 'bind' });
  });

  test('a path that does not fit is an OpError about the address', async () => {
    expect(await caught(listen('unix', `/tmp/${'x'.repeat(120)}`))).toMatchObject({
      name: 'OpError',
      code: 'ERR_SPLICEWAY_ADDRESS',
    });
  });

  test('close resets what queues', async () => {
    const listener = await listen('unix', path);
    using client = await dial('unix', path);
    listener.close();
    expect(await caught(client.read())).toMatchObject({ code: 'ECONNRESET' });
  });

  test.skipIf(process.platform !== 'linux')('an abstract name makes no file and is free after close', async () => {
    const name = `@spliceway-test-${process.pid}`;
    for (let round = 0; round < 2; round++) {
      const listener = await listen('unix', name);
      expect(`${listener.addr}`).toBe(name);
      expect(await caught(listen('unix', name))).toMatchObject({ code: 'EADDRINUSE' });
      using _client = await dial('unix', name);
      using server = await listener.accept();
      expect(`${server.localAddr}`).toBe(name);
      listener.close();
      expect(await caught(dial('unix', name))).toMatchObject({ code: 'ECONNREFUSED' });
    }
    expect(existsSync(name)).toBe(false);
  });

  test.skipIf(process.platform !== 'linux')('an empty name is one that the kernel picks', async () => {
    using first = await listen('unix', '');
    using second = await listen('unix', '');
    expect(`${first.addr}`).toMatch(/^@./);
    expect(`${second.addr}`).not.toBe(`${first.addr}`);
    using _client = await dial('unix', `${first.addr}`);
    using _server = await first.accept();
  });

  test.skipIf(process.platform !== 'linux')('unixpacket keeps messages apart', async () => {
    using listener = await listen('unixpacket', path);
    expect(listener.addr.network).toBe('unixpacket');
    using client = await dial('unixpacket', path);
    using server = await listener.accept();
    await client.write('one');
    await client.write('two');
    expect(String(await server.read())).toBe('one');
    expect(String(await server.read())).toBe('two');
    expect(await caught(dial('unix', path))).toMatchObject({ code: 'EPROTOTYPE' });
  });
});
