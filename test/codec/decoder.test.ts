// Decoder, and any stream however it is cut.

import fc from 'fast-check';
import { pipe } from 'spliceway';
import {
  Decoder,
  type DecodingOptions,
  delimiter,
  type Frame,
  type FrameBatch,
  FramedConn,
  FrameError,
  type Framing,
  fixedSize,
  headerBody,
  lengthPrefix,
  lines,
  MessageConn,
  netstrings,
} from 'spliceway/codec';
import { describe, expect, test } from 'vitest';
import { bytes } from '../support/bytes.ts';
import { frameOf, streamOf } from './frames.ts';

/** Feeds a stream in pieces of the given sizes, over and over; what came out, and what was wrong. */
function decoded(stream: Uint8Array, cuts: readonly number[], options: DecodingOptions = {}) {
  const decoder = new Decoder(options);
  const frames: Frame[] = [];
  const take = (batch: FrameBatch) => {
    for (const { command, body } of batch) frames.push({ command, body: Buffer.from(body) });
  };
  let fault: string | null = null;
  try {
    for (let at = 0, i = 0; at < stream.length; i++) {
      const n = cuts[i % cuts.length] as number;
      // In memory that is changed at once, as a chunk that was lent.
      const chunk = Buffer.from(stream.subarray(at, at + n));
      decoder.feed(chunk, take);
      chunk.fill(0xee);
      at += n;
    }
    decoder.finish(take);
  } catch (error) {
    fault = `${(error as FrameError).fault} at ${(error as FrameError).offset}`;
  }
  return { frames, fault, position: decoder.position, bad: decoder.badFrames, skipped: decoder.skippedBytes };
}

const cutSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5000 })), {
  minLength: 1,
  maxLength: 20,
});
const anyBody = fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.uint8Array({ maxLength: 3000, size: 'max' }));
const whole = [2 ** 30];

describe('any messages, any split, give the same messages', () => {
  test('with a header', () => {
    const frame = fc.record({ command: fc.nat(0xef), body: anyBody });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 30 }), cutSizes, (frames, cuts) => {
        const result = decoded(streamOf(frames), cuts);
        expect(result.fault).toBeNull();
        expect(result.frames.map(({ command }) => command)).toEqual(frames.map(({ command }) => command));
        expect(result.frames.every(({ body }, i) => body.equals(frames[i]?.body as Uint8Array))).toBe(true);
      }),
    );
  });

  const framings: [string, Framing, (body: Uint8Array) => boolean][] = [
    ['lengthPrefix()', lengthPrefix(), () => true],
    ['a varint', lengthPrefix({ lengthBytes: 'varint' }), () => true],
    ['little endian, counting itself', lengthPrefix({ littleEndian: true, includesHeader: true }), () => true],
    ['delimiter()', delimiter('aab'), (body) => !Buffer.from(body).includes('aab')],
    ['lines()', lines(), (body) => !body.includes(0x0a) && body.at(-1) !== 0x0d],
    ['fixedSize()', fixedSize(7), (body) => body.length === 7],
    ['netstrings()', netstrings(), () => true],
  ];
  test.each(framings)('with %s, as they were sent', async (name, framing, fits) => {
    const body =
      name === 'fixedSize()'
        ? fc.uint8Array({ minLength: 7, maxLength: 7 })
        : fc.oneof(anyBody, fc.constant(bytes(5000)));
    await fc.assert(
      fc.asyncProperty(fc.array(body.filter(fits), { maxLength: 20 }), cutSizes, async (bodies, cuts) => {
        const [a, b] = pipe();
        const sender = new MessageConn(a, framing);
        const sent = sender.sendMany(bodies).then(() => sender.close());
        const wire: Buffer[] = [];
        for await (const chunk of b) wire.push(chunk);
        await sent;
        const result = decoded(Buffer.concat(wire), cuts, { framing });
        expect(result.fault).toBeNull();
        expect(result.frames.map((frame) => frame.body.toString('hex'))).toEqual(
          bodies.map((one) => Buffer.from(one).toString('hex')),
        );
      }),
      { numRuns: 40 },
    );
  });

  test('over a connection', async () => {
    const frame = fc.record({ command: fc.nat(0xef), body: anyBody });
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 20 }), cutSizes, async (frames, cuts) => {
        const [a, b] = pipe();
        const receiver = new FramedConn(b);
        const stream = streamOf(frames);
        const writing = (async () => {
          for (let at = 0, i = 0; at < stream.length; i++) {
            const n = cuts[i % cuts.length] as number;
            await a.write(stream.subarray(at, at + n));
            at += n;
          }
          a.close();
        })();
        const got: string[] = [];
        for await (const { command, body } of receiver) got.push(`${command} ${body.toString('hex')}`);
        await writing;
        expect(got).toEqual(frames.map(({ command, body }) => `${command} ${Buffer.from(body).toString('hex')}`));
      }),
      { numRuns: 30 },
    );
  });
});

