import { setTimeout as sleep } from 'node:timers/promises';
import { type Conn, ErrClosed, ErrDeadlineExceeded, OpError, type UnixConn } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, MiB, readAll, readExactly } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { type Pair, streams, tcpPair, unixPair } from '../support/pair.ts';
import { block, blockUntil, isPending, turns, until } from '../support/time.ts';

const EXPIRED = { code: 'ERR_SPLICEWAY_DEADLINE_EXCEEDED', timeout: true, temporary: true };
// More than the kernel's buffers of both ends take.
const LARGE = 32 * MiB;

/** Asks again and again, without a turn of the event loop. */
function spinUntilExpired(conn: Conn): void {
  const limit = Date.now() + 5000;
  while (conn.state !== 'readExpired') {
    if (Date.now() > limit) throw new Error('the deadline never passed');
  }
}

describe('a deadline never passes early', () => {
  test('for a read that waits', async () => {
    using pair = await tcpPair();
    for (let ms = 1; ms <= 25; ms++) {
      const t = Date.now() + ms;
      pair.server.setReadDeadline(t);
      expect(await caught(pair.server.read())).toMatchObject(EXPIRED);
      expect(Date.now()).toBeGreaterThanOrEqual(t);
    }
  });

  test('for a write that waits', async () => {
    using pair = await tcpPair();
    const p = bytes(LARGE);
    for (let ms = 1; ms <= 15; ms++) {
      const t = Date.now() + ms;
      pair.client.setWriteDeadline(t);
      expect(await caught(pair.client.write(p))).toMatchObject(EXPIRED);
      expect(Date.now()).toBeGreaterThanOrEqual(t);
    }
  });

  test('to the last microsecond, for a call that only looks at the clock', async () => {
    using pair = await tcpPair();
    let early = 0;
    for (let i = 0; i < 250; i++) {
      const t = Date.now() + 2;
      pair.server.setReadDeadline(t);
      spinUntilExpired(pair.server);
      if (Date.now() < t) early++;
    }
    expect(early).toBe(0);
  });

  test('for a fraction of a millisecond', async () => {
    using pair = await tcpPair();
    for (let i = 0; i < 50; i++) {
      const t = Date.now() + 1.5;
      pair.server.setReadDeadline(t);
      spinUntilExpired(pair.server);
      expect(Date.now()).toBeGreaterThanOrEqual(t - 0.5);
    }
  });
});

describe.each(streams)('%s: a deadline that passes', (_network, makePair) => {
  test('fails a read that waits, and later ones, until another is set', async () => {
    using pair = await makePair();
    pair.server.setReadDeadline(Date.now() + 20);
    expect(await caught(pair.server.read())).toMatchObject({ ...EXPIRED, op: 'read', cause: ErrDeadlineExceeded });
    for (let i = 0; i < 3; i++) expect(await caught(pair.server.read())).toMatchObject(EXPIRED);
    expect(await caught(pair.server.read(Buffer.alloc(1)))).toMatchObject(EXPIRED);
    expect(pair.server.state).toBe('readExpired');

    pair.server.setReadDeadline(null);
    const reading = pair.server.read();
    expect(await isPending(reading)).toBe(true);
    await pair.client.write('on we go');
    expect(String(await reading)).toBe('on we go');
    expect(pair.server.state).toBe('active');
  });

  test('fails every read in line, at that time', async () => {
    using pair = await makePair();
    const t = Date.now() + 30;
    pair.server.setReadDeadline(t);
    const reads = [pair.server.read(), pair.server.read(Buffer.alloc(1)), pair.server.read()];
    for (const error of await Promise.all(reads.map((read) => caught(read)))) expect(error).toMatchObject(EXPIRED);
    expect(Date.now()).toBeGreaterThanOrEqual(t);
  });

  test('loses no byte: what comes later is for the next read', async () => {
    using pair = await makePair();
    const p = Buffer.alloc(4, '-');
    pair.server.setReadDeadline(Date.now() + 10);
    await caught(pair.server.read(p));
    await pair.client.write('late');
    expect(await caught(pair.server.read())).toMatchObject(EXPIRED);
    await turns();
    expect(String(p)).toBe('----');
    pair.server.setReadDeadline(Date.now() + 60_000);
    expect(String(await pair.server.read())).toBe('late');
  });

  test('fails a write that waits, which says how much was sent; exactly that arrives', async () => {
    using pair = await makePair();
    const sent = bytes(LARGE);
    const calls = [caught(pair.client.write(sent)), caught(pair.client.write('x'))] as const;
    const t = Date.now() + 30;
    pair.client.setWriteDeadline(t);
    const [error, behind] = await Promise.all(calls);
    expect(Date.now()).toBeGreaterThanOrEqual(t);
    expect(error).toMatchObject({ ...EXPIRED, op: 'write' });
    expect(error.bytesWritten).toBeGreaterThan(0);
    expect(error.bytesWritten).toBeLessThan(LARGE);
    expect(behind).toMatchObject({ ...EXPIRED, bytesWritten: 0 });
    expect(pair.client.state).toBe('writeExpired');
    expect(await caught(pair.client.write('x'))).toMatchObject({ ...EXPIRED, bytesWritten: 0 });

    const n = error.bytesWritten as number;
    expect((await readExactly(pair.server, n)).equals(sent.subarray(0, n))).toBe(true);
    pair.client.setWriteDeadline(null);
    await pair.client.write('and on');
    pair.client.closeWrite();
    expect(String(await readAll(pair.server))).toBe('and on');
  });

  test('is not noticed by the peer', async () => {
    using pair = await makePair();
    pair.server.setDeadline(Date.now() + 5);
    await caught(pair.server.read());
    await pair.client.write('hello');
    expect(await isPending(pair.client.read())).toBe(true);
  });
});

