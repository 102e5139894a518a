// Reader, over connections and other sources.

import { Readable } from 'node:stream';
import fc from 'fast-check';
import { ErrUnexpectedEOF, pipe } from 'spliceway';
import { ErrBadReadCount, ErrBufferFull, ErrNoProgress, Reader, type ReaderOptions } from 'spliceway/codec';
import { describe, expect, test } from 'vitest';
import { bytes } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { foreignPair } from '../support/foreign.ts';
import { streams, tcpPair, unixPair } from '../support/pair.ts';
import { isPending, turns } from '../support/time.ts';

function* pieces(all: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < all.length; i++) {
    const n = cuts[i % cuts.length] as number;
    // In memory that is changed at once, as a chunk that was lent.
    const chunk = Buffer.from(all.subarray(at, at + n));
    yield chunk;
    chunk.fill(0xee);
    at += n;
  }
}

describe.each(streams)('%s', (_network, makePair) => {
  test('reads what is asked for, however it comes', async () => {
    using pair = await makePair();
    const reader = new Reader(pair.server);
    const first = reader.readLine();
    expect(await isPending(first)).toBe(true);
    await pair.client.write('one\r\ntwo\nth');
    expect(await first).toBe('one');
    expect(reader.buffered).toBe(6);
    expect(await reader.readString('\n')).toBe('two\n');
    const third = reader.readBytes('\n');
    await pair.client.write('ree\n\x01\x02\x03rest');
    expect(String(await third)).toBe('three\n');
    expect(await reader.peek(2)).toEqual(Buffer.of(1, 2));
    expect(await reader.readByte()).toBe(1);
    expect(await reader.discard(2)).toBe(2);
    pair.client.close();
    expect(String(await reader.readFull(4))).toBe('rest');
    expect(await reader.readLine()).toBeNull();
    expect(await reader.read()).toBeNull();
    expect(await reader.readByte()).toBeNull();
    expect(await reader.peek(1)).toBeNull();
    expect(await reader.readFull(1)).toBeNull();
    expect(await reader.discard(1)).toBe(0);
  });

  test('a deadline passes through, takes nothing, and once moved lets the call be made again', async () => {
    using pair = await makePair();
    const reader = new Reader(pair.server);
    await pair.client.write('half a');
    pair.server.setReadDeadline(Date.now() + 20);
    expect(await caught(reader.readLine())).toMatchObject({ timeout: true, op: 'read' });
    expect(reader.buffered).toBe(6);
    expect(String(await reader.read(4))).toBe('half');
    expect(await caught(reader.readLine())).toMatchObject({ timeout: true });
    pair.server.setReadDeadline(null);
    await pair.client.write(' line\n');
    expect(await reader.readLine()).toBe(' a line');
  });

  test('a signal takes its call out of the line, and no byte with it', async () => {
    using pair = await makePair();
    const reader = new Reader(pair.server);
    const controller = new AbortController();
    const calls = [reader.readLine({ signal: controller.signal }), reader.readLine({ signal: controller.signal })];
    await turns();
    controller.abort(new Error('enough'));
    for (const call of calls) expect(await caught(call)).toBe(controller.signal.reason);
    expect(await caught(reader.peek(1, { signal: controller.signal }))).toBe(controller.signal.reason);
    await turns();
    await pair.client.write('for somebody else');
    expect(String(await pair.server.read())).toBe('for somebody else');
  });

  test('closing ends calls that wait, and iteration without an error', async () => {
    using pair = await makePair();
    const reader = new Reader(pair.server);
    const got: string[] = [];
    const iterating = (async () => {
      for await (const chunk of reader) got.push(String(chunk));
    })();
    await pair.client.write('some');
    await expect.poll(() => got).toEqual(['some']);
    pair.server.close();
    await iterating;
    expect(await caught(reader.readLine())).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
  });
});

