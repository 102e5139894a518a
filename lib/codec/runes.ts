// UTF-8, rune by rune, with Go's answer to what is none: U+FFFD, one byte wide.

const BAD = 0xfffd;
const WIDTH_BITS = 3;

export const runeOf = (decoded: number): number => decoded >> WIDTH_BITS;
export const widthOf = (decoded: number): number => decoded & ((1 << WIDTH_BITS) - 1);

const pack = (rune: number, width: number): number => (rune << WIDTH_BITS) | width;
const INVALID = pack(BAD, 1);

/** How long a sequence is that begins with this byte; 0 where none does. */
function lengthFrom(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

// Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
function isSecond(first: number, second: number): boolean {
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  return second >= low && second <= high;
}

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

/** How many bytes at `at` fit together, up to the length that the first one asks for. */
function fitting(data: Uint8Array, at: number, length: number): number {
  const there = Math.min(length, data.length - at);
  if (there > 1 && !isSecond(data[at] as number, data[at + 1] as number)) return 1;
  for (let i = 2; i < there; i++) if (!isContinuation(data[at + i] as number)) return i;
  return there;
}

/** The rune at `at` and its width, packed; `at` must be inside data. */
export function decodeRune(data: Uint8Array, at: number): number {
  const first = data[at] as number;
  if (first < 0x80) return pack(first, 1);
  const length = lengthFrom(first);
  if (length === 0 || fitting(data, at, length) < length) return INVALID;
  let rune = first & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) rune = (rune << 6) | ((data[at + i] as number) & 0x3f);
  return pack(rune, length);
}

/** Whether data begins with a rune or with what can never be one: more bytes would change nothing. */
export function isFullRune(data: Uint8Array): boolean {
  const length = lengthFrom(data[0] as number);
  return length === 0 || data.length >= length || fitting(data, 0, length) < data.length;
}

/** Unicode's white space, as Go's bufio has it. */
export function isSpace(rune: number): boolean {
  if (rune <= 0xff) return rune === 0x20 || (rune >= 0x09 && rune <= 0x0d) || rune === 0x85 || rune === 0xa0;
  if (rune >= 0x2000 && rune <= 0x200a) return true;
  return rune === 0x1680 || rune === 0x2028 || rune === 0x2029 || rune === 0x202f || rune === 0x205f || rune === 0x3000;
}
