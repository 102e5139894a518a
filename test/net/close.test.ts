import { type Conn, ErrClosed, type OpError } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, KiB, MiB, readAll, readExactly } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { streams, tcpPair, unixPair } from '../support/pair.ts';
import { eventually, isPending, turns } from '../support/time.ts';

const CLOSED = { code: 'ERR_SPLICEWAY_CLOSED', cause: ErrClosed, timeout: false, temporary: false };
// More than the kernel's buffers of both ends take.
const LARGE = 32 * MiB;

describe.each(streams)('%s: close()', (_network, makePair) => {
  test('is true for the call that closed, false after it, and never throws', async () => {
    using pair = await makePair();
    expect(pair.client.close()).toBe(true);
    expect(pair.client.close()).toBe(false);
    expect(pair.client.close()).toBe(false);
    expect(pair.client.state).toBe('closed');
  });

  test('is what Symbol.dispose calls', async () => {
    using pair = await makePair();
    {
      using _conn = pair.client;
    }
    expect(pair.client.close()).toBe(false);
    pair.client[Symbol.dispose]();
    expect(await pair.server.read()).toBe(null);
  });

  test('rejects waiting reads and writes at once, with the words of their calls', async () => {
    using pair = await makePair();
    const { client } = pair;
    const calls = [
      client.read(),
      client.read(Buffer.alloc(4)),
      client.write(bytes(LARGE)),
      client.writev([Buffer.from('x')]),
      client.write('y'),
    ];
    expect(await isPending(Promise.race(calls))).toBe(true);
    client.close();
    const errors = await Promise.all(calls.map((call) => caught(call)));
    expect(errors.map(({ op }) => op)).toEqual(['read', 'read', 'write', 'writev', 'write']);
    for (const error of errors) {
      expect(error).toMatchObject(CLOSED);
      const { localAddr, remoteAddr } = client;
      expect(error.message).toBe(
        `${error.op} ${client.localAddr.network} ${localAddr}->${remoteAddr}: use of closed network connection`,
      );
    }
    expect(errors.slice(2).map(({ bytesWritten }) => (bytesWritten as number) > 0)).toEqual([true, false, false]);
  });

  test('delivers what the kernel had taken, and then the end', async () => {
    using pair = await makePair();
    const sent = bytes(100 * KiB);
    await pair.client.write(sent);
    pair.client.close();
    const got = await readAll(pair.server);
    expect(got.equals(sent)).toBe(true);
    expect(await pair.server.read()).toBe(null);
  });
});

test('every call on a closed connection says so, in its own words', async () => {
  using pair = await tcpPair();
  const { client } = pair;
  client.close();
  const ends = `${client.localAddr}->${client.remoteAddr}`;
  const closed = 'use of closed network connection';

  const rejecting: [op: string, call: Promise<unknown>][] = [
    ['read', client.read()],
    ['read', client.read(Buffer.alloc(1))],
    ['write', client.write('x')],
    ['writev', client.writev([])],
  ];
  for (const [op, call] of rejecting) {
    expect(await caught(call)).toMatchObject({ ...CLOSED, op, message: `${op} tcp ${ends}: ${closed}` });
  }

  const throwing: [op: string, where: string, call: () => unknown][] = [
    ['close', ends, () => client.closeRead()],
    ['close', ends, () => client.closeWrite()],
    ['read', ends, () => client.handle({ data() {} })],
    ['set', ends, () => client.setNoDelay(true)],
    ['set', ends, () => client.setKeepAlive(true)],
    ['set', ends, () => client.setKeepAliveConfig({ enable: true })],
    ['set', ends, () => client.setLinger(0)],
    ['set', ends, () => client.setUserTimeout(1)],
    ['set', `${client.localAddr}`, () => client.setReadBuffer(4096)],
    ['set', `${client.localAddr}`, () => client.setWriteBuffer(4096)],
    ['set', `${client.localAddr}`, () => client.setDeadline(null)],
  ];
  for (const [op, where, call] of throwing) {
    expect(call).toThrow(expect.objectContaining({ ...CLOSED, op, message: `${op} tcp ${where}: ${closed}` }));
  }

  expect(client.tryWrite('x')).toBe(0);
  await client.shutdown();
  expect(client.ref()).toBe(client);
  expect(client.unref()).toBe(client);
  for await (const _ of client) expect.unreachable();
});

describe('close() with a linger of 0', () => {
  test('resets: the peer sees ECONNRESET', async () => {
    using pair = await tcpPair();
    pair.client.setLinger(0);
    pair.client.close();
    expect(await caught(pair.server.read())).toMatchObject({ op: 'read', code: 'ECONNRESET' });
  });

  test('drops what was not sent', async () => {
    using pair = await tcpPair();
    const writing = pair.client.write(bytes(LARGE));
    await turns();
    pair.client.setLinger(0);
    pair.client.close();
    const { bytesWritten } = await caught(writing);
    let got = 0;
    const error = await caught(
      (async () => {
        for await (const chunk of pair.server) got += chunk.length;
      })(),
    );
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    expect(got).toBeLessThan(bytesWritten as number);
  });

  test('can be taken back', async () => {
    using pair = await tcpPair();
    pair.client.setLinger(0);
    pair.client.setLinger(-1);
    await pair.client.write('x');
    pair.client.close();
    expect(String(await readAll(pair.server))).toBe('x');
  });
});