describe('any bytes, any split, come to the same end', () => {
  const nearly = fc
    .array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc
          .constantFrom('BM', 'BM\x01', 'BM\x01\x01\0\0\0\x05', '5:hello,', '\n', '\r\n', 'BM\x01\x01\xff\xff\xff\xff')
          .map((text) => Buffer.from(text, 'latin1')),
        fc
          .record({ command: fc.nat(255), body: fc.uint8Array({ maxLength: 30 }) })
          .map(({ command, body }) => frameOf(command, body)),
      ),
      { maxLength: 30 },
    )
    .map((parts) => Buffer.concat(parts));

  test.each<[string, DecodingOptions]>([
    ['headerBody()', {}],
    ['headerBody(), resynchronising', { onBadFrame: 'resynchronise', maxFrame: 100 }],
    ['two bytes of command', { framing: headerBody({ commandBytes: 2, crcOver: 8 }), onBadFrame: 'resynchronise' }],
    ['lengthPrefix()', { framing: lengthPrefix({ lengthBytes: 1 }) }],
    ['a varint', { framing: lengthPrefix({ lengthBytes: 'varint' }), maxFrame: 100 }],
    ['offset and strip', { framing: lengthPrefix({ lengthBytes: 1, offset: 3, adjustment: -2, strip: 1 }) }],
    ['lines()', { framing: lines(), maxFrame: 20 }],
    ['delimiter()', { framing: delimiter('\r\n'), maxFrame: 20 }],
    ['netstrings()', { framing: netstrings() }],
  ])('with %s', (_, options) => {
    fc.assert(
      fc.property(nearly, cutSizes, (stream, cuts) => {
        expect(decoded(stream, cuts, options)).toEqual(decoded(stream, whole, options));
      }),
      { numRuns: 200 },
    );
  });
});

