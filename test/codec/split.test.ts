import { type SplitFunc, scanBytes, scanLines, scanRunes, scanWords, TokenBuffer } from 'spliceway/codec';
import { describe, expect, test } from 'vitest';

/** The tokens of data, fed in pieces of n bytes. */
function tokensOf(split: SplitFunc, data: Uint8Array | string, n = Number.POSITIVE_INFINITY): string[] {
  const bytes = Buffer.from(data);
  const buffer = new TokenBuffer({ split });
  const tokens: string[] = [];
  for (let at = 0; at < bytes.length; at += n) {
    buffer.feed(bytes.subarray(at, at + n));
    for (const token of buffer) tokens.push(token.toString());
  }
  buffer.finish();
  for (const token of buffer) tokens.push(token.toString());
  expect(buffer.over).toBe(true);
  expect(buffer.err()).toBeNull();
  return tokens;
}

const PIECES = [1, 2, 3, 5, 7, 1000];

describe.each(PIECES)('in pieces of %d bytes', (n) => {
  test.each([
    ['', []],
    ['\n', ['']],
    ['one', ['one']],
    ['one\n', ['one']],
    ['one\r\ntwo\n\nthree\r\r\nlast', ['one', 'two', '', 'three\r', 'last']],
    ['\r', ['']],
    ['\r\n\r', ['', '']],
    ['a\rb\n', ['a\rb']],
    ['ä€😀\r\nß\n', ['ä€😀', 'ß']],
    ['msg1\nmsg2\nmsg3', ['msg1', 'msg2', 'msg3']],
  ])('scanLines of %j', (text, lines) => {
    expect(tokensOf(scanLines, text, n)).toEqual(lines);
    // The same function without its shortcut.
    expect(tokensOf((data, atEOF) => scanLines(data, atEOF), text, n)).toEqual(lines);
  });

  test.each([
    ['', []],
    [' \t\r\n', []],
    ['one', ['one']],
    ['  one two\n three ', ['one', 'two', 'three']],
    ['a\u00a0b\u0085c\u2003d\u3000e\u1680f', ['a', 'b', 'c', 'd', 'e', 'f']],
    ['zero\u200bwidth', ['zero\u200bwidth']],
    ['ä€😀 ß', ['ä€😀', 'ß']],
  ])('scanWords of %j', (text, words) => {
    expect(tokensOf(scanWords, text, n)).toEqual(words);
  });

  test.each([
    ['aä€😀', ['a', 'ä', '€', '😀']],
    ['', []],
    ['�', ['�']],
  ])('scanRunes of %j', (text, runes) => {
    expect(tokensOf(scanRunes, text, n)).toEqual(runes);
  });

  // What Go's range over a string gives for each of these: one U+FFFD for each byte that fits nowhere.
  test.each([
    ['a lone continuation', [0x80, 0x61], ['�', 'a']],
    ['an overlong form', [0xc0, 0xaf], ['�', '�']],
    ['a longer overlong form', [0xe0, 0x80, 0x80], ['�', '�', '�']],
    ['a surrogate', [0xed, 0xa0, 0x80], ['�', '�', '�']],
    ['beyond the last character', [0xf4, 0x90, 0x80, 0x80], ['�', '�', '�', '�']],
    ['cut short by another', [0xe2, 0x82, 0x41], ['�', '�', 'A']],
    ['cut short by the end', [0xf0, 0x9f, 0x98], ['�', '�', '�']],
    ['what begins nothing', [0xff, 0xfe, 0x61], ['�', '�', 'a']],
  ])('scanRunes of %s', (_, bytes, runes) => {
    expect(tokensOf(scanRunes, Uint8Array.from(bytes), n)).toEqual(runes);
  });

  test('scanBytes', () => {
    expect(tokensOf(scanBytes, 'abc\n', n)).toEqual(['a', 'b', 'c', '\n']);
  });
});

test('scanRunes agrees with the decoder of the platform on every character', () => {
  const decoder = new TextDecoder();
  for (let rune = 0; rune <= 0x10ffff; rune += rune < 0x3000 ? 1 : 257) {
    if (rune >= 0xd800 && rune < 0xe000) continue;
    const bytes = Buffer.from(String.fromCodePoint(rune));
    const [advance, token] = scanRunes(bytes, true);
    expect(advance).toBe(bytes.length);
    if (rune !== 0xfeff) expect(decoder.decode(token as Uint8Array)).toBe(String.fromCodePoint(rune));
  }
});

test("white space is what Go's bufio takes for it: Unicode's", () => {
  for (let rune = 0; rune <= 0xffff; rune++) {
    if (rune >= 0xd800 && rune < 0xe000) continue;
    const character = String.fromCodePoint(rune);
    // JavaScript counts the byte order mark, which Unicode does not, and leaves out U+0085.
    const separates = rune === 0x85 || (rune !== 0xfeff && /^\s$/.test(character));
    const words = tokensOf(scanWords, `a${character}b`);
    if ((words.length === 2) !== separates) expect.fail(`U+${rune.toString(16)}`);
  }
});