describe('closing with unread input', () => {
  test.each(streams)('%s: the peer sees a reset', async (_network, makePair) => {
    using pair = await makePair();
    await pair.client.write('never read');
    pair.server.close();
    expect(await caught(pair.client.read())).toMatchObject({ code: 'ECONNRESET' });
    expect(await pair.client.read()).toBe(null);
  });
});

describe.each(streams)('%s: closeWrite()', (_network, makePair) => {
  test('lets the peer read to the end, and the other direction go on', async () => {
    using pair = await makePair();
    await pair.client.write('question');
    pair.client.closeWrite();
    expect(String(await readAll(pair.server))).toBe('question');
    await pair.server.write('answer');
    expect(String(await pair.client.read())).toBe('answer');
    pair.server.closeWrite();
    expect(await pair.client.read()).toBe(null);
  });

  test('may be called again', async () => {
    using pair = await makePair();
    pair.client.closeWrite();
    pair.client.closeWrite();
    expect(await pair.server.read()).toBe(null);
  });

  test('fails later writes with EPIPE, empty ones too', async () => {
    using pair = await makePair();
    pair.client.closeWrite();
    for (const p of ['x', '']) {
      expect(await caught(pair.client.write(p))).toMatchObject({ op: 'write', code: 'EPIPE', bytesWritten: 0 });
    }
    expect(pair.client.tryWrite('x')).toBe(0);
  });

  test('fails a write that waits with EPIPE; what it had sent arrives', async () => {
    using pair = await makePair();
    const sent = bytes(LARGE);
    const writing = pair.client.write(sent);
    expect(await isPending(writing)).toBe(true);
    pair.client.closeWrite();
    const error = await caught(writing);
    expect(error).toMatchObject({ op: 'write', code: 'EPIPE' });
    const got = await readAll(pair.server);
    expect(got.length).toBe(error.bytesWritten);
    expect(got.equals(sent.subarray(0, got.length))).toBe(true);
  });

  test('does not disturb a read that waits', async () => {
    using pair = await makePair();
    const reading = pair.client.read();
    pair.client.closeWrite();
    expect(await isPending(reading)).toBe(true);
    await pair.server.write('x');
    expect(String(await reading)).toBe('x');
  });
});

describe.each(streams)('%s: closeRead()', (_network, makePair) => {
  test('brings the end of the stream at once, for waiting and later reads', async () => {
    using pair = await makePair();
    const reads = [pair.server.read(), pair.server.read(Buffer.alloc(1))] as const;
    expect(await isPending(reads[0])).toBe(true);
    pair.server.closeRead();
    expect(await Promise.all(reads)).toEqual([null, null]);
    expect(await pair.server.read()).toBe(null);
    pair.server.closeRead();
  });

  test('leaves what had arrived to be read', async () => {
    using pair = await makePair();
    await pair.client.write('before');
    pair.server.closeRead();
    expect(String(await pair.server.read())).toBe('before');
    expect(await pair.server.read()).toBe(null);
  });

  test('does not disturb writing', async () => {
    using pair = await makePair();
    pair.server.closeRead();
    await pair.server.write('x');
    expect(String(await pair.client.read())).toBe('x');
  });
});

test('closeRead() is not told to a TCP peer, whose writes go on', async () => {
  using pair = await tcpPair();
  pair.server.closeRead();
  for (let i = 0; i < 3; i++) expect(await pair.client.write('x')).toBe(1);
});

test('closeRead() is told to a Unix peer, whose writes fail with EPIPE', async () => {
  using pair = await unixPair();
  await pair.client.write('x');
  pair.server.closeRead();
  for (let i = 0; i < 2; i++) {
    expect(await caught(pair.client.write('x'))).toMatchObject({ code: 'EPIPE', bytesWritten: 0 });
  }
  expect(String(await pair.server.read())).toBe('x');
});

test('half-closing works on packets too', async () => {
  using pair = await unixPair('unixpacket');
  await pair.client.write('last');
  pair.client.closeWrite();
  expect(String(await pair.server.read())).toBe('last');
  expect(await pair.server.read()).toBe(null);
  pair.server.closeRead();
  await pair.server.write('back');
  expect(String(await pair.client.read())).toBe('back');
});

test.each(['closeRead', 'closeWrite'] as const)('%s() after a reset throws ENOTCONN', async (half) => {
  using pair = await tcpPair();
  pair.client.setLinger(0);
  pair.client.close();
  await caught(pair.server.read());
  const { localAddr, remoteAddr } = pair.server;
  expect(() => pair.server[half]()).toThrow(
    expect.objectContaining({
      op: 'close',
      code: 'ENOTCONN',
      syscall: 'shutdown',
      message: `close tcp ${localAddr}->${remoteAddr}: shutdown: transport endpoint is not connected`,
    }),
  );
  expect(pair.server.close()).toBe(true);
});

