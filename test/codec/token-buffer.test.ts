import {
  ErrAdvanceTooFar,
  ErrFinalToken,
  ErrNegativeAdvance,
  ErrTooLong,
  MAX_SCAN_TOKEN_SIZE,
  type SplitFunc,
  scanLines,
  scanWords,
  TokenBuffer,
} from 'spliceway/codec';
import { describe, expect, test } from 'vitest';

const texts = (buffer: TokenBuffer) => [...buffer].map(String);

describe('a buffer that is fed', () => {
  test('gives the tokens that are whole, and the last one at the end', () => {
    const buffer = new TokenBuffer();
    buffer.feed('msg1\nmsg2\nmsg3');
    expect(texts(buffer)).toEqual(['msg1', 'msg2']);
    expect(texts(buffer)).toEqual([]);
    expect(buffer.over).toBe(false);
    buffer.finish();
    expect(texts(buffer)).toEqual(['msg3']);
    expect(buffer.over).toBe(true);
    expect(buffer.err()).toBeNull();
  });

  test('joins a token that comes in many pieces', () => {
    const buffer = new TokenBuffer();
    for (const piece of ['a', 'b', '', 'c', '\r', '\nd']) buffer.feed(piece);
    buffer.finish();
    expect(texts(buffer)).toEqual(['abc', 'd']);
  });

  test('copies what it is fed, and never writes over a token', () => {
    const buffer = new TokenBuffer();
    const chunk = Buffer.from('first\n');
    buffer.feed(chunk);
    chunk.fill('x');
    const tokens = [...buffer];
    for (let i = 0; i < 5000; i++) {
      buffer.feed(`line ${i}\n`);
      tokens.push(...buffer);
    }
    expect(tokens).toHaveLength(5001);
    expect(String(tokens[0])).toBe('first');
    for (let i = 0; i < 5000; i++) expect(String(tokens[i + 1])).toBe(`line ${i}`);
  });

  test('has the token as bytes and as text', () => {
    const buffer = new TokenBuffer();
    buffer.feed('plain\nümlaut\n\n€');
    buffer.finish();
    for (const text of ['plain', 'ümlaut', '', '€']) {
      expect(buffer.next()).toBe(true);
      expect(buffer.text()).toBe(text);
      expect(buffer.bytes()).toEqual(Buffer.from(text));
      expect(buffer.text()).toBe(text);
    }
    expect(buffer.next()).toBe(false);
    expect(buffer.next()).toBe(false);
  });

  test('keeps the text of a token when more is fed', () => {
    const buffer = new TokenBuffer();
    buffer.feed('one\ntw');
    expect(buffer.next()).toBe(true);
    buffer.feed(`o\n${'x'.repeat(10_000)}\n`);
    expect(buffer.text()).toBe('one');
    expect(texts(buffer)).toEqual(['two', 'x'.repeat(10_000)]);
  });

  test('shows nothing in the memory of a token that was never fed', () => {
    for (let i = 0; i < 200; i++) {
      for (let n = 4096; n <= 65_536; n *= 2) Buffer.allocUnsafeSlow(n).fill(0xff); // what others have freed
      const buffer = new TokenBuffer();
      for (let n = 100; n < 20_000; n *= 2) buffer.feed(`${'x'.repeat(n)}\n`);
      for (const token of buffer) expect(Buffer.from(token.buffer).includes(0xff)).toBe(false);
    }
  });

  test('mixes text and bytes, in either order', () => {
    const buffer = new TokenBuffer();
    buffer.feed('a\nb\nc\nd\n');
    expect(buffer.next() && buffer.text()).toBe('a');
    expect(buffer.next() && String(buffer.bytes())).toBe('b');
    expect(buffer.next()).toBe(true);
    expect(buffer.next() && buffer.text()).toBe('d');
  });
});

