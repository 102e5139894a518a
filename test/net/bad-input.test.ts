// What callers hand in that no type allows: an error with a code at the call, never a hang or an exception
// that nobody can catch.

import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DNSError,
  dial,
  joinHostPort,
  type Lookup,
  listen,
  listenMulticastUDP,
  listenPacket,
  type OpError,
  peekClientHello,
  pipe,
  serve,
  TCPAddr,
  UDPAddr,
  writeProxyHeader,
} from 'spliceway';
import { FramedConn, lines, MessageConn, Scanner, TokenBuffer } from 'spliceway/codec';
import { limitListener } from 'spliceway/limits';
import { Pool } from 'spliceway/pool';
import { describe, expect, test, vi } from 'vitest';
import { caught } from '../support/caught.ts';
import { openSockets } from '../support/fds.ts';

const coded = (code: string) => expect.objectContaining({ code });

describe('a lookup', () => {
  test.each([[null], [undefined], ['text'], [Symbol('sign')]])(
    'that rejects with %s rejects the dial',
    async (thrown) => {
      const error = (await caught(dial('tcp', 'name.test:1', { lookup: () => Promise.reject(thrown) }))) as OpError;
      expect(error).toMatchObject({ name: 'OpError', op: 'dial' });
      expect(error.message).toContain(String(thrown));
    },
  );

  test.each([['text'], [null], [[null]], [[{ address: 5 }]], [[{ address: Object.create(null) }]], [[{}]]])(
    'that answers %j is a DNSError',
    async (answer) => {
      const lookup = (async () => answer) as never as Lookup;
      const error = (await caught(dial('tcp', 'name.test:1', { lookup }))) as OpError;
      expect((error.cause as DNSError).code).toBe('EBADRESP');
    },
  );

  test('that answers no promise is one whose answer is there', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const { port } = listener.addr as TCPAddr;
    using _conn = await dial('tcp', `name.test:${port}`, { lookup: (() => ['127.0.0.1']) as never });
  });
});

describe('an abort within control()', () => {
  test('rejects the dial, and no connection is made', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const controller = new AbortController();
    const reason = new Error('stop');
    const dialing = dial('tcp', `${listener.addr}`, {
      signal: controller.signal,
      control: () => controller.abort(reason),
    });
    expect(await caught(dialing)).toBe(reason);
  });

  type Hooked = { signal: AbortSignal; control: () => void };
  const file = join(tmpdir(), `spliceway-abort-${process.pid}`);
  const opened: [string, (options: Hooked) => Promise<unknown>][] = [
    ['listen() on tcp', (options) => listen('tcp', '127.0.0.1:0', options)],
    ['listen() on a wildcard', (options) => listen('tcp', ':0', options)],
    ['listen() with Multipath TCP', (options) => listen('tcp', '127.0.0.1:0', { ...options, multipathTCP: true })],
    ['listen() on unix', (options) => listen('unix', file, { ...options, removeStale: true })],
    ['listenPacket()', (options) => listenPacket('udp', '127.0.0.1:0', options)],
    ['listenPacket() on unixgram', (options) => listenPacket('unixgram', file, options)],
    ['listenMulticastUDP()', (options) => listenMulticastUDP('udp4', '224.0.0.251:0', options)],
    ['dial() of udp', (options) => dial('udp', '127.0.0.1:9', options)],
  ];

  test.each(opened)('rejects %s, asks no more, and leaves nothing open', async (_what, open) => {
    for (const reason of [new Error('stop'), null]) {
      const before = openSockets();
      const controller = new AbortController();
      const control = vi.fn(() => controller.abort(reason));
      const settled = await Promise.allSettled([open({ signal: controller.signal, control })]);
      expect(settled).toEqual([{ status: 'rejected', reason: controller.signal.reason }]);
      expect(openSockets()).toBe(before);
      expect(existsSync(file)).toBe(false);
      expect(control).toHaveBeenCalledTimes(1);
    }
  });
});

describe('addresses', () => {
  test.each([65536, -1, 0.5, Number.NaN])('the port %d is out of range', (port) => {
    expect(() => new TCPAddr('127.0.0.1', port)).toThrow(coded('ERR_OUT_OF_RANGE'));
    expect(() => new UDPAddr('127.0.0.1', port)).toThrow(coded('ERR_OUT_OF_RANGE'));
  });

  test('of wrong types throw', () => {
    expect(() => new TCPAddr(5 as never, 80)).toThrow(coded('ERR_INVALID_ARG_TYPE'));
    expect(() => new UDPAddr('127.0.0.1', '80' as never)).toThrow(coded('ERR_INVALID_ARG_TYPE'));
    expect(() => new UDPAddr('127.0.0.1', 80n as never)).toThrow(coded('ERR_INVALID_ARG_TYPE'));
    expect(() => joinHostPort(5 as never, 80)).toThrow(coded('ERR_INVALID_ARG_TYPE'));
    expect(() => joinHostPort('host', {} as never)).toThrow(coded('ERR_INVALID_ARG_TYPE'));
  });
});