describe('Decoder', () => {
  test('gives batches, several where a chunk has more frames than fit into one', () => {
    const decoder = new Decoder();
    const counts: number[] = [];
    const many = streamOf(Array.from({ length: 10_000 }, (_, command) => ({ command: command % 100, body: 'x' })));
    const commands: number[] = [];
    expect(
      decoder.feed(many, (batch) => {
        counts.push(batch.count);
        for (let i = 0; i < batch.count; i++) commands.push(batch.command(i));
      }),
    ).toBeUndefined();
    expect(counts).toEqual([4096, 4096, 1808]);
    expect(commands).toEqual(Array.from({ length: 10_000 }, (_, i) => i % 100));
  });

  test('waits for the promise of its function', async () => {
    const decoder = new Decoder();
    const stream = streamOf(Array.from({ length: 9000 }, () => ({ command: 1, body: 'x' })));
    let under = 0;
    let total = 0;
    const fed = decoder.feed(stream, async (batch) => {
      expect(++under).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      // Another one used the same shared memory meanwhile.
      new Decoder().decode(streamOf([{ command: 9, body: 'other' }]));
      for (const { command, body } of batch) total += command + body.length;
      under--;
    });
    expect(fed).toBeInstanceOf(Promise);
    await fed;
    expect(total).toBe(18_000);
  });

  test('may be fed inside the function of another', () => {
    const inner = new Decoder();
    const outer = new Decoder();
    const seen: string[] = [];
    outer.feed(
      streamOf([
        { command: 1, body: 'a' },
        { command: 2, body: 'b' },
      ]),
      (batch) => {
        for (let i = 0; i < batch.count; i++) {
          inner.feed(frameOf(9, 'inner'), (other) => seen.push(`${other.body(0)}`));
          seen.push(`${batch.body(i)}`);
        }
      },
    );
    expect(seen).toEqual(['inner', 'a', 'inner', 'b']);
  });

  test('what its function throws is the caller’s; the stream goes on after that batch', () => {
    const decoder = new Decoder();
    expect(() =>
      decoder.feed(frameOf(1, 'x'), () => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
    expect(decoder.decode(frameOf(2, 'y'))).toEqual([{ command: 2, body: Buffer.from('y') }]);
  });

  test('throws a FrameError after the good frames, and again', () => {
    const decoder = new Decoder();
    const seen: number[] = [];
    const feed = () =>
      decoder.feed(Buffer.concat([frameOf(5, 'good'), Buffer.from('bad')]), (b) => seen.push(b.command(0)));
    expect(feed).toThrow(FrameError);
    expect(seen).toEqual([5]);
    expect(feed).toThrow(expect.objectContaining({ offset: 16, fault: 'magic' }));
    expect(() => decoder.finish()).toThrow(FrameError);
  });

  test('holds no more than has come, whatever a length says', () => {
    const decoder = new Decoder({ maxFrame: 2 ** 30 });
    expect(decoder.decode(Buffer.from('424d01013fffffff00000000', 'hex'))).toEqual([]);
    expect(decoder.held).toBe(12);
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(2 ** 29);
  });

  test('takes bodies larger than a chunk, byte by byte too', () => {
    const body = bytes(300_000);
    const stream = streamOf([
      { command: 1, body },
      { command: 2, body: '' },
    ]);
    const { frames } = decoded(stream, [65_536]);
    expect(frames[0]?.body.equals(body)).toBe(true);
    expect(decoded(stream.subarray(0, 20_000), [1]).fault).toBe('truncated at 0');
  });

  test('a batch that is retained keeps frames that lay among bytes still to be decoded', () => {
    const decoder = new Decoder({ onBadFrame: 'resynchronise' });
    const inner = streamOf(['one', 'two'].map((body) => ({ command: 1, body })));
    const long = frameOf(2, Buffer.concat([inner, frameOf(3, bytes(300))]));
    long[11] = (long[11] as number) ^ 1; // so that its body is searched for frames
    const kept: FrameBatch[] = [];
    const views: Buffer[] = [];
    for (let at = 0; at < long.length; at += 100) {
      decoder.feed(long.subarray(at, at + 100), (batch) => {
        kept.push(batch.retain());
        views.push(...[...batch].map(({ body }) => body));
      });
    }
    expect(decoder.decode(frameOf(4, 'next'))).toEqual([{ command: 4, body: Buffer.from('next') }]);
    expect(views.map(String)).toEqual(['one', 'two', String(bytes(300))]);
    for (const batch of kept) batch.release();
    expect(decoder.badFrames).toBe(1);
    expect(decoder.skippedBytes).toBe(12);
  });

  test('shows nothing in the memory of a body that was never fed', () => {
    const stream = Buffer.from(`${'x'.repeat(5000)}\n`);
    for (let i = 0; i < 200; i++) {
      for (let n = 4096; n <= 16_384; n += 1024) Buffer.allocUnsafeSlow(n).fill(0xff); // what others have freed
      const decoder = new Decoder({ framing: lines() });
      for (let at = 0; at < stream.length; at += 700) {
        for (const { body } of decoder.decode(stream.subarray(at, at + 700))) {
          expect(body.length).toBe(5000);
          expect(Buffer.from(body.buffer).includes(0xff)).toBe(false);
        }
      }
    }
  });

  test('refuses wrong arguments, and bytes after the end', () => {
    const decoder = new Decoder();
    expect(() => decoder.feed('text' as never, () => {})).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
    expect(() => decoder.feed(Buffer.alloc(1), 5 as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
    expect(() => new Decoder({ framing: 'lines' as never })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
    decoder.finish();
    expect(() => decoder.decode(Buffer.alloc(1))).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
  });
});