describe.each([
  ['scanLines', scanLines],
  ['another split function', ((data, atEOF) => scanLines(data, atEOF)) as SplitFunc],
])('the longest token, with %s', (_, split) => {
  test('is 64 KiB with its end', () => {
    const buffer = new TokenBuffer({ split });
    buffer.feed(`${'x'.repeat(MAX_SCAN_TOKEN_SIZE - 1)}\n`);
    expect(buffer.next()).toBe(true);
    expect(buffer.bytes()).toHaveLength(MAX_SCAN_TOKEN_SIZE - 1);
    buffer.feed('x'.repeat(MAX_SCAN_TOKEN_SIZE));
    expect(buffer.next()).toBe(false);
    expect(buffer.over).toBe(true);
    expect(buffer.err()).toBe(ErrTooLong);
  });

  test('is as long as it is told; what came before a longer one is given, nothing after it', () => {
    const buffer = new TokenBuffer({ split, max: 16 });
    buffer.feed('short\n0123456789abcde\n0123456789abcdef\nmore\n');
    expect(texts(buffer)).toEqual(['short', '0123456789abcde']);
    expect(buffer.err()).toBe(ErrTooLong);
    expect(buffer.err()).toMatchObject({
      message: 'bufio.Scanner: token too long',
      code: 'ERR_SPLICEWAY_TOKEN_TOO_LONG',
    });
    buffer.feed('more\n');
    expect(texts(buffer)).toEqual([]);
  });

  test('may be longer than 64 KiB', () => {
    const buffer = new TokenBuffer({ split }).buffer(1_000_001);
    const token = 'y'.repeat(1_000_000);
    for (let i = 0; i < 100; i++) buffer.feed(token.slice(i * 10_000, (i + 1) * 10_000));
    expect(buffer.next()).toBe(false);
    expect(buffer.over).toBe(false);
    buffer.feed('\n');
    expect(buffer.next() && buffer.text()).toBe(token);
  });
});

test('space that words skip is no part of a token that is too long', () => {
  const buffer = new TokenBuffer({ split: scanWords, max: 8 });
  buffer.feed(`${' '.repeat(100)}word${' '.repeat(100)}`);
  buffer.finish();
  expect(texts(buffer)).toEqual(['word']);
  expect(buffer.err()).toBeNull();
});

describe('a split function', () => {
  const run = (split: SplitFunc, text = 'abc') => {
    const buffer = new TokenBuffer({ split });
    buffer.feed(text);
    buffer.finish();
    return { tokens: texts(buffer), err: buffer.err(), over: buffer.over };
  };

  test('sees no empty data but at the end', () => {
    const seen: [number, boolean][] = [];
    run((data, atEOF) => {
      seen.push([data.length, atEOF]);
      return [data.length, null];
    });
    expect(seen).toEqual([[3, true]]);
    seen.length = 0;
    run((data, atEOF) => {
      seen.push([data.length, atEOF]);
      return [data.length, null];
    }, '');
    expect(seen).toEqual([[0, true]]);
  });

  test('that answers an error ends the scanning with it', () => {
    const error = new Error('no');
    expect(run((data) => (data[0] === 0x62 ? [0, null, error] : [1, data.subarray(0, 1)]))).toEqual({
      tokens: ['a'],
      err: error,
      over: true,
    });
  });

  test('that throws ends it too', () => {
    const error = new Error('oops');
    const throws = () => {
      throw error;
    };
    expect(run(throws)).toEqual({ tokens: [], err: error, over: true });
  });

  test('ends it without an error by ErrFinalToken: with a last token, an empty one, or none', () => {
    const done = { err: null, over: true };
    expect(run((data) => [1, data.subarray(0, 1), ErrFinalToken])).toEqual({ ...done, tokens: ['a'] });
    expect(run(() => [0, Buffer.alloc(0), ErrFinalToken])).toEqual({ ...done, tokens: [''] });
    expect(run(() => [0, null, ErrFinalToken])).toEqual({ ...done, tokens: [] });
  });

  test('must advance within its data', () => {
    expect(run(() => [-1, null]).err).toBe(ErrNegativeAdvance);
    expect(run((data) => [data.length + 1, null]).err).toBe(ErrAdvanceTooFar);
  });

  test('may give empty tokens, but not for ever at the end', () => {
    const { tokens, err } = run(() => [0, Buffer.alloc(0)]);
    expect(tokens).toHaveLength(100);
    expect(err).toMatchObject({ message: 'bufio.Scan: too many empty tokens without progressing' });
  });

  test('may give tokens of its own making', () => {
    expect(
      run((data) => (data.length === 0 ? [0, null] : [1, new Uint8Array([data[0] as number, 0x21])])).tokens,
    ).toEqual(['a!', 'b!', 'c!']);
  });
});

test('what is set once scanning has begun is refused', () => {
  const buffer = new TokenBuffer();
  buffer.next();
  expect(() => buffer.buffer(1)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
  expect(() => buffer.split(scanWords)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
});

test('an error of the source comes after what it had given', () => {
  const buffer = new TokenBuffer();
  buffer.feed('one\npart');
  const error = new Error('broken');
  buffer.finish(error);
  expect(texts(buffer)).toEqual(['one', 'part']);
  expect(buffer.err()).toBe(error);
});

test('wrong arguments throw with the codes of Node', () => {
  expect(() => new TokenBuffer({ split: 1 as never })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
  );
  expect(() => new TokenBuffer({ max: 'x' as never })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
  );
  expect(() => new TokenBuffer({ max: 0 })).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  expect(() => new TokenBuffer().feed(1 as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
});
