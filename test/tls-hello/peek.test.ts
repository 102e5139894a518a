import { randomBytes } from 'node:crypto';
import { connect, createServer, type TLSSocket } from 'node:tls';
import {
  dial,
  ErrDeadlineExceeded,
  formatProxyHeader,
  listen,
  type PeekableConn,
  peekClientHello,
  pipe,
  relay,
  serve,
  type TCPConn,
} from 'spliceway';
import { afterEach, describe, expect, test } from 'vitest';
import { readAll, readExactly } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { type Pair, streams, tcpPair } from '../support/pair.ts';
import { isPending, turns } from '../support/time.ts';
import { helloOf } from './hello.ts';

const example = await helloOf({ servername: 'www.example.org', ALPNProtocols: ['h2'] });
const expected = { sni: 'www.example.org', alpn: ['h2'] };

const open: { close(): unknown }[] = [];
const kept = <T extends { close(): unknown }>(each: T): T => {
  open.push(each);
  return each;
};

async function pair(): Promise<Pair<TCPConn>> {
  const made = await tcpPair();
  kept({ close: () => made[Symbol.dispose]() });
  return made;
}

afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

describe.each(streams)('%s', (_, makePair) => {
  test('a ClientHello is told, and still to be read, in the kernel', async () => {
    using made = await makePair();
    const { client, server } = made;
    await client.write(example);
    expect(await peekClientHello(server)).toMatchObject(expected);
    expect(server.takeUnread()).toHaveLength(0);
    expect(await peekClientHello(server)).toMatchObject(expected);
    await client.write('more');
    expect(await readExactly(server, example.length + 4)).toEqual(Buffer.concat([example, Buffer.from('more')]));
  });

  test('in pieces, wherever it is cut', async () => {
    using made = await makePair();
    const { client, server } = made;
    for (let cut = 1; cut < example.length; cut += 5) {
      await client.write(example.subarray(0, cut));
      const looking = peekClientHello(server);
      await turns();
      await client.write(example.subarray(cut));
      expect(await looking).toMatchObject(expected);
      expect(await readExactly(server, example.length)).toEqual(example);
    }
  });
});

test('one byte at a time', async () => {
  const { client, server } = await pair();
  const looking = peekClientHello(server);
  for (const byte of example) {
    await client.write(Buffer.from([byte]));
    await turns();
  }
  expect(await looking).toMatchObject(expected);
  client.closeWrite();
  expect(await readAll(server)).toEqual(example);
});

test('bytes that were put back come first', async () => {
  const { client, server } = await pair();
  server.unread(example.subarray(0, 20));
  await client.write(example.subarray(20));
  expect(await peekClientHello(server)).toMatchObject(expected);
  expect(await readExactly(server, example.length)).toEqual(example);
});

describe('null', () => {
  test.each(['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\0\0', '\x16\x02'])(
    'for %j, which is still to be read',
    async (text) => {
      const { client, server } = await pair();
      await client.write(Buffer.from(text, 'latin1'));
      expect(await peekClientHello(server)).toBeNull();
      expect((await server.read())?.toString('latin1')).toBe(text);
    },
  );

  test.each([0, 1, 4, 100])('for an end after %i bytes of it', async (n) => {
    const { client, server } = await pair();
    const looking = peekClientHello(server);
    await client.write(example.subarray(0, n));
    await turns();
    client.closeWrite();
    expect(await looking).toBeNull();
    expect(await readAll(server)).toEqual(example.subarray(0, n));
  });

  test('for one that needs more than maxBytes', async () => {
    const { client, server } = await pair();
    await client.write(example);
    expect(await peekClientHello(server, { maxBytes: example.length - 1 })).toBeNull();
    expect(await peekClientHello(server, { maxBytes: example.length })).toMatchObject(expected);
    expect(await readExactly(server, example.length)).toEqual(example);
  });

  test('for an endless one, after 16 KiB', async () => {
    const { client, server } = await pair();
    const endless = Buffer.alloc(60_000, 1);
    for (let at = 0; at < endless.length; at += 1005) endless.set([22, 3, 1, 1000 >> 8, 1000 & 255], at);
    endless.set([1, 255, 255, 255], 5);
    void client.write(endless);
    expect(await peekClientHello(server)).toBeNull();
    expect(await readExactly(server, endless.length)).toEqual(endless);
  });

  test('for random bytes, of which none is lost', async () => {
    const { client, server } = await pair();
    for (let i = 0; i < 300; i++) {
      const bytes = Buffer.concat([
        Buffer.from([22, 3, 1, 0, 40, 1, 0, 0, 36, 3, 3]).subarray(0, i % 12),
        randomBytes(60),
      ]);
      await client.write(bytes);
      const hello = await peekClientHello(server, { maxBytes: 60 });
      expect(hello === null || typeof hello === 'object').toBe(true);
      expect(await readExactly(server, bytes.length)).toEqual(bytes);
    }
  });
});