describe('a deadline in the past', () => {
  test.each(['a while ago', 'the epoch', 'minus infinity', 'this millisecond'])(
    'fails a read at once, though bytes are there, and keeps them: %s',
    async (which) => {
      using pair = await tcpPair();
      await pair.client.write('kept');
      const now = Date.now();
      const t = { 'a while ago': now - 1000, 'the epoch': 0, 'minus infinity': -Infinity }[which] ?? now;
      pair.server.setReadDeadline(t);
      expect(await caught(pair.server.read())).toMatchObject(EXPIRED);
      expect(await caught(pair.server.read(Buffer.alloc(1)))).toMatchObject(EXPIRED);
      pair.server.setReadDeadline(null);
      expect(String(await pair.server.read())).toBe('kept');
    },
  );

  test('fails a write at once, though there is room, and sends nothing', async () => {
    using pair = await tcpPair();
    pair.client.setWriteDeadline(Date.now() - 1);
    expect(await caught(pair.client.write('x'))).toMatchObject({ ...EXPIRED, bytesWritten: 0 });
    expect(await caught(pair.client.writev([Buffer.from('x')]))).toMatchObject({ ...EXPIRED, op: 'writev' });
    expect(pair.client.tryWrite('x')).toBe(0);
    pair.client.setWriteDeadline(null);
    await pair.client.write('y');
    expect(String(await pair.server.read())).toBe('y');
  });

  test('wins over the end of the stream, which is there afterwards', async () => {
    using pair = await tcpPair();
    pair.client.closeWrite();
    await turns();
    pair.server.setReadDeadline(0);
    expect(await caught(pair.server.read())).toMatchObject(EXPIRED);
    pair.server.setReadDeadline(null);
    expect(await pair.server.read()).toBe(null);
  });

  test('wins over a reset, which is there afterwards', async () => {
    using pair = await tcpPair();
    pair.client.setLinger(0);
    pair.client.close();
    await turns();
    pair.server.setReadDeadline(0);
    expect(await caught(pair.server.read())).toMatchObject(EXPIRED);
    pair.server.setReadDeadline(null);
    expect(await caught(pair.server.read())).toMatchObject({ code: 'ECONNRESET' });
  });

  test.each(streams)('%s: set while calls wait fails all of them at once', async (_network, makePair) => {
    using pair = await makePair();
    const reads = [pair.client.read(), pair.client.read(Buffer.alloc(1)), pair.client.read()];
    const writes = [pair.client.write(bytes(LARGE)), pair.client.writev([Buffer.from('x')]), pair.client.write('y')];
    await turns();
    pair.client.setDeadline(Date.now() - 1);
    for (const error of await Promise.all([...reads, ...writes].map((call) => caught(call)))) {
      expect(error).toMatchObject(EXPIRED);
    }
  });
});

