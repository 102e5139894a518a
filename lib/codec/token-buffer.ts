// Bytes in, tokens out: the part of bufio.Scanner that does no I/O.

import { isAscii } from 'node:buffer';
import { bytesToCopy, checkFunction, checkInteger } from '../check';
import { partOf } from '../chunk';
import { asError, invalidReturn } from '../errors';
import {
  ErrAdvanceTooFar,
  ErrFinalToken,
  ErrNegativeAdvance,
  ErrTooLong,
  type SplitFunc,
  scanLines,
  tooManyEmptyTokens,
  withoutCR,
} from './split';

/** The longest token there may be, with all that the split function looks at, unless told otherwise. */
export const MAX_SCAN_TOKEN_SIZE = 64 * 1024;

export interface TokenOptions {
  /** Where tokens end. Default: scanLines. */
  split?: SplitFunc | undefined;
  /** Bytes of the longest token, its end included. Default 65536. */
  max?: number | undefined;
}

const LF = 0x0a;
const SMALLEST = 4096;
const LARGEST = 64 * 1024;
const LONGEST_TOKEN = 2 ** 31 - 1;
const EMPTY_AT_MOST = 100;
const NOTHING = Buffer.allocUnsafeSlow(0);

// What one look for a token comes to.
const TOKEN = 0;
const AGAIN = 1;
const NONE = 2;

/**
 * Cuts what it is fed into tokens. Memory that tokens lie in is never written to again, so that they
 * may be kept; they share it with their neighbours.
 *
 *   buf  |  advanced over  |  start … end: not yet  |  room  |
 */
export class TokenBuffer implements Iterable<Buffer> {
  private splitFunc: SplitFunc = scanLines;
  private max = MAX_SCAN_TOKEN_SIZE;
  private buf: Buffer = NOTHING;
  private data: Buffer = NOTHING; // buf up to `end`
  private start = 0;
  private end = 0;
  /** Up to here there is no line's end. */
  private searched = 0;
  private size = SMALLEST;
  private begun = false;
  private ended = false;
  private done = false;
  private error: Error | null = null;
  private empties = 0;
  // The token: as it was given, or as the line between two offsets.
  private given: Uint8Array | null = null;
  private from = 0;
  private to = 0;
  // All that was not advanced over as a string, made when text is first asked for.
  private string: string | null = null;
  private stringFrom = 0;
  /** A part of buf was given to somebody, who may keep it. */
  private shown = false;

  constructor({ split, max }: TokenOptions = {}) {
    if (split !== undefined) this.split(split);
    if (max !== undefined) this.buffer(max);
  }

  /** Sets the split function. @throws once scanning has begun, as Go panics */
  split(split: SplitFunc): this {
    checkFunction('split', split);
    this.mustNotHaveBegun('split()');
    this.splitFunc = split;
    return this;
  }

  /** Sets how many bytes a token may have. @throws once scanning has begun, as Go panics */
  buffer(max: number): this {
    checkInteger('max', max, 1, LONGEST_TOKEN);
    this.mustNotHaveBegun('buffer()');
    this.max = max;
    return this;
  }

  private mustNotHaveBegun(what: string): void {
    if (!this.begun) return;
    throw Object.assign(new Error(`${what} was called after scanning had begun`), { code: 'ERR_INVALID_STATE' });
  }

  /** Adds bytes, which are copied, or text as UTF-8. After the end it does nothing. */
  feed(chunk: Uint8Array | string): void {
    const bytes = bytesToCopy('chunk', chunk);
    if (this.done || this.ended) return;
    this.room(bytes.length).set(bytes);
    this.filled(bytes.length);
  }

  /** No more will come: what is left becomes the last tokens. An error is reported after them. */
  finish(error: Error | null = null): void {
    if (this.ended) return;
    this.ended = true;
    this.error ??= error;
  }

  /** There is no token any more, nor will there be. */
  get over(): boolean {
    return this.done;
  }

  /** What ended the scanning; null for the end of the input. */
  err(): Error | null {
    return this.error;
  }

  /** @internal The split function is scanLines. */
  get ofLines(): boolean {
    return this.splitFunc === scanLines;
  }

  /** Goes on to the next token. False: it takes more bytes to tell, or it is over. */
  next(): boolean {
    this.begun = true;
    while (!this.done && (this.start < this.end || this.ended)) {
      const found = this.splitFunc === scanLines ? this.findLine() : this.find();
      if (found !== AGAIN) return found === TOKEN;
    }
    return false;
  }

  /** The token that next() went to. */
  bytes(): Buffer {
    const { given } = this;
    this.shown = true;
    if (given === null) return partOf(this.buf, this.from, this.to);
    return Buffer.isBuffer(given) ? given : Buffer.from(given.buffer, given.byteOffset, given.length);
  }

  /** The same as text, read as UTF-8. */
  text(): string {
    return this.given === null ? this.lineText() : this.bytes().toString();
  }

  /** The tokens there are now; those that take more bytes come in a later iteration. */
  *[Symbol.iterator](): Generator<Buffer, undefined> {
    while (this.next()) yield this.bytes();
  }

  /** @internal The texts of the tokens there are: at least `most` of them, if there are so many. */
  texts(most: number): string[] {
    const texts: string[] = [];
    while (texts.length < most && this.next()) {
      const text = this.text();
      const lines = this.string ? this.wholeLines(this.string) : null;
      if (lines !== null) return texts.length === 0 ? lines : texts.concat(lines);
      texts.push(text);
    }
    return texts;
  }