describe('close() inside a callback', () => {
  test('data(): nothing else is called, though more is there', async () => {
    using pair = await tcpPair();
    await pair.client.write(bytes(500 * KiB));
    const called: string[] = [];
    pair.server.handle({
      data() {
        called.push('data');
        pair.server.close();
      },
      end: () => called.push('end'),
      error: () => called.push('error'),
      drain: () => called.push('drain'),
    });
    await eventually(() => pair.server.state === 'closed');
    await turns();
    expect(called).toEqual(['data']);
  });

  test('data(), with a promise that settles afterwards', async () => {
    using pair = await tcpPair();
    await pair.client.write(bytes(500 * KiB));
    let calls = 0;
    pair.server.handle({
      async data() {
        calls++;
        await turns();
        pair.server.close();
        await turns();
      },
    });
    await readAll(pair.client).catch(() => {});
    await turns();
    expect(calls).toBe(1);
  });

  test('end()', async () => {
    using pair = await tcpPair();
    const closed = new Promise<boolean>((resolve) => {
      pair.server.handle({ data() {}, end: () => resolve(pair.server.close()) });
    });
    pair.client.closeWrite();
    expect(await closed).toBe(true);
    expect(await pair.client.read()).toBe(null);
  });

  test('error(): it was closed before', async () => {
    using pair = await tcpPair();
    const told = new Promise<[Error, boolean]>((resolve) => {
      pair.server.handle({ data() {}, error: (error) => resolve([error, pair.server.close()]) });
    });
    pair.client.setLinger(0);
    pair.client.close();
    const [error, closed] = await told;
    expect((error as OpError).code).toBe('ECONNRESET');
    expect(closed).toBe(false);
  });

  test('error() of a deadline', async () => {
    using pair = await tcpPair();
    const closed = new Promise<boolean>((resolve) => {
      pair.server.handle({ data() {}, error: () => resolve(pair.server.close()) });
    });
    pair.server.setReadDeadline(Date.now() + 5);
    expect(await closed).toBe(true);
  });

  test('drain()', async () => {
    using pair = await tcpPair();
    const closed = new Promise<boolean>((resolve) => {
      pair.server.handle({ data() {}, drain: () => resolve(pair.server.close()) });
    });
    let sent = 0;
    for (let took = -1; took !== 0; sent += took) took = pair.server.tryWrite(Buffer.alloc(1 * MiB));
    expect((await readAll(pair.client)).length).toBe(sent);
    expect(await closed).toBe(true);
  });

  test('of another connection that has something to tell in the same turn', async () => {
    using a = await tcpPair();
    using b = await tcpPair();
    const called: string[] = [];
    const whoCloses = (name: string, other: Conn) => ({
      data() {
        called.push(name);
        other.close();
      },
      end: () => called.push(`${name} end`),
    });
    a.server.handle(whoCloses('a', b.server));
    b.server.handle(whoCloses('b', a.server));
    for (const { client } of [a, b]) {
      client.tryWrite('x');
      client.closeWrite();
    }
    await eventually(() => called.length > 1);
    await turns();
    expect(called[0]).toMatch(/^[ab]$/);
    expect(called).toEqual([called[0], `${called[0]} end`]);
  });
});

describe('close() in what follows a call', () => {
  test('a read: the ones behind it reject', async () => {
    using pair = await tcpPair();
    const first = pair.server.read().then(() => pair.server.close());
    const second = pair.server.read();
    await pair.client.write('x');
    expect(await first).toBe(true);
    expect(await caught(second)).toMatchObject(CLOSED);
  });

  test('a write: the ones behind it reject', async () => {
    using pair = await tcpPair();
    const first = pair.client.write(bytes(LARGE)).then(() => pair.client.close());
    const second = pair.client.write(bytes(LARGE));
    await readExactly(pair.server, LARGE);
    expect(await first).toBe(true);
    expect(await caught(second)).toMatchObject(CLOSED);
  });

  test('a failed read', async () => {
    using pair = await tcpPair();
    const reads = [pair.server.read().catch(() => pair.server.close()), pair.server.read().catch(() => 'closed')];
    await turns();
    pair.client.setLinger(0);
    pair.client.close();
    expect(await reads[0]).toBe(true);
    expect([null, 'closed']).toContain(await reads[1]);
  });
});

test('a descriptor that a new connection gets does not bring back an old one', async () => {
  for (let i = 0; i < 50; i++) {
    const old = await tcpPair();
    const reading = caught(old.server.read());
    old[Symbol.dispose]();
    using pair = await tcpPair();
    await pair.client.write(`${i}`);
    expect(old.server.tryWrite('wrong')).toBe(0);
    expect(String(await pair.server.read())).toBe(`${i}`);
    expect(await reading).toMatchObject(CLOSED);
    expect(await isPending(pair.client.read())).toBe(true);
  }
});
