// Where tokens begin and end: split functions, as in Go's bufio.

import { decodeRune, isFullRune, isSpace, runeOf, widthOf } from './runes';

/**
 * What a split function answers: by how much to advance in the data, the token found (null: none yet),
 * and an error that ends the scanning.
 *
 * `[0, null]` asks for more data. With {@link ErrFinalToken} as the error scanning ends without one,
 * after the token if there is one.
 */
export type Split = readonly [advance: number, token: Uint8Array | null, error?: Error | null];

/**
 * Finds the next token in data, which is what was not advanced over yet. It is never empty unless
 * atEOF says that no more will come. A token is best a part of data (`data.subarray`), and data must
 * not be changed.
 */
export type SplitFunc = (data: Buffer, atEOF: boolean) => Split;

class ScanError extends Error {
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
    this.name = 'Error';
  }
}

/** Answered by a split function: stop here, without an error (Go's bufio.ErrFinalToken). */
export const ErrFinalToken: Error = new ScanError('final token', 'ERR_SPLICEWAY_FINAL_TOKEN');
/** A token does not fit (Go's bufio.ErrTooLong). */
export const ErrTooLong: Error = new ScanError('bufio.Scanner: token too long', 'ERR_SPLICEWAY_TOKEN_TOO_LONG');
/** A Reader finds no delimiter within the bytes that it may gather (Go's bufio.ErrBufferFull). */
export const ErrBufferFull: Error = new ScanError('bufio: buffer full', 'ERR_SPLICEWAY_TOKEN_TOO_LONG');
/** A split function went backwards (Go's bufio.ErrNegativeAdvance). */
export const ErrNegativeAdvance: Error = new ScanError(
  'bufio.Scanner: SplitFunc returns negative advance count',
  'ERR_SPLICEWAY_SPLIT',
);
/** A split function went beyond its data (Go's bufio.ErrAdvanceTooFar). */
export const ErrAdvanceTooFar: Error = new ScanError(
  'bufio.Scanner: SplitFunc returns advance count beyond input',
  'ERR_SPLICEWAY_SPLIT',
);
/** A source answered 100 times with nothing at all (Go's io.ErrNoProgress). */
export const ErrNoProgress: Error = new ScanError(
  'multiple Read calls return no data or error',
  'ERR_SPLICEWAY_NO_PROGRESS',
);
/** A source claims to have read what it had no room for (Go's bufio.ErrBadReadCount). */
export const ErrBadReadCount: Error = new ScanError(
  'bufio.Scanner: Read returned impossible count',
  'ERR_SPLICEWAY_READ_COUNT',
);

/** A Writer's destination took less than it was given, and did not say why (Go's io.ErrShortWrite). */
export const ErrShortWrite: Error = new ScanError('short write', 'ERR_SPLICEWAY_SHORT_WRITE');

/** What Go panics with: a split function that would give empty tokens for ever. */
export function tooManyEmptyTokens(): Error {
  return new ScanError('bufio.Scan: too many empty tokens without progressing', 'ERR_SPLICEWAY_NO_PROGRESS');
}

const LF = 0x0a;
const CR = 0x0d;
const MORE: Split = [0, null];

/** Where a line ends that stops before `end`: one carriage return is part of the line's end. */
export function withoutCR(data: Uint8Array, start: number, end: number): number {
  return end > start && data[end - 1] === CR ? end - 1 : end;
}

/**
 * Lines, without their end, which is `\n` or `\r\n`. They may be empty. What follows the last end is a
 * line too, unless it is empty.
 */
export const scanLines: SplitFunc = (data, atEOF) => {
  const at = data.indexOf(LF);
  if (at >= 0) return [at + 1, data.subarray(0, withoutCR(data, 0, at))];
  return atEOF && data.length > 0 ? [data.length, data.subarray(0, withoutCR(data, 0, data.length))] : MORE;
};

/** Words, which Unicode's white space separates; never empty. */
export const scanWords: SplitFunc = (data, atEOF) => {
  const start = afterSpace(data);
  for (let i = start; i < data.length; ) {
    const decoded = decodeRune(data, i);
    if (isSpace(runeOf(decoded))) return [i + widthOf(decoded), data.subarray(start, i)];
    i += widthOf(decoded);
  }
  return atEOF && data.length > start ? [data.length, data.subarray(start)] : [start, null];
};

function afterSpace(data: Buffer): number {
  let i = 0;
  while (i < data.length) {
    const decoded = decodeRune(data, i);
    if (!isSpace(runeOf(decoded))) break;
    i += widthOf(decoded);
  }
  return i;
}

const ERROR_RUNE = [0xef, 0xbf, 0xbd];

/** Characters of UTF-8. A byte that belongs to none is given as U+FFFD. */
export const scanRunes: SplitFunc = (data, atEOF) => {
  if (data.length === 0) return MORE;
  const width = widthOf(decodeRune(data, 0));
  if (width > 1 || (data[0] as number) < 0x80) return [width, data.subarray(0, width)];
  return atEOF || isFullRune(data) ? [1, Buffer.from(ERROR_RUNE)] : MORE;
};

/** Single bytes. */
export const scanBytes: SplitFunc = (data) => (data.length === 0 ? MORE : [1, data.subarray(0, 1)]);
