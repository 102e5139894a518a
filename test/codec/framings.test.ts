// The other framings: what they put on the wire, and what they understand.

import { dial, listen, pipe } from 'spliceway';
import {
  Decoder,
  type DecodingOptions,
  delimiter,
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
import { caught } from '../support/caught.ts';

/** What a message looks like on the wire. */
async function wireOf(framing: Framing, body: Uint8Array | string): Promise<Buffer> {
  const [a, b] = pipe();
  const sender = new MessageConn(a, framing);
  const got: Buffer[] = [];
  const sent = sender.send(body).then(() => sender.close());
  for await (const chunk of b) got.push(chunk);
  await sent;
  return Buffer.concat(got);
}

/** The bodies in a stream, fed byte by byte. */
function bodiesOf(framing: Framing, wire: Uint8Array | string, options: DecodingOptions = {}): string[] {
  const decoder = new Decoder({ framing, ...options });
  const bodies: string[] = [];
  for (const byte of Buffer.from(wire as string)) {
    for (const { body } of decoder.decode(Buffer.of(byte))) bodies.push(body.toString('latin1'));
  }
  decoder.finish((batch) => bodies.push(...[...batch].map(({ body }) => body.toString('latin1'))));
  return bodies;
}

describe('each framing', () => {
  test.each<[string, Framing, string]>([
    ['lengthPrefix()', lengthPrefix(), '\0\0\0\x02hi'],
    ['1 byte', lengthPrefix({ lengthBytes: 1 }), '\x02hi'],
    ['2 bytes', lengthPrefix({ lengthBytes: 2 }), '\0\x02hi'],
    ['2 bytes, little endian', lengthPrefix({ lengthBytes: 2, littleEndian: true }), '\x02\0hi'],
    ['4 bytes, little endian', lengthPrefix({ littleEndian: true }), '\x02\0\0\0hi'],
    ['8 bytes', lengthPrefix({ lengthBytes: 8 }), '\0\0\0\0\0\0\0\x02hi'],
    ['8 bytes, little endian', lengthPrefix({ lengthBytes: 8, littleEndian: true }), '\x02\0\0\0\0\0\0\0hi'],
    ['a varint', lengthPrefix({ lengthBytes: 'varint' }), '\x02hi'],
    ['a length that counts itself', lengthPrefix({ lengthBytes: 2, includesHeader: true }), '\0\x04hi'],
    ['an adjustment', lengthPrefix({ lengthBytes: 1, adjustment: 1 }), '\x01hi'],
    ['whole frames', lengthPrefix({ lengthBytes: 1, strip: 0 }), 'hi'],
    ['delimiter()', delimiter('\r\n'), 'hi\r\n'],
    ['delimiter() of bytes', delimiter(Buffer.of(0)), 'hi\0'],
    ['lines()', lines(), 'hi\n'],
    ['fixedSize()', fixedSize(2), 'hi'],
    ['netstrings()', netstrings(), '2:hi,'],
  ])('%s is written as it is on the wire', async (_, framing, wire) => {
    expect((await wireOf(framing, 'hi')).toString('latin1')).toBe(wire);
    expect((await wireOf(framing, Buffer.from('hi'))).toString('latin1')).toBe(wire);
  });

  const sizes = [0, 1, 9, 10, 99, 100, 127, 128, 4095, 4096, 4097, 16_383, 16_384, 70_000];
  test.each<[string, Framing]>([
    ['lengthPrefix()', lengthPrefix()],
    ['8 bytes, little endian', lengthPrefix({ lengthBytes: 8, littleEndian: true })],
    ['a varint', lengthPrefix({ lengthBytes: 'varint' })],
    ['a length that counts itself', lengthPrefix({ includesHeader: true })],
    ['delimiter()', delimiter('--boundary--')],
    ['netstrings()', netstrings()],
  ])('%s carries bodies of all sizes', async (_, framing) => {
    const listener = await listen('tcp', '127.0.0.1:0');
    const [a, b] = await Promise.all([dial('tcp', `${listener.addr}`), listener.accept()]);
    const sender = new MessageConn(a, framing);
    const sent = sender.sendMany(sizes.map((n) => bytes(n))).then(() => sender.close());
    const got: Buffer[] = [];
    for await (const body of new MessageConn(b, framing)) got.push(body);
    await sent;
    expect(got.map((body, i) => body.equals(bytes(sizes[i] as number)))).toEqual(sizes.map(() => true));
    b.close();
    listener.close();
  });
});

// Before and after, from Netty's documentation of LengthFieldBasedFrameDecoder.
describe('lengthPrefix() as in Netty', () => {
  test.each<[string, Framing, string, string]>([
    ['the header stays', lengthPrefix({ lengthBytes: 2, strip: 0 }), '\0\x0cHELLO, WORLD', '\0\x0cHELLO, WORLD'],
    ['the header is stripped', lengthPrefix({ lengthBytes: 2 }), '\0\x0cHELLO, WORLD', 'HELLO, WORLD'],
    [
      'the length counts the header',
      lengthPrefix({ lengthBytes: 2, includesHeader: true, strip: 0 }),
      '\0\x0eHELLO, WORLD',
      '\0\x0eHELLO, WORLD',
    ],
    [
      'the same by adjustment',
      lengthPrefix({ lengthBytes: 2, adjustment: -2, strip: 0 }),
      '\0\x0eHELLO, WORLD',
      '\0\x0eHELLO, WORLD',
    ],
    [
      'something stands before the length',
      lengthPrefix({ lengthBytes: 4, offset: 2, strip: 0 }),
      '\xca\xfe\0\0\0\x0cHELLO, WORLD',
      '\xca\xfe\0\0\0\x0cHELLO, WORLD',
    ],
    [
      'something stands behind the length',
      lengthPrefix({ lengthBytes: 4, adjustment: 2, strip: 0 }),
      '\0\0\0\x0c\xca\xfeHELLO, WORLD',
      '\0\0\0\x0c\xca\xfeHELLO, WORLD',
    ],
    [
      'both, and the first part is stripped',
      lengthPrefix({ lengthBytes: 2, offset: 1, adjustment: 1, strip: 3 }),
      '\xca\0\x0c\xfeHELLO, WORLD',
      '\xfeHELLO, WORLD',
    ],
    [
      'both, and the length counts everything',
      lengthPrefix({ lengthBytes: 2, offset: 1, adjustment: -3, strip: 3 }),
      '\xca\0\x10\xfeHELLO, WORLD',
      '\xfeHELLO, WORLD',
    ],
  ])('%s', (_, framing, wire, body) => {
    expect(bodiesOf(framing, Buffer.from(wire, 'latin1'))).toEqual([body]);
  });
});

describe('lines()', () => {
  test('end with a newline, with or without a carriage return, or with the stream', () => {
    expect(bodiesOf(lines(), 'one\r\n\ntwo\r\r\nlast')).toEqual(['one', '', 'two\r', 'last']);
    expect(bodiesOf(lines(), 'one\n')).toEqual(['one']);
    expect(bodiesOf(lines(), '')).toEqual([]);
  });

  test('the last one is received without its end', async () => {
    const [a, b] = pipe();
    const receiver = new MessageConn(b, lines());
    void a.write('one\nlast').then(() => a.close());
    expect(String(await receiver.receive())).toBe('one');
    expect(String(await receiver.receive())).toBe('last');
    expect(await receiver.receive()).toBeNull();
  });
});

describe('a wrong stream', () => {
  test.each<[string, Framing, string, string]>([
    ['a length above maxFrame', lengthPrefix(), '\0\0\0\x65', 'TOO_LARGE'],
    ['the largest length', lengthPrefix({ lengthBytes: 8 }), '\x7f'.repeat(8), 'TOO_LARGE'],
    ['a length less than its header', lengthPrefix({ lengthBytes: 2, includesHeader: true }), '\0\x01', 'LENGTH'],
    ['half a body', lengthPrefix({ lengthBytes: 1 }), '\x05half', 'TRUNCATED'],
    ['a varint without an end', lengthPrefix({ lengthBytes: 'varint' }), '\x7f'.repeat(3), 'TOO_LARGE'],
    ['a line without an end', lines(), 'x'.repeat(200), 'TOO_LARGE'],
    ['no delimiter', delimiter('\0'), 'x'.repeat(200), 'TOO_LARGE'],
    ['half a delimiter', delimiter('\r\n'), 'text\r', 'TRUNCATED'],
    ['half a block', fixedSize(10), 'x'.repeat(15), 'TRUNCATED'],
    ['a netstring that is too long', netstrings(), '101:', 'TOO_LARGE'],
    ['a netstring without a comma', netstrings(), '1:ab', 'LENGTH'],
    ['a netstring without a length', netstrings(), ':,', 'LENGTH'],
  ])('%s is refused', (_, framing, wire, code) => {
    expect(() => bodiesOf(framing, wire, { maxFrame: 100 })).toThrow(
      expect.objectContaining({ name: 'FrameError', code: `ERR_SPLICEWAY_FRAME_${code}` }),
    );
  });
});

describe('send()', () => {
  test.each<[string, Framing, string]>([
    ['a line with a newline', lines(), 'a\nb'],
    ['a line that ends with a carriage return', lines(), 'a\r'],
    ['a body with the delimiter', delimiter('--'), 'a--b'],
    ['a body of another size', fixedSize(3), 'four'],
    ['a body that is too long for its length', lengthPrefix({ lengthBytes: 1 }), 'x'.repeat(256)],
    ['a body that is too short for the adjustment', lengthPrefix({ adjustment: 3 }), 'xx'],
    ['a frame whose start is left out', lengthPrefix({ offset: 2 }), 'x'],
  ])('refuses %s', async (_, framing, body) => {
    const conn = new MessageConn(pipe()[0], framing);
    expect(await caught(conn.send(body))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    expect(await caught(conn.send(Buffer.from(body)))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    expect(await caught(conn.sendMany([body]))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    expect(conn.bufferedBytes).toBe(0);
  });

  test('refuses what is no body', async () => {
    const conn = new MessageConn(pipe()[0], lines());
    for (const body of [undefined, null, 5, {}]) {
      expect(await caught(conn.send(body as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
    expect(await caught(conn.sendMany(null as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });
});

describe('wrong descriptions are refused', () => {
  test.each<[string, () => unknown, string]>([
    ['lengthBytes', () => lengthPrefix({ lengthBytes: 3 as never }), 'ERR_INVALID_ARG_VALUE'],
    ['littleEndian', () => lengthPrefix({ littleEndian: 1 as never }), 'ERR_INVALID_ARG_TYPE'],
    ['offset', () => lengthPrefix({ offset: -1 }), 'ERR_OUT_OF_RANGE'],
    ['adjustment', () => lengthPrefix({ adjustment: 1025 }), 'ERR_OUT_OF_RANGE'],
    ['strip', () => lengthPrefix({ strip: 0.5 }), 'ERR_OUT_OF_RANGE'],
    ['varint', () => lengthPrefix({ lengthBytes: 'varint', offset: 1 }), 'ERR_INVALID_ARG_VALUE'],
    ['options', () => lengthPrefix(5 as never), 'ERR_INVALID_ARG_TYPE'],
    ['delimiter', () => delimiter(''), 'ERR_OUT_OF_RANGE'],
    ['long delimiter', () => delimiter('x'.repeat(257)), 'ERR_OUT_OF_RANGE'],
    ['type of delimiter', () => delimiter(5 as never), 'ERR_INVALID_ARG_TYPE'],
    ['size', () => fixedSize(0), 'ERR_OUT_OF_RANGE'],
    ['framing', () => new MessageConn(pipe()[0], {} as never), 'ERR_INVALID_ARG_TYPE'],
    ['no framing', () => new MessageConn(pipe()[0], undefined as never), 'ERR_INVALID_ARG_TYPE'],
    ['resynchronise', () => new Decoder({ framing: lines(), onBadFrame: 'resynchronise' }), 'ERR_INVALID_ARG_VALUE'],
    ['header', () => headerBody({ commandBytes: 0 as never }), 'ERR_OUT_OF_RANGE'],
  ])('%s', (_, make, code) => {
    expect(make).toThrow(expect.objectContaining({ code }));
  });
});