describe('a batch of datagrams', () => {
  test.each([[[null]], [[undefined]], [new Array(1)]])('%j is refused', async (packets) => {
    using conn = await listenPacket('udp', '127.0.0.1:0');
    expect(await caught(conn.writeBatch(packets as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(() => conn.tryWriteBatch(packets as never)).toThrow(coded('ERR_INVALID_ARG_TYPE'));
  });
});

describe('serve()', () => {
  test('refuses a limited listener that is being served', async () => {
    using listener = limitListener(await listen('tcp', '127.0.0.1:0'), 2);
    const server = serve(listener, (conn) => void conn.close());
    expect(() => serve(listener, () => {})).toThrow(coded('ERR_SPLICEWAY_BUSY'));
    await server.shutdown();
  });

  test('a handler whose answer throws when it is asked for then() ends its connection only', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const errors: unknown[] = [];
    const mistake = new Error('in a getter');
    const answer = {
      // biome-ignore lint/suspicious/noThenProperty: what the test is about
      get then(): never {
        throw mistake;
      },
    };
    const server = serve(listener, (conn) => conn.handle({ data: () => answer, end: () => answer }), {
      onError: (error) => errors.push(error),
    });
    using client = await dial('tcp', `${listener.addr}`);
    await client.write('x');
    expect(await client.read().catch(() => null)).toBeNull();
    expect(errors).toEqual([mistake]);
    await server.shutdown();
  });
});

describe('a split function', () => {
  test.each([
    [[Number.NaN, null]],
    [[0.5, Buffer.from('x')]],
    [[undefined, Buffer.from('x')]],
    [[1, 'text']],
    [[]],
    [null],
    ['text'],
  ])('that answers %j ends the scanning with an error', async (answer) => {
    const scanner = new Scanner('abc', { split: () => answer as never });
    expect(await scanner.scan()).toBe(false);
    expect(scanner.err()).toMatchObject({ name: 'TypeError' });
    const tokens = new TokenBuffer({ split: () => answer as never });
    tokens.feed(Buffer.from('abc'));
    tokens.finish();
    expect([tokens.next(), tokens.over]).toEqual([false, true]);
    expect(tokens.err()).toMatchObject({ name: 'TypeError' });
  });

  test.each([[null], [undefined], ['text']])('that throws %s is no clean end', async (thrown) => {
    const split = () => {
      throw thrown;
    };
    const scanner = new Scanner('abc', { split });
    expect(await scanner.scan()).toBe(false);
    expect(scanner.err()).toBeInstanceOf(Error);
    async function* source() {
      yield Buffer.from('a line and a half');
      throw thrown;
    }
    const failing = new Scanner(source());
    while (await failing.scan());
    expect(failing.err()).toBeInstanceOf(Error);
  });
});

describe('what only looks like the real thing', () => {
  const inFront = () => new Proxy(new Uint8Array(8), {});
  const throwing = () => Object.defineProperty({}, 'timeout', { get: () => mistake() });
  const mistake = () => {
    throw new Error('a mistake');
  };

  test('a Proxy in front of bytes is not bytes', async () => {
    const [a, b] = pipe();
    const writes = [() => a.write(inFront()), () => a.writev([inFront()])];
    for (const call of writes) expect(await caught(call())).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(() => a.tryWrite(inFront())).toThrow(coded('ERR_INVALID_ARG_TYPE'));
    const frames = new FramedConn(b);
    expect(await caught(frames.send(1, inFront()))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    frames.close();
    expect(() => new TokenBuffer().feed(inFront())).toThrow(coded('ERR_INVALID_ARG_TYPE'));
    expect(await new Scanner([inFront()]).scan()).toBe(false);
  });

  test('an iterable that is none', async () => {
    const [a, b] = pipe();
    const frames = new FramedConn(a);
    const messages = new MessageConn(b, lines());
    for (const list of [{}, new Date(), 'text', [null], [undefined], [1]]) {
      expect(await caught(frames.sendMany(list as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
    for (const list of [{}, new Date(), 'text', [null], [1]]) {
      expect(await caught(messages.sendMany(list as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
    frames.close();
    messages.close();
  });

  test('a connection that is none has no PROXY header written to it', async () => {
    const { localAddr, remoteAddr } = pipe()[0];
    const error = await caught(writeProxyHeader({} as never, { localAddr, remoteAddr }));
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  test('options that throw when they are looked at reject', async () => {
    const [conn] = pipe();
    const pool = new Pool({ connect: () => conn });
    await expect(pool.borrow(throwing())).rejects.toThrow('a mistake');
    pool.close();
    const peekable = Object.assign(Object.create(conn), { peek: async () => null, unread() {} });
    await expect(peekClientHello(peekable, throwing())).rejects.toThrow('a mistake');
  });
});