describe('a deadline that is moved while a read waits', () => {
  test('later: the read uses the new time', async () => {
    using pair = await tcpPair();
    const reading = caught(pair.server.read());
    const first = Date.now() + 20;
    pair.server.setReadDeadline(first);
    const second = first + 60;
    pair.server.setReadDeadline(second);
    expect(await reading).toMatchObject(EXPIRED);
    expect(Date.now()).toBeGreaterThanOrEqual(second);
  });

  test('earlier: the read uses the new time', async () => {
    using pair = await tcpPair();
    pair.server.setReadDeadline(Date.now() + 3_600_000);
    const reading = caught(pair.server.read());
    const t = Date.now() + 20;
    pair.server.setReadDeadline(t);
    expect(await reading).toMatchObject(EXPIRED);
    expect(Date.now()).toBeGreaterThanOrEqual(t);
  });

  test('away: the read goes on waiting', async () => {
    using pair = await tcpPair();
    const reading = pair.server.read();
    const t = Date.now() + 50;
    pair.server.setReadDeadline(t);
    pair.server.setReadDeadline(null);
    await until(t + 30);
    expect(await isPending(reading)).toBe(true);
    await pair.client.write('patience');
    expect(String(await reading)).toBe('patience');
  });

  test('many times, in all directions: the last one counts', async () => {
    using pair = await tcpPair();
    const reading = caught(pair.server.read());
    for (let i = 0; i < 500; i++) pair.server.setReadDeadline(Date.now() + 1 + ((i * 7919) % 100_000));
    pair.server.setReadDeadline(null);
    await turns();
    const t = Date.now() + 40;
    for (let i = 0; i < 500; i++) pair.server.setReadDeadline(t + i * 1000);
    for (let i = 500; i >= 0; i--) pair.server.setReadDeadline(t + i);
    expect(await reading).toMatchObject(EXPIRED);
    expect(Date.now()).toBeGreaterThanOrEqual(t);
  });
});

describe('a deadline that is moved while a write waits', () => {
  test('earlier, later or away: the write uses the new time', async () => {
    // Over a Unix socket, whose buffers stay full.
    using pair = await unixPair();
    pair.client.setWriteDeadline(Date.now() + 3_600_000);
    const first = caught(pair.client.write(bytes(LARGE)));
    pair.client.setWriteDeadline(Date.now() + 10);
    expect(await first).toMatchObject(EXPIRED);

    pair.client.setWriteDeadline(null);
    const second = pair.client.write('there is no room for this');
    const t = Date.now() + 50;
    pair.client.setWriteDeadline(t);
    pair.client.setWriteDeadline(null);
    await until(t + 20);
    expect(await isPending(second)).toBe(true);
    const later = Date.now() + 30;
    pair.client.setWriteDeadline(later);
    expect(await caught(second)).toMatchObject(EXPIRED);
    expect(Date.now()).toBeGreaterThanOrEqual(later);
  });
});

describe('each direction has a deadline of its own', () => {
  test('a read deadline does not touch writes', async () => {
    using pair = await tcpPair();
    pair.server.setReadDeadline(0);
    await pair.server.write('x');
    const writing = pair.server.write(bytes(LARGE));
    pair.server.setReadDeadline(Date.now() + 5);
    await caught(pair.server.read());
    expect(await isPending(writing)).toBe(true);
    await readExactly(pair.client, LARGE + 1);
    expect(await writing).toBe(LARGE);
  });

  test('a write deadline does not touch reads', async () => {
    using pair = await tcpPair();
    const reading = pair.server.read();
    pair.server.setWriteDeadline(0);
    expect(await isPending(reading)).toBe(true);
    expect(await caught(pair.server.write('x'))).toMatchObject(EXPIRED);
    await pair.client.write('x');
    expect(String(await reading)).toBe('x');
  });

  test('setDeadline() sets both, and a later setReadDeadline() changes one', async () => {
    using pair = await tcpPair();
    pair.server.setDeadline(0);
    expect(await caught(pair.server.read())).toMatchObject(EXPIRED);
    expect(await caught(pair.server.write('x'))).toMatchObject(EXPIRED);
    pair.server.setReadDeadline(null);
    expect(await isPending(pair.server.read())).toBe(true);
    expect(await caught(pair.server.write('x'))).toMatchObject(EXPIRED);
    pair.server.setDeadline(null);
    expect(await pair.server.write('x')).toBe(1);
  });

  test('both may pass at once', async () => {
    using pair = await tcpPair();
    const t = Date.now() + 15;
    pair.client.setDeadline(t);
    const calls = [pair.client.read(), pair.client.write(bytes(LARGE))];
    for (const error of await Promise.all(calls.map((call) => caught(call)))) expect(error).toMatchObject(EXPIRED);
    expect(Date.now()).toBeGreaterThanOrEqual(t);
  });

  test('one end has no effect on the other', async () => {
    using pair = await tcpPair();
    pair.server.setDeadline(0);
    await pair.client.write('x');
    expect(await isPending(pair.client.read())).toBe(true);
  });
});

