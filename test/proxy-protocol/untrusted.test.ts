// Peers whose headers are not believed: ordinary connections, unless they send one.

import {
  copy,
  dial,
  ErrUntrustedHeader,
  listen,
  type OpError,
  type ProxyListener,
  type ProxyProtocolOptions,
  relay,
  serve,
  type TCPConn,
  type UnixConn,
} from 'spliceway';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes, KiB, readAll, readExactly } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { openSockets } from '../support/fds.ts';
import { socketPath } from '../support/pair.ts';
import { eventually, isPending, turns, until } from '../support/time.ts';
import { recorded } from './vectors.ts';

const open: { close(): unknown }[] = [];
const kept = <T extends { close(): unknown }>(each: T): T => {
  open.push(each);
  return each;
};

let before: number;
beforeEach(() => {
  before = openSockets();
});

afterEach(async () => {
  for (const each of open.splice(0)) each.close();
  // A relay's thread lets go of its sockets a moment later.
  await expect.poll(openSockets).toBe(before);
});

interface Reached {
  listener: ProxyListener<TCPConn>;
  stranger: TCPConn;
  conn: TCPConn;
}

/** A connection from a peer that is not trusted, which has sent nothing yet. */
async function reached(options: Partial<ProxyProtocolOptions> = {}): Promise<Reached> {
  const listener = kept(await listen('tcp', '127.0.0.1:0', { proxyProtocol: { trusted: ['192.0.2.1'], ...options } }));
  const stranger = kept(await dial('tcp', `${listener.addr}`));
  return { listener, stranger, conn: kept(await listener.accept()) };
}