describe('it ends', () => {
  test('when its time is up, and what came is still to be read', async () => {
    const { client, server } = await pair();
    await client.write(example.subarray(0, 50));
    const began = Date.now();
    const error = await caught(peekClientHello(server, { timeout: 50 }));
    expect(Date.now() - began).toBeGreaterThanOrEqual(49);
    expect(error.cause).toBe(ErrDeadlineExceeded);
    expect(error).toMatchObject({ op: 'peek', timeout: true });
    expect(error.message).toBe(`peek tcp ${server.localAddr}->${server.remoteAddr}: i/o timeout`);
    await client.write(example.subarray(50));
    expect(await peekClientHello(server)).toMatchObject(expected);
    expect(await readExactly(server, example.length)).toEqual(example);
  });

  test('by a signal, a deadline of the connection, close() and a reset', async () => {
    const { client, server } = await pair();
    const controller = new AbortController();
    const looking = peekClientHello(server, { signal: controller.signal });
    expect(await isPending(looking)).toBe(true);
    controller.abort(new Error('enough'));
    expect(await caught(looking)).toBe(controller.signal.reason);
    expect(await caught(peekClientHello(server, { signal: controller.signal }))).toBe(controller.signal.reason);
    server.setReadDeadline(1);
    expect((await caught(peekClientHello(server))).timeout).toBe(true);
    server.setReadDeadline(null);
    const other = await pair();
    await other.client.write(example.subarray(0, 9));
    const reset = peekClientHello(other.server);
    await turns();
    other.client.setLinger(0);
    other.client.close();
    expect((await caught(reset)).code).toBe('ECONNRESET');
    const closed = peekClientHello(server);
    await client.write(example.subarray(0, 9));
    await turns();
    server.close();
    expect((await caught(closed)).code).toBe('ERR_SPLICEWAY_CLOSED');
  });

  test('for arguments that cannot be', async () => {
    const { server } = await pair();
    const look = peekClientHello as (...args: unknown[]) => Promise<unknown>;
    const codes = async (...args: unknown[]) => (await caught(look(...args))).code;
    for (const conn of [null, {}, pipe()[0]]) expect(await codes(conn)).toBe('ERR_INVALID_ARG_TYPE');
    for (const options of [null, 7, { timeout: '1' }, { maxBytes: '1' }, { signal: {} }]) {
      expect(await codes(server, options)).toBe('ERR_INVALID_ARG_TYPE');
    }
    for (const options of [{ timeout: -1 }, { maxBytes: 0 }, { maxBytes: 65537 }]) {
      expect(await codes(server, options)).toBe('ERR_OUT_OF_RANGE');
    }
  });
});

describe('a router', () => {
  // Keys that both sides know take the place of certificates.
  const psk = Buffer.alloc(16, 1);
  const secrets = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const;

  async function backend(answer: string): Promise<string> {
    const server = createServer({ ...secrets, pskCallback: () => psk }, (socket) => void socket.end(answer));
    kept(server);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return `127.0.0.1:${(server.address() as { port: number }).port}`;
  }

  function ask(port: number, servername: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const settings = {
        ...secrets,
        servername,
        pskCallback: () => ({ psk, identity: 'me' }),
        checkServerIdentity: () => undefined,
      };
      const socket: TLSSocket = connect({ port, host: '127.0.0.1', ...settings });
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('end', () => resolve(text)).on('error', reject);
    });
  }

  test('passes TLS through to whom the client asks for', async () => {
    const backends = new Map([
      ['a.example', await backend('this is a')],
      ['b.example', await backend('this is b')],
    ]);
    const front = await listen('tcp', '127.0.0.1:0');
    const server = serve(front, async (conn: PeekableConn) => {
      const hello = await peekClientHello(conn);
      const target = backends.get(hello?.sni ?? '');
      if (target === undefined) return conn.close();
      return relay(conn, await dial('tcp', target));
    });
    kept(server);
    const { port } = front.addr as { port: number };
    expect(await Promise.all(['a.example', 'b.example', 'a.example'].map((name) => ask(port, name)))).toEqual([
      'this is a',
      'this is b',
      'this is a',
    ]);
    await expect(ask(port, 'c.example')).rejects.toThrow();
  });

  test('behind a balancer sees the hello that follows the header', async () => {
    const front = kept(await listen('tcp', '127.0.0.1:0', { proxyProtocol: { trusted: ['127.0.0.1'] } }));
    const balancer = kept(await dial('tcp', `${front.addr}`));
    await balancer.write(Buffer.concat([formatProxyHeader({}), example.subarray(0, 100)]));
    const conn = kept(await front.accept());
    const looking = peekClientHello(conn);
    await turns();
    await balancer.write(example.subarray(100));
    expect(await looking).toMatchObject(expected);
    expect(await readExactly(conn, example.length)).toEqual(example);
  });

  test('that trusts nobody looks at strangers all the same', async () => {
    const front = kept(await listen('tcp', '127.0.0.1:0', { proxyProtocol: { trusted: [] } }));
    const stranger = kept(await dial('tcp', `${front.addr}`));
    await stranger.write(example);
    const conn = kept(await front.accept());
    expect(await peekClientHello(conn)).toMatchObject(expected);
    expect(await readExactly(conn, example.length)).toEqual(example);
  });
});