  // From the line that next() went to, where each byte is a character of the string. Nothing finds and
  // cuts lines faster than split() does.
  private wholeLines(string: string): string[] | null {
    const at = this.from - this.stringFrom;
    if (string.length - at > Math.min(this.max, LARGEST) || string.includes('\r', at)) return null;
    const lines = string.slice(at).split('\n');
    const rest = lines.pop() as string;
    // The last line of all: next() has taken it.
    if (lines.length === 0) return null;
    this.start = this.end - rest.length;
    return lines;
  }

  /** @internal Memory to read at least n bytes into; a good part of what a read may take if not told. */
  room(n = this.size >> (this.shown ? 2 : 1)): Buffer {
    if (this.buf.length - this.end < n) this.moveOn(n);
    return this.buf.subarray(this.end);
  }

  /** @internal How many bytes of it were filled. */
  filled(n: number): void {
    // A source that fills what it is given is thought to have more.
    if (this.end + n === this.buf.length) this.size = Math.min(this.size * 2, LARGEST);
    this.end += n;
    this.data = this.buf.subarray(0, this.end);
    this.string = null;
  }

  /** What is not advanced over goes to the start: of the same memory where nobody has seen it. */
  private moveOn(n: number): void {
    const left = this.end - this.start;
    const size = Math.max(this.size, left + Math.max(left, n));
    // All zeros: what a token's memory has behind it must not be what others have freed.
    const buf = this.shown || this.buf.length < size ? Buffer.alloc(size) : this.buf;
    // The line's offsets are of the old place.
    this.given ??= Buffer.from(this.data.subarray(this.from, this.to));
    buf.set(this.data.subarray(this.start));
    this.shown &&= buf === this.buf;
    this.buf = buf;
    this.searched = Math.max(this.searched - this.start, 0);
    this.start = 0;
    this.end = 0;
    this.filled(left);
  }

  /** Where the split function's view ends: no token may be longer than it. */
  private get limit(): number {
    return Math.min(this.end, this.start + this.max);
  }

  /** scanLines, without a call and a view for each line. */
  private findLine(): number {
    const { data, start, limit } = this;
    const at = data.indexOf(LF, Math.max(start, this.searched));
    if (at >= 0 && at < limit) return this.line(start, withoutCR(data, start, at), at + 1);
    if (this.ended && limit === this.end) {
      if (start === limit) return this.stop(null);
      return this.line(start, withoutCR(data, start, limit), limit);
    }
    if (limit - start >= this.max) return this.stop(ErrTooLong);
    this.searched = limit;
    return NONE;
  }

  private line(from: number, to: number, next: number): number {
    this.given = null;
    this.from = from;
    this.to = to;
    this.start = next;
    return TOKEN;
  }

  private find(): number {
    const { start, limit } = this;
    const atEOF = this.ended && limit === this.end;
    this.shown = true;
    const [advance, token, error = null] = this.callSplit(this.data.subarray(start, limit), atEOF);
    if (error !== null) return this.stopWith(error, token);
    if (!Number.isInteger(advance)) return this.stop(invalidReturn('a split function', 'an integer first', advance));
    if (advance < 0) return this.stop(ErrNegativeAdvance);
    if (advance > limit - start) return this.stop(ErrAdvanceTooFar);
    if (token !== null && !(token instanceof Uint8Array)) {
      return this.stop(invalidReturn('a split function', 'a Uint8Array or null second', token));
    }
    this.start += advance;
    if (token !== null) return this.found(token, advance);
    if (atEOF) return this.stop(null);
    // Of a view that is full, only advancing makes room.
    if (limit - start >= this.max) return advance > 0 ? AGAIN : this.stop(ErrTooLong);
    return NONE;
  }

  private callSplit(data: Buffer, atEOF: boolean): readonly [number, Uint8Array | null, (Error | null)?] {
    try {
      const answer: unknown = this.splitFunc(data, atEOF);
      if (Array.isArray(answer)) return answer as unknown as readonly [number, Uint8Array | null];
      throw invalidReturn('a split function', 'an array', answer);
    } catch (error) {
      return [0, null, asError(error)];
    }
  }

  private found(token: Uint8Array, advance: number): number {
    this.given = token;
    if (advance > 0 || !this.ended) this.empties = 0;
    else if (++this.empties > EMPTY_AT_MOST) return this.stop(tooManyEmptyTokens());
    return TOKEN;
  }

  private stopWith(error: Error, token: Uint8Array | null): number {
    if (error !== ErrFinalToken) return this.stop(error);
    this.given = token;
    this.stop(null);
    return token === null ? NONE : TOKEN;
  }

  // The first error is the one that counts: of a read that failed, not of what came after it.
  private stop(error: Error | null): number {
    this.error ??= error;
    this.done = true;
    this.start = this.end;
    return NONE;
  }

  /** One string for all lines at hand, cut like they are: that is several times faster than one each. */
  private lineText(): string {
    const { from, to } = this;
    if (this.string === null) {
      const rest = this.data.subarray(from);
      this.string = isAscii(rest) ? rest.toString('latin1') : '';
      this.stringFrom = from;
    }
    if (this.string === '') return this.data.toString('utf8', from, to);
    return this.string.slice(from - this.stringFrom, to - this.stringFrom);
  }
}