describe('an ordinary connection', () => {
  test('is handed out before it says anything, under its own addresses', async () => {
    const { stranger, conn } = await reached();
    expect(conn.remoteAddr).toEqual(stranger.localAddr);
    expect(conn.peerAddr).toBe(conn.remoteAddr);
    expect(conn.proxyHeader).toBeNull();
    expect(conn.state).toBe('new');
    await conn.write('220 ready');
    expect(String(await stranger.read())).toBe('220 ready');
  });

  test('does not wait behind those whose header is slow', async () => {
    const listener = kept(await listen('tcp', ':0', { proxyProtocol: { trusted: ['::1'], timeout: 60_000 } }));
    const { port } = listener.addr as { port: number };
    const accepting = listener.accept();
    for (let i = 0; i < 20; i++) kept(await dial('tcp', `[::1]:${port}`));
    const stranger = kept(await dial('tcp', `127.0.0.1:${port}`));
    expect(`${kept(await accepting).peerAddr}`).toBe(`${stranger.localAddr}`);
  });

  const texts = [
    'GET / HTTP/1.1\r\n',
    'PROX',
    'PROXX',
    'PROX!',
    '\r\n',
    '\r\n\r\n',
    '\r\n\r\n\0\r\nQUI',
    'proxy ',
    'x',
    '',
  ];

  test.each(texts)('has all of its bytes, in one piece or one by one: %j', async (text) => {
    for (const pieces of [[text], [...text]]) {
      const { listener, stranger, conn } = await reached();
      const reading = readAll(conn);
      for (const piece of pieces) {
        await stranger.write(piece);
        await turns();
      }
      stranger.closeWrite();
      expect(String(await reading)).toBe(text);
      expect(listener.rejected.untrusted).toBe(0);
    }
  });

  test('what could still become a header is held back for so long, and then is what it is', async () => {
    const { listener, stranger, conn } = await reached({ timeout: 150 });
    const handled: string[] = [];
    const { conn: other, stranger: another } = await reached({ timeout: 150 });
    other.handle({ data: (chunk) => void handled.push(String(chunk)) });
    const began = Date.now();
    await stranger.write('\r\n');
    await another.write('\r\n');
    expect(String(await conn.read())).toBe('\r\n');
    expect(Date.now() - began).toBeGreaterThanOrEqual(149);
    await eventually(() => handled.length > 0);
    expect(handled).toEqual(['\r\n']);
    await stranger.write('HELO');
    expect(String(await conn.read())).toBe('HELO');
    expect(listener.rejected.untrusted).toBe(0);
  });

  test('is passed on by relay() and copy(), from its first byte', async () => {
    const sent = bytes(300 * KiB);
    for (const pass of ['relay', 'copy']) {
      const { stranger, conn } = await reached();
      const backend = kept(await listen('tcp', '127.0.0.1:0'));
      const upstream = kept(await dial('tcp', `${backend.addr}`));
      if (pass === 'relay') void relay(conn, upstream);
      else void copy(upstream, conn).then(() => upstream.closeWrite());
      const far = kept(await backend.accept());
      await turns();
      void stranger.write(sent).then(() => stranger.closeWrite());
      expect((await readAll(far)).equals(sent)).toBe(true);
    }
  });

  test('stays in the kernel where its first byte tells', async () => {
    const { stranger, conn } = await reached();
    await stranger.write('hello');
    expect(String(await conn.peek(5))).toBe('hello');
    expect(conn.takeUnread()).toHaveLength(0);
    expect(conn.info().unread).toBe(5);
  });

  test('puts bytes back and takes them again, before anything was read', async () => {
    const { stranger, conn } = await reached();
    conn.unread(Buffer.from('GET '));
    expect(String(await conn.read())).toBe('GET ');
    conn.unread(Buffer.from('POST'));
    expect(String(conn.takeUnread())).toBe('POST');
    await stranger.write('hello');
    expect(String(await conn.read())).toBe('hello');
  });

  test('deadlines and signals end its first read, and a later one has its bytes', async () => {
    const { stranger, conn } = await reached();
    conn.setReadDeadline(Date.now() + 30);
    expect((await caught(conn.read())).timeout).toBe(true);
    expect((await caught(conn.read())).timeout).toBe(true);
    conn.setReadDeadline(null);
    const controller = new AbortController();
    const waiting = conn.read({ signal: controller.signal });
    const behind = conn.read();
    await stranger.write('PRO');
    await turns();
    controller.abort(new Error('enough'));
    expect(await caught(waiting)).toBe(controller.signal.reason);
    conn.setReadDeadline(1);
    expect((await caught(behind)).timeout).toBe(true);
    conn.setReadDeadline(null);
    await stranger.write('BLEM');
    expect(String(await readExactly(conn, 7))).toBe('PROBLEM');
  });

  test('a first read that is given up leaves nothing in the line', async () => {
    const { stranger, conn } = await reached();
    const controller = new AbortController();
    const waiting = conn.read({ signal: controller.signal });
    await turns();
    controller.abort(new Error('enough'));
    expect(await caught(waiting)).toBe(controller.signal.reason);
    const chunks: string[] = [];
    conn.handle({ data: (chunk) => void chunks.push(String(chunk)) });
    await stranger.write('hello');
    await eventually(() => chunks.length > 0);
    expect(chunks).toEqual(['hello']);
  });

  test('reads that wait are served in their order', async () => {
    const { stranger, conn } = await reached();
    const reads = [conn.read(Buffer.alloc(2)), conn.read(Buffer.alloc(2)), conn.read()];
    await stranger.write('hello');
    expect([await reads[0], await reads[1], String(await reads[2])]).toEqual([2, 2, 'o']);
  });

  test("a reset is told once, and the connection stays the caller's to close", async () => {
    const { stranger, conn } = await reached();
    const reading = conn.read();
    await turns();
    stranger.setLinger(0);
    stranger.close();
    expect((await caught(reading)).code).toBe('ECONNRESET');
    expect(conn.state).not.toBe('closed');
    expect(await conn.read()).toBeNull();
  });

  test('an end is told as one', async () => {
    const { stranger, conn } = await reached();
    stranger.closeWrite();
    expect(await conn.read()).toBeNull();
    expect(await conn.read()).toBeNull();
  });
});