describe('any bytes, any split, give the same', () => {
  const cutSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 3000 })), {
    minLength: 1,
    maxLength: 10,
  });
  // Few different bytes, so that delimiters are found.
  const stream = fc.oneof(
    fc.array(fc.constantFrom(10, 13, 97, 98, 0xc3), { maxLength: 300 }).map((list) => Buffer.from(list)),
    fc.uint8Array({ maxLength: 20_000, size: 'max' }),
  );
  const call = fc.oneof(
    fc.record({ name: fc.constantFrom('readLine', 'readByte'), of: fc.constant([]) }),
    fc.record({
      name: fc.constantFrom('readString', 'readBytes'),
      of: fc.tuple(fc.constantFrom<string | number>('\n', 'ab', 'aba', '\r\n', 97)),
    }),
    fc.record({ name: fc.constantFrom('readFull', 'peek', 'discard'), of: fc.tuple(fc.integer({ min: 1, max: 400 })) }),
  );
  type Call = { name: string; of: readonly (string | number)[] };

  async function results(source: Iterable<Uint8Array>, calls: readonly Call[], options: ReaderOptions) {
    const reader = new Reader(source, options);
    const all: unknown[] = [];
    for (const { name, of } of calls) {
      const made = (reader[name as 'readString'] as (...args: unknown[]) => Promise<unknown>).apply(reader, [...of]);
      all.push(await made.catch((error: Error) => error.message));
    }
    const rest: Buffer[] = [];
    for await (const chunk of reader) rest.push(chunk);
    return [...all, Buffer.concat(rest)];
  }

  test('of every call', async () => {
    const options = fc.record({ size: fc.constantFrom(16, 100, 4096), max: fc.constantFrom(400, 2 ** 20) });
    await fc.assert(
      fc.asyncProperty(
        stream,
        cutSizes,
        fc.array(call, { maxLength: 30 }),
        options,
        async (all, cuts, calls, given) => {
          const whole = await results([all], calls, { max: given.max });
          expect(await results(pieces(all, cuts), calls, given)).toEqual(whole);
        },
      ),
    );
  });

  test('and lines put together again are the stream', async () => {
    await fc.assert(
      fc.asyncProperty(stream, cutSizes, async (all, cuts) => {
        const reader = new Reader(pieces(all, cuts));
        const got: Buffer[] = [];
        for (let piece = await reader.readBytes(10); piece !== null; piece = await reader.readBytes(10)) {
          got.push(piece);
        }
        expect(got.slice(0, -1).every((piece) => piece.indexOf(10) === piece.length - 1)).toBe(true);
        expect(Buffer.concat(got).equals(all)).toBe(true);
      }),
    );
  });
});

describe('readLine()', () => {
  test('drops one end of a line, as Go does', async () => {
    const reader = new Reader('a\r\n\nb\r\r\nc\rd\n\r');
    const got: unknown[] = [];
    for (let line = await reader.readLine(); line !== null; line = await reader.readLine()) got.push(line);
    expect(got).toEqual(['a', '', 'b\r', 'c\rd', '\r']);
  });
});

describe('what is gathered', () => {
  test('is bounded: a line that is too long is an error, and can still be read', async () => {
    const reader = new Reader(pieces(Buffer.from(`short\n${'x'.repeat(50)}\n`), [7]), { max: 20 });
    expect(await reader.readLine()).toBe('short');
    expect(await caught(reader.readLine())).toBe(ErrBufferFull);
    expect(await caught(reader.readBytes('\n'))).toMatchObject({ code: 'ERR_SPLICEWAY_TOKEN_TOO_LONG' });
    expect(await reader.discard(50)).toBe(50);
    expect(await reader.readLine()).toBe('');
  });

  test('counts its delimiter', async () => {
    const exact = () => new Reader('1234\n', { max: 5 });
    expect(await exact().readString('\n')).toBe('1234\n');
    expect(await caught(new Reader('12345\n', { max: 5 }).readString('\n'))).toBe(ErrBufferFull);
    expect(await caught(exact().readString('4\n\n'))).toBe(ErrBufferFull);
  });

  test('is at most 1 MiB unless told otherwise, from a peer that sends no delimiter', async () => {
    let sent = 0;
    const endless = () => {
      sent += 64 * 1024;
      return Buffer.alloc(64 * 1024);
    };
    expect(await caught(new Reader(endless).readLine())).toBe(ErrBufferFull);
    expect(sent).toBe(1024 * 1024);
  });

  test('by readFull() takes memory as it comes, not as it is announced', async () => {
    const [a, b] = pipe();
    const reader = new Reader(b, { max: 2 ** 30 });
    const before = process.memoryUsage().arrayBuffers;
    const reading = reader.readFull(2 ** 30);
    await a.write('little');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
    a.close();
    expect(await caught(reading)).toBe(ErrUnexpectedEOF);
    expect(String(await reader.read())).toBe('little');
  });
});