test('a deadline is an instant, and activity does not renew it', async () => {
  using pair = await tcpPair();
  await pair.client.write('tick');
  const t = Date.now() + 150;
  pair.server.setReadDeadline(t);
  const talking = (async () => {
    while (Date.now() < t + 100) {
      await pair.client.write('tick');
      await sleep(5);
    }
  })();
  let reads = 0;
  const error = await caught(
    (async () => {
      for (;;) {
        await pair.server.read();
        reads++;
      }
    })(),
  );
  expect(error).toMatchObject(EXPIRED);
  expect(Date.now()).toBeGreaterThanOrEqual(t);
  expect(reads).toBeGreaterThan(0);
  await talking;
});

test('a Date and a number mean the same', async () => {
  using pair = await tcpPair();
  for (const make of [(ms: number) => ms, (ms: number) => new Date(ms)]) {
    const t = Date.now() + 15;
    pair.server.setReadDeadline(make(t));
    expect(await caught(pair.server.read())).toMatchObject(EXPIRED);
    expect(Date.now()).toBeGreaterThanOrEqual(t);
  }
});

test.each([
  ['Infinity', Number.POSITIVE_INFINITY],
  ['the year 3000', Date.UTC(3000, 0)],
  ['the last Date there is', new Date(8.64e15)],
  ['the largest number', Number.MAX_VALUE],
  ['a month from now', Date.now() + 31 * 86_400_000],
])('a deadline far away never passes: %s', async (_name, t) => {
  using pair = await tcpPair();
  pair.server.setDeadline(t);
  const reading = pair.server.read();
  expect(await isPending(reading)).toBe(true);
  expect(pair.server.state).not.toBe('readExpired');
  expect(await pair.server.write('x')).toBe(1);
  await pair.client.write('x');
  expect(String(await reading)).toBe('x');
});

describe('what is no instant', () => {
  const setters = ['setDeadline', 'setReadDeadline', 'setWriteDeadline'] as const;

  test.each(setters)('%s() throws ERR_OUT_OF_RANGE for NaN and an invalid Date', async (set) => {
    using pair = await tcpPair();
    for (const t of [Number.NaN, new Date(Number.NaN)]) {
      expect(() => pair.server[set](t)).toThrow(
        expect.objectContaining({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }),
      );
    }
  });

  test.each(setters)('%s() throws ERR_INVALID_ARG_TYPE for another type', async (set) => {
    using pair = await tcpPair();
    for (const t of [undefined, '2030-01-01', 10n, {}, [], true, Symbol('t'), () => 5]) {
      expect(() => pair.server[set](t as never)).toThrow(
        expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }),
      );
    }
  });

  test('leaves the deadline that was set', async () => {
    using pair = await tcpPair();
    pair.server.setDeadline(0);
    expect(() => pair.server.setDeadline(Number.NaN)).toThrow(RangeError);
    expect(await caught(pair.server.read())).toMatchObject(EXPIRED);
  });

  test.each(setters)(
    '%s() on a closed connection throws an OpError: op set, no source, the local address',
    async (set) => {
      using pair = await tcpPair();
      pair.server.close();
      let thrown: unknown;
      try {
        pair.server[set](null);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(OpError);
      expect(thrown).toMatchObject({
        op: 'set',
        net: 'tcp',
        source: null,
        addr: pair.server.localAddr,
        cause: ErrClosed,
        code: 'ERR_SPLICEWAY_CLOSED',
        timeout: false,
        message: `set tcp ${pair.server.localAddr}: use of closed network connection`,
      });
    },
  );
});