describe('a header from a stranger closes the connection and is counted', () => {
  const spoofed = (error: OpError, conn: TCPConn | UnixConn) => {
    expect(error.cause).toBe(ErrUntrustedHeader);
    expect(error).toMatchObject({ code: 'ERR_SPLICEWAY_PROXY_HEADER', timeout: false });
    expect(error.message).toMatch(
      /^(read|peek|splice) tcp 127\.0\.0\.1:\d+->127\.0\.0\.1:\d+: PROXY header from an untrusted/,
    );
    expect(conn.state).toBe('closed');
  };

  const ways: [string, (conn: TCPConn) => Promise<OpError>][] = [
    ['read()', (conn) => caught(conn.read())],
    ['read(p)', (conn) => caught(conn.read(Buffer.alloc(3)))],
    ['peek()', (conn) => caught(conn.peek(3))],
    ['iteration', (conn) => caught(readAll(conn))],
    [
      'handle()',
      (conn) => new Promise((error) => conn.handle({ data: () => expect.unreachable(), error: error as never })),
    ],
    [
      'relay()',
      async (conn) => {
        const backend = kept(await listen('tcp', '127.0.0.1:0'));
        const result = await relay(conn, kept(await dial('tcp', `${backend.addr}`)));
        expect(result).toMatchObject({ reason: 'error', endedBy: 'a', aToB: 0 });
        return result.error as OpError;
      },
    ],
  ];

  test.each(ways)('%s', async (_, meet) => {
    for (const first of [recorded.text, recorded.ipv4, recorded.local]) {
      const { listener, stranger, conn } = await reached();
      const meeting = meet(conn);
      await turns();
      await stranger.write(first);
      spoofed(await meeting, conn);
      expect(await stranger.read().catch((error: OpError) => error.code)).toBeOneOf([null, 'ECONNRESET']);
      expect(listener.rejected).toEqual({ malformed: 0, oversized: 0, missing: 0, timeout: 0, ended: 0, untrusted: 1 });
    }
  });

  test('copy()', async () => {
    const { listener, stranger, conn } = await reached();
    const copying = copy(conn, conn);
    await stranger.write(recorded.text);
    expect((await caught(copying)).message).toMatch(/PROXY header from an untrusted source$/);
    expect(listener.rejected.untrusted).toBe(1);
  });

  test('recvFds(), over a Unix socket', async () => {
    const listener = kept(await listen('unix', socketPath(), { proxyProtocol: { trusted: ['127.0.0.1'] } }));
    const stranger = kept(await dial('unix', `${listener.addr}`));
    const conn = kept(await listener.accept());
    await stranger.write(recorded.ipv4);
    expect((await caught(conn.recvFds())).cause).toBe(ErrUntrustedHeader);
    expect(listener.rejected.untrusted).toBe(1);
  });

  test('however it is cut, and nobody gets a byte of it', async () => {
    for (const first of [recorded.text.subarray(0, 8), recorded.local]) {
      for (let cut = 1; cut < first.length; cut++) {
        const { listener, stranger, conn } = await reached();
        const reading = conn.read();
        await stranger.write(first.subarray(0, cut));
        await turns();
        await stranger.write(first.subarray(cut)).catch(() => {}); // refused already, once it told enough
        spoofed(await caught(reading), conn);
        expect(listener.rejected.untrusted).toBe(1);
      }
    }
  });

  test('every call that waits ends, writes too', async () => {
    const { stranger, conn } = await reached();
    const reads = [conn.read(), conn.peek(1), conn.read(Buffer.alloc(9))];
    const full = bytes(16 * 1024 * KiB);
    const writing = conn.write(full);
    expect(await isPending(writing)).toBe(true);
    await stranger.write(recorded.text);
    for (const reading of reads) expect((await caught(reading)).cause).toBe(ErrUntrustedHeader);
    expect((await caught(writing)).code).toBe('ERR_SPLICEWAY_CLOSED');
    expect((await caught(conn.read())).code).toBe('ERR_SPLICEWAY_CLOSED');
  });

  test('a server goes on with the others', async () => {
    const listener = kept(await listen('tcp', '127.0.0.1:0', { proxyProtocol: { trusted: [] } }));
    const server = serve(listener, async (conn) => {
      for await (const chunk of conn) await conn.write(chunk);
    });
    const strangers = await Promise.all(Array.from({ length: 50 }, () => dial('tcp', `${listener.addr}`)));
    const answers = strangers.map(async (stranger, i) => {
      await stranger.write(i % 2 === 0 ? recorded.text : 'hello');
      const answer = await stranger.read().catch(() => null);
      stranger.close();
      return answer === null ? null : String(answer);
    });
    expect((await Promise.all(answers)).filter((answer) => answer === 'hello')).toHaveLength(25);
    expect(listener.rejected.untrusted).toBe(25);
    await server.shutdown();
  });

  test('a connection that nobody reads is let be, until somebody does', async () => {
    const { listener, stranger, conn } = await reached();
    await stranger.write(recorded.text);
    await until(Date.now() + 30);
    expect(listener.rejected.untrusted).toBe(0);
    expect(conn.state).toBe('new');
    await caught(conn.read());
    expect(listener.rejected.untrusted).toBe(1);
  });
});

test("untrusted: 'close' closes strangers, whatever they send", async () => {
  const options = { trusted: ['192.0.2.1'], untrusted: 'close' } as const;
  const listener = kept(await listen('tcp', '127.0.0.1:0', { proxyProtocol: options }));
  const accepting = listener.accept();
  for (let i = 1; i <= 3; i++) {
    const stranger = kept(await dial('tcp', `${listener.addr}`));
    expect(await stranger.read().catch(() => null)).toBeNull();
    expect(listener.rejected.untrusted).toBe(i);
  }
  expect(await isPending(accepting)).toBe(true);
});