describe('unreadByte()', () => {
  test('takes back the last byte of whatever was read, once', async () => {
    const reader = new Reader('abc\ndefgh');
    expect(await reader.readByte()).toBe(97);
    reader.unreadByte();
    expect(() => reader.unreadByte()).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
    expect(await reader.readLine()).toBe('abc');
    reader.unreadByte();
    expect(await reader.readLine()).toBe('');
    expect(String(await reader.readFull(5))).toBe('defgh');
    reader.unreadByte();
    expect(String(await reader.read())).toBe('h');
  });

  test('takes a call that has read: none, peek() and discard() are refused', async () => {
    const reader = new Reader('abc');
    expect(() => reader.unreadByte()).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
    await reader.readByte();
    await reader.peek(1);
    expect(() => reader.unreadByte()).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
    await reader.readByte();
    await reader.discard(1);
    expect(() => reader.unreadByte()).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
  });
});

describe('calls', () => {
  test('made at once are answered in their order', async () => {
    const [a, b] = pipe();
    const reader = new Reader(b);
    const calls = [reader.readLine(), reader.readFull(3), reader.discard(2), reader.readByte(), reader.read()];
    for (const piece of ['on', 'e\nab', 'c--x', 'rest']) await a.write(piece);
    expect((await Promise.all(calls)).map(String)).toEqual(['one', 'abc', '2', '120', 'rest']);
  });

  test('each hear of the end', async () => {
    const [a, b] = pipe();
    const reader = new Reader(b);
    const calls = [reader.readLine(), reader.readLine(), reader.peek(1)];
    a.close();
    expect(await Promise.all(calls)).toEqual([null, null, null]);
  });

  test('leave pieces that stay as they were', async () => {
    const all = bytes(100_000);
    const reader = new Reader(pieces(all, [1000, 17, 5000]));
    const got: Buffer[] = [];
    for (let piece = await reader.readFull(1000); piece !== null; piece = await reader.readFull(1000)) got.push(piece);
    expect(Buffer.concat(got).equals(all)).toBe(true);
  });

  test('read(p) fills the caller’s memory', async () => {
    const reader = new Reader('abcdef');
    const p = Buffer.alloc(4);
    expect(await reader.read(new Uint8Array(0))).toBe(0);
    expect(await reader.read(p)).toBe(4);
    expect(String(p)).toBe('abcd');
    expect(await reader.read(p)).toBe(2);
    expect(String(p)).toBe('efcd');
    expect(await reader.read(p)).toBeNull();
  });

  test('read(p) takes bytes alone', async () => {
    const reader = new Reader('abcdef');
    for (const p of [new Uint16Array(2), new ArrayBuffer(2), new SharedArrayBuffer(2)]) {
      expect(await caught(reader.read(p as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
    expect(String(await reader.read())).toBe('abcdef');
  });

  test('read(p) whose memory went away while it waited rejects, and takes nothing', async () => {
    const [a, b] = pipe();
    const reader = new Reader(b);
    const p = Buffer.from(new ArrayBuffer(8));
    const reading = reader.read(p);
    structuredClone(p.buffer, { transfer: [p.buffer] });
    await a.write('kept');
    expect(await caught(reading)).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    expect(String(await reader.read())).toBe('kept');
  });
});

describe('a source', () => {
  test("may be a stream of Node's, and another Reader", async () => {
    const stream = Readable.from([Buffer.from('one\ntw'), Buffer.from('o')]);
    const reader = new Reader(new Reader(stream));
    expect([await reader.readLine(), await reader.readLine(), await reader.readLine()]).toEqual(['one', 'two', null]);
  });

  test('may be anything with read(p)', async () => {
    const left = [...Buffer.from('a line\nand more')];
    const read = (p: Uint8Array) => {
      const some = left.splice(0, Math.min(3, p.length));
      p.set(some);
      return some.length === 0 ? null : some.length;
    };
    const reader = new Reader({ read });
    expect([await reader.readLine(), await reader.readLine(), await reader.readLine()]).toEqual([
      'a line',
      'and more',
      null,
    ]);
  });

  test.each([
    ['more than it had room for', (p: Uint8Array) => p.length + 1],
    ['less than nothing', () => -1],
    ['half a byte', () => 0.5],
    ['no number', () => '' as never],
  ])('that claims to have read %s is refused', async (_, read) => {
    const reader = new Reader({ read });
    expect(await caught(reader.readByte())).toBe(ErrBadReadCount);
    expect(reader.buffered).toBe(0);
  });

  test('may be a Conn of another make, or one of packets', async () => {
    const { client, server } = foreignPair();
    await client.write('foreign\n');
    expect(await new Reader(server).readLine()).toBe('foreign');
    using pair = await unixPair('unixpacket');
    await pair.client.write(`${'p'.repeat(10_000)}\n`);
    expect(await new Reader(pair.server).readLine()).toHaveLength(10_000);
  });

  test('is read no further ahead than `size`', async () => {
    using pair = await tcpPair();
    await pair.client.write('x'.repeat(1000));
    const reader = new Reader(pair.server, { size: 100 });
    await reader.readByte();
    expect(reader.buffered).toBe(99);
    expect(reader.size).toBe(100);
    expect((await pair.server.read())?.length).toBe(900);
  });

  test('that gives nothing 100 times is given up, and asked again by the next call', async () => {
    let calls = 0;
    const reader = new Reader(() => (++calls <= 100 ? '' : 'late\n'));
    expect(await caught(reader.readLine())).toBe(ErrNoProgress);
    expect(await reader.readLine()).toBe('late');
  });

  test('that fails has given what it gave', async () => {
    async function* failing() {
      yield 'one\npart';
      throw new Error('broken');
    }
    const reader = new Reader(failing());
    expect(await reader.readLine()).toBe('one');
    expect(await caught(reader.readLine())).toMatchObject({ message: 'broken' });
    expect(await reader.readLine()).toBe('part');
    expect(await reader.readLine()).toBeNull();
  });

  test('of which a wait was given up gives what comes to the next call', async () => {
    let give = (_: string) => {};
    const answers = () => new Promise<string>((resolve) => (give = resolve));
    const reader = new Reader(answers);
    const signal = AbortSignal.timeout(10);
    expect(await caught(reader.readLine({ signal }))).toBe(signal.reason);
    const line = reader.readLine();
    give('kept\n');
    expect(await line).toBe('kept');
  });
});

test('wrong arguments reject with the codes of Node, and take nothing', async () => {
  for (const source of [undefined, null, 1, {}]) {
    expect(() => new Reader(source as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  }
  for (const options of [{ size: 15 }, { size: 2 ** 31 }, { max: 0 }, { max: 1.5 }]) {
    expect(() => new Reader('', options)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  }
  expect(() => new Reader('', 1 as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  const reader = new Reader('abc', { max: 100 });
  const wrong: [() => Promise<unknown>, string][] = [
    [() => reader.readString(''), 'ERR_OUT_OF_RANGE'],
    [() => reader.readBytes(256), 'ERR_OUT_OF_RANGE'],
    [() => reader.readBytes('x'.repeat(257)), 'ERR_OUT_OF_RANGE'],
    [() => reader.readString({} as never), 'ERR_INVALID_ARG_TYPE'],
    [() => reader.readFull(101), 'ERR_OUT_OF_RANGE'],
    [() => reader.readFull(-1), 'ERR_OUT_OF_RANGE'],
    [() => reader.readFull('1' as never), 'ERR_INVALID_ARG_TYPE'],
    [() => reader.peek(0), 'ERR_OUT_OF_RANGE'],
    [() => reader.discard(-1), 'ERR_OUT_OF_RANGE'],
    [() => reader.read(0), 'ERR_OUT_OF_RANGE'],
    [() => reader.read('x' as never), 'ERR_INVALID_ARG_TYPE'],
    [() => reader.readLine({ signal: 1 as never }), 'ERR_INVALID_ARG_TYPE'],
  ];
  for (const [call, code] of wrong) expect(await caught(call())).toMatchObject({ code });
  expect(String(await reader.read())).toBe('abc');
});