test('a closed connection says closed, not timed out', async () => {
  using pair = await tcpPair();
  pair.server.setDeadline(0);
  pair.server.close();
  expect(await caught(pair.server.read())).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED', timeout: false });
  expect(await caught(pair.server.write('x'))).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED', timeout: false });
});

describe('a thread that was blocked past the deadline', () => {
  test.each(streams)('%s: delivers to a waiting read what arrived before', async (_network, makePair) => {
    using pair = await makePair();
    const reading = pair.server.read();
    await turns();
    const t = Date.now() + 30;
    pair.server.setReadDeadline(t);
    expect(pair.client.tryWrite('in time')).toBe(7);
    blockUntil(t + 40);
    expect(String(await reading)).toBe('in time');
    expect(await caught(pair.server.read())).toMatchObject(EXPIRED);
  });

  test('finishes a waiting write for which there was room before', async () => {
    // Over a Unix socket: what is read makes room at once, without an acknowledgement.
    using pair = await unixPair();
    while (pair.client.tryWrite(bytes(1 * MiB)) > 0);
    const writing = pair.client.write('in time');
    await turns();
    const t = Date.now() + 30;
    pair.client.setWriteDeadline(t);
    // Each takes what is there now: after these there is nothing left.
    for (let i = 0; i < 500; i++) void pair.server.read();
    blockUntil(t + 20);
    expect(await writing).toBe(7);
    expect(await caught(pair.client.write('x'))).toMatchObject(EXPIRED);
  });

  test('fails a new call, even before the timer had its turn', async () => {
    using pair = await tcpPair();
    await pair.client.write('too late');
    await turns();
    const t = Date.now() + 10;
    pair.server.setDeadline(t);
    blockUntil(t);
    const [read, into, write] = [pair.server.read(), pair.server.read(Buffer.alloc(4)), pair.server.write('x')];
    expect(pair.server.tryWrite('x')).toBe(0);
    for (const call of [read, into, write]) expect(await caught(call)).toMatchObject(EXPIRED);
    pair.server.setDeadline(null);
    expect(String(await pair.server.read())).toBe('too late');
  });

  test('keeps a deadline that was moved away in time', async () => {
    using pair = await tcpPair();
    const reading = pair.server.read();
    await turns();
    const t = Date.now() + 50;
    pair.server.setReadDeadline(t);
    pair.server.setReadDeadline(t + 3_600_000);
    blockUntil(t + 10);
    expect(await isPending(reading)).toBe(true);
  });
});

describe('state', () => {
  test('says what the deadlines did', async () => {
    using pair = await tcpPair();
    expect(pair.server.state).toBe('new');
    pair.server.setWriteDeadline(0);
    expect(pair.server.state).toBe('writeExpired');
    pair.server.setReadDeadline(Date.now() + 1);
    block(3);
    expect(pair.server.state).toBe('readExpired');
    pair.server.setReadDeadline(null);
    expect(pair.server.state).toBe('writeExpired');
    pair.server.setDeadline(null);
    expect(pair.server.state).toBe('new');
    await pair.server.write('x');
    expect(pair.server.state).toBe('active');
    pair.server.close();
    expect(pair.server.state).toBe('closed');
  });
});

test('10,000 deadlines pass at once: none early, none lost, every connection usable', { timeout: 60_000 }, async () => {
  const pairs: Pair<UnixConn>[] = [];
  while (pairs.length < 2500) pairs.push(...(await Promise.all(Array.from({ length: 50 }, () => unixPair()))));
  const ends = pairs.flatMap(({ client, server }) => [client, server]);
  const t = Date.now() + 500;
  let early = 0;
  let wrong = 0;
  const watch = async (call: Promise<unknown>) => {
    const { cause } = await caught(call);
    if (Date.now() < t) early++;
    if (cause !== ErrDeadlineExceeded) wrong++;
  };
  for (const end of ends) end.setDeadline(t);
  await Promise.all(ends.map((end) => watch(end.read())));
  await Promise.all(ends.map((end) => watch(end.write('x'))));
  expect({ early, wrong }).toEqual({ early: 0, wrong: 0 });
  for (const end of ends) {
    end.setDeadline(null);
    expect(end.tryWrite('still here')).toBe(10);
  }
  const got = await Promise.all(ends.map((end) => end.read()));
  expect(new Set(got.map(String))).toEqual(new Set(['still here']));
  for (const pair of pairs) pair[Symbol.dispose]();
});
