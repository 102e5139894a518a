import { fstatSync, readSync, writeSync } from 'node:fs';
import { type OpError, RawConn } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, MiB, readAll, readExactly } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { streams, tcpPair } from '../support/pair.ts';
import { eventually, isPending, turns } from '../support/time.ts';

/** read(2): a string, or null where it says EAGAIN. */
function take(fd: number, n = 1024): string | null {
  const p = Buffer.alloc(n);
  try {
    return String(p.subarray(0, readSync(fd, p)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return null;
    throw error;
  }
}

/** One raw read's bytes. */
async function rawTake(conn: { syscallConn(): RawConn }, n?: number): Promise<string> {
  let got: string | null = null;
  await conn.syscallConn().read((fd) => {
    got = take(fd, n);
    return got !== null;
  });
  return got ?? '';
}

describe.each(streams)('a RawConn of %s', (network, makePair) => {
  test('control() calls with the descriptor, at once, and throws what that throws', async () => {
    using pair = await makePair();
    const raw = pair.client.syscallConn();
    expect(raw).toBeInstanceOf(RawConn);
    let seen = -1;
    expect(
      raw.control((fd) => {
        seen = fd;
        expect(fstatSync(fd).isSocket()).toBe(true);
      }),
    ).toBeUndefined();
    expect(seen).toBeGreaterThan(2);
    expect(() =>
      raw.control(() => {
        throw new RangeError('mine');
      }),
    ).toThrow(new RangeError('mine'));
  });

  test('control() after close throws, without calling', async () => {
    using pair = await makePair();
    const raw = pair.client.syscallConn();
    pair.client.close();
    let called = false;
    expect(() =>
      raw.control(() => {
        called = true;
      }),
    ).toThrow(
      expect.objectContaining({
        op: 'raw-control',
        code: 'ERR_SPLICEWAY_CLOSED',
        source: null,
        addr: pair.client.localAddr,
        message: `raw-control ${network} ${pair.client.localAddr}: use of closed network connection`,
      }),
    );
    expect(called).toBe(false);
  });

  test('read() asks at once, and again with each arrival until it is told to stop', async () => {
    using pair = await makePair();
    const got: (string | null)[] = [];
    const reading = pair.client.syscallConn().read((fd) => {
      const some = take(fd);
      got.push(some);
      return some === 'two';
    });
    expect(got).toEqual([null]);
    expect(await isPending(reading)).toBe(true);
    await pair.server.write('one');
    await eventually(() => got.includes('one'));
    expect(got.filter((some) => some !== null)).toEqual(['one']);
    await pair.server.write('two');
    await reading;
    expect(got.at(-1)).toBe('two');
  });

  test('what a raw read leaves, the next read takes', async () => {
    using pair = await makePair();
    await pair.server.write('abcdef');
    expect(await rawTake(pair.client, 2)).toBe('ab');
    expect(String(await pair.client.read())).toBe('cdef');
  });

  test('a raw read that looked and gave up leaves its bytes to those behind it', async () => {
    using pair = await makePair();
    await pair.server.write('here');
    await turns();
    const aborting = new AbortController();
    // It never calls read(2), so no other edge will come.
    const raw = pair.client.syscallConn().read(() => false, { signal: aborting.signal });
    const behind = pair.client.read();
    await turns();
    aborting.abort(new Error('enough'));
    expect(await caught<Error>(raw)).toEqual(new Error('enough'));
    expect(String(await behind)).toBe('here');
  });

  test('the same for one that its deadline ended', async () => {
    using pair = await makePair();
    await pair.server.write('here');
    const raw = pair.client.syscallConn().read(() => false);
    await turns();
    pair.client.setReadDeadline(1);
    expect(await caught(raw)).toMatchObject({ op: 'raw-read', timeout: true });
    pair.client.setReadDeadline(null);
    expect(String(await pair.client.read())).toBe('here');
  });

  test('it stands in line with reads', async () => {
    using pair = await makePair();
    const order: string[] = [];
    const told = (name: string) => (some: unknown) => order.push(`${name} ${some}`);
    const first = pair.client.read().then(told('read'));
    let taken: string | null = null;
    const second = pair.client
      .syscallConn()
      .read((fd) => {
        taken = take(fd, 1);
        return taken !== null;
      })
      .then(() => told('raw')(taken));
    const third = pair.client.read().then(told('read'));
    await pair.server.write('1');
    await first;
    await pair.server.write('23');
    await Promise.all([second, third]);
    expect(order).toEqual(['read 1', 'raw 2', 'read 3']);
  });

  test('write() waits for room, in line with writes', async () => {
    using pair = await makePair();
    const big = bytes(8 * MiB);
    const writing = pair.client.write(big);
    let asked = 0;
    const raw = pair.client.syscallConn().write((fd) => {
      asked++;
      return writeSync(fd, 'raw') === 3;
    });
    const after = pair.client.write('after');
    expect(await isPending(writing)).toBe(true);
    expect(asked).toBe(0);
    expect((await readExactly(pair.server, big.length)).equals(big)).toBe(true);
    expect(String(await readExactly(pair.server, 8))).toBe('rawafter');
    await Promise.all([writing, raw, after]);
    expect(asked).toBe(1);
  });

  test('write() that finds no room is asked again when there is some', async () => {
    using pair = await makePair();
    const chunk = bytes(64 * 1024);
    let rest = chunk;
    const send = (fd: number): boolean => {
      try {
        rest = rest.subarray(writeSync(fd, rest));
        if (rest.length === 0) rest = chunk;
        return rest === chunk;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
        throw error;
      }
    };
    let writing: Promise<void>;
    do writing = pair.client.syscallConn().write(send);
    while (!(await isPending(writing)));
    const draining = readAll(pair.server);
    await writing;
    pair.client.close();
    expect((await draining).length % chunk.length).toBe(0);
  });

  test('a past deadline ends it before it is asked', async () => {
    using pair = await makePair();
    pair.client.setDeadline(1);
    const never = () => {
      throw new Error('was asked');
    };
    const raw = pair.client.syscallConn();
    expect(await caught(raw.read(never))).toMatchObject({
      op: 'raw-read',
      timeout: true,
      message: `raw-read ${network} ${pair.client.localAddr}->${pair.client.remoteAddr}: i/o timeout`,
    });
    expect(await caught(raw.write(never))).toMatchObject({ op: 'raw-write', timeout: true });
  });

  test('close() ends a waiting one, and one that closes from within', async () => {
    using pair = await makePair();
    const waiting = pair.client.syscallConn().read(() => false);
    const inside = pair.server.syscallConn().read(() => {
      pair.server.close();
      return false;
    });
    pair.client.close();
    for (const call of [waiting, inside]) {
      expect(await caught(call)).toMatchObject({ op: 'raw-read', code: 'ERR_SPLICEWAY_CLOSED' });
    }
    expect(await caught(pair.client.syscallConn().write(() => true))).toMatchObject({
      op: 'raw-write',
      code: 'ERR_SPLICEWAY_CLOSED',
    });
  });

  test('what the function throws, or answers wrongly, rejects that call alone', async () => {
    using pair = await makePair();
    const raw = pair.client.syscallConn();
    const thrown = raw.read(() => {
      throw new RangeError('mine');
    });
    expect(await caught<Error>(thrown)).toEqual(new RangeError('mine'));
    expect(await caught(raw.read((async () => true) as never))).toMatchObject({ code: 'ERR_INVALID_RETURN_VALUE' });
    await pair.server.write('fine');
    expect(String(await pair.client.read())).toBe('fine');
  });
});

test('a deadline set from within ends the call that set it, once', async () => {
  using pair = await tcpPair();
  const raw = pair.client.syscallConn().read(() => {
    pair.client.setReadDeadline(1);
    return false;
  });
  expect(await caught(raw)).toMatchObject({ timeout: true });
});

test('arguments of another type, and a signal that is aborted already', async () => {
  using pair = await tcpPair();
  const raw = pair.client.syscallConn();
  const wrong = { code: 'ERR_INVALID_ARG_TYPE' };
  expect(() => raw.control(1 as never)).toThrow(expect.objectContaining(wrong));
  expect(await caught(raw.read(null as never))).toMatchObject(wrong);
  expect(await caught(raw.write(() => true, 1 as never))).toMatchObject(wrong);
  const aborted = AbortSignal.abort(new Error('before'));
  expect(await caught<Error>(raw.read(() => true, { signal: aborted }))).toEqual(new Error('before'));
});

test('in handler style control() and write() work, read() is refused', async () => {
  using pair = await tcpPair();
  pair.client.handle({ data() {} });
  const raw = pair.client.syscallConn();
  raw.control(() => {});
  await raw.write((fd) => writeSync(fd, 'x') === 1);
  expect(String(await pair.server.read())).toBe('x');
  expect(await caught(raw.read(() => true))).toMatchObject({ op: 'raw-read', code: 'ERR_SPLICEWAY_BUSY' });
});

test('a listener has control(), and no directions', async () => {
  using pair = await tcpPair();
  const raw = pair.listener.syscallConn();
  raw.control((fd) => expect(fstatSync(fd).isSocket()).toBe(true));
  expect(await caught(raw.read(() => true))).toMatchObject({ op: 'raw-read', code: 'EINVAL', source: null });
  pair.listener.close();
  let error: OpError | undefined;
  try {
    raw.control(() => {});
  } catch (thrown) {
    error = thrown as OpError;
  }
  expect(error?.message).toBe(`raw-control tcp ${pair.listener.addr}: use of closed network connection`);
});
