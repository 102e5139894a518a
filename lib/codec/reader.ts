// Reader: bytes, lines and pieces of known length from a connection (Go's bufio.Reader).

import { types } from 'node:util';
import { checkBytes, checkInteger, checkObject, detachedWhileWaiting, isDetached, signalOf } from '../check';
import type { CallOptions } from '../conn';
import { asError, ErrUnexpectedEOF } from '../errors';
import { untilClosed } from '../iterating';
import { advanced, joined, Pending, without } from '../pending';
import { delimitingBytes } from './delimited';
import { ReadBuffer } from './read-buffer';
import { type ByteSource, EMPTY_AT_MOST, type Filler, fillerOf } from './source';
import { ErrBufferFull, ErrNoProgress } from './split';

export interface ReaderOptions {
  /** Bytes that are read at a time, where no more are needed; 16 to 1 GiB. Default 4096. */
  size?: number | undefined;
  /** Bytes that one call may have gathered, the delimiter included; 1 to 1 GiB. Default 1 MiB. */
  max?: number | undefined;
}

/** What ends a piece: text, bytes (1 to 256 of them), or a single byte as a number. */
export type Delimiter = string | Uint8Array | number;

const DEFAULT_SIZE = 4096;
const SMALLEST = 16;
const DEFAULT_MAX = 1024 * 1024;
const LARGEST = 2 ** 30;
const LF = 0x0a;
const CR = 0x0d;

const MORE = Symbol('more');
/** What a call comes to with the bytes at hand; MORE where it takes others, which it never does at the end. */
type Attempt<T> = (atEnd: boolean) => T | typeof MORE;

class Taking extends Pending<unknown> {
  constructor(
    readonly attempt: Attempt<unknown>,
    readonly isLimited: boolean,
  ) {
    super();
  }
}

function byteOf(delimiter: number): Buffer {
  checkInteger('delimiter', delimiter, 0, 255);
  return Buffer.of(delimiter);
}

/**
 * Reads ahead, and gives what it has in the pieces that are asked for (Go's bufio.Reader).
 *
 * Several calls may wait, and are served in the order in which they were made. At the end of the source
 * calls resolve to what is left, and then to null. An error of the source, a deadline among them, rejects
 * the call that waits, and takes nothing: bytes that had come are given to the next call, which asks the
 * source again if it takes more. The same holds for a call that its signal ends.
 */
export class Reader implements AsyncIterable<Buffer> {
  /** How many bytes are read at a time, where no more are needed. */
  readonly size: number;
  private readonly max: number;
  private readonly bytes: ReadBuffer;
  private readonly fill: Filler;
  private waiting: Taking | null = null;
  private filling = false;
  private canceller: AbortController | null = null;

  /** @throws with the codes `ERR_INVALID_ARG_TYPE` and `ERR_OUT_OF_RANGE` for a wrong source and wrong options */
  constructor(source: ByteSource, options: ReaderOptions = {}) {
    checkObject('options', options);
    const { size = DEFAULT_SIZE, max = DEFAULT_MAX } = options;
    checkInteger('options.size', size, SMALLEST, LARGEST);
    checkInteger('options.max', max, 1, LARGEST);
    this.size = size;
    this.max = max;
    this.bytes = new ReadBuffer(size);
    this.fill = fillerOf(source);
  }

  /** How many bytes were read and not asked for yet. */
  get buffered(): number {
    return this.bytes.length;
  }

  /** The next bytes there are, at least one, in memory of their own; null at the end. */
  read(options?: CallOptions): Promise<Buffer | null>;
  /** The same, at most n of them, 1 to `max`. */
  read(n: number, options?: CallOptions): Promise<Buffer | null>;
  /** Fills p, or its beginning: resolves to how many bytes those are; null at the end. An empty p resolves to 0. */
  read(p: Uint8Array, options?: CallOptions): Promise<number | null>;
  read(what?: Uint8Array | number | CallOptions, options?: CallOptions): Promise<Buffer | number | null> {
    if (ArrayBuffer.isView(what) || types.isAnyArrayBuffer(what)) return this.readInto(what as Uint8Array, options);
    if (typeof what === 'number') return this.readSome(what, options);
    return this.readSome(this.max, what);
  }

  private readInto(p: Uint8Array, options?: CallOptions): Promise<number | null> {
    return this.call(options, () => {
      checkBytes('p', p);
      if (p.length === 0) return () => 0;
      return (atEnd) => {
        if (isDetached(p)) throw detachedWhileWaiting('read');
        return this.some(atEnd, () => this.bytes.takeInto(p));
      };
    });
  }

  private readSome(most: number, options?: CallOptions): Promise<Buffer | null> {
    return this.call(options, () => {
      checkInteger('n', most, 1, this.max);
      return (atEnd) => this.some(atEnd, () => this.bytes.take(Math.min(most, this.buffered)));
    });
  }

  /** What there is, if there is any; null at the end. */
  private some<T>(atEnd: boolean, give: () => T): T | null | typeof MORE {
    if (this.buffered > 0) return give();
    return atEnd ? null : MORE;
  }

  /**
   * Exactly n bytes (Go's io.ReadFull), 0 to `max`; null where the source ends before the first of them.
   * @throws ErrUnexpectedEOF where it ends later; what there is can still be read
   */
  readFull(n: number, options?: CallOptions): Promise<Buffer | null> {
    return this.call(options, () => {
      checkInteger('n', n, 0, this.max);
      return (atEnd) => {
        if (this.buffered >= n) return this.bytes.take(n);
        if (atEnd && this.buffered > 0) throw ErrUnexpectedEOF;
        return atEnd ? null : MORE;
      };
    });
  }

  /** The next byte, 0 to 255; null at the end. */
  readByte(options?: CallOptions): Promise<number | null> {
    return this.call(options, () => (atEnd) => this.some(atEnd, () => this.bytes.takeByte()));
  }

  /**
   * Puts the last byte that was read back in front of the others.
   * @throws with the code `ERR_INVALID_STATE` unless the last call read something; peek() and discard() do not
   */
  unreadByte(): void {
    if (this.waiting === null && this.bytes.unread()) return;
    throw Object.assign(new Error('unreadByte() takes a call that has read before it'), { code: 'ERR_INVALID_STATE' });
  }

  /**
   * Everything up to the next delimiter, which is included. What the source ends with comes without one.
   * @throws ErrBufferFull where there is none in the next `max` bytes; they can still be read
   */
  readBytes(delimiter: Delimiter, options?: CallOptions): Promise<Buffer | null> {
    return this.readTo(delimiter, options, (n) => this.bytes.take(n));
  }

  /** The same as text, read as UTF-8: bytes that are none become U+FFFD. */
  readString(delimiter: Delimiter, options?: CallOptions): Promise<string | null> {
    return this.readTo(delimiter, options, (n) => this.bytes.takeText(n, n));
  }

  /** The next line as text, without its end, which is `\n` or `\r\n`. What the source ends with is a line, too. */
  readLine(options?: CallOptions): Promise<string | null> {
    return this.readTo(LF, options, (n, isWhole) => this.bytes.takeText(isWhole ? this.lineLength(n) : n, n));
  }

  private lineLength(n: number): number {
    return n > 1 && this.bytes.at(n - 2) === CR ? n - 2 : n - 1;
  }

  private readTo<T>(
    delimiter: Delimiter,
    options: CallOptions | undefined,
    give: (n: number, isWhole: boolean) => T,
  ): Promise<T | null> {
    return this.call(options, () => {
      const sequence = typeof delimiter === 'number' ? byteOf(delimiter) : delimitingBytes('delimiter', delimiter);
      let searched = 0;
      return (atEnd) => {
        const at = this.bytes.indexOf(sequence, searched);
        if (at >= 0 ? at + sequence.length > this.max : this.buffered >= this.max) throw ErrBufferFull;
        if (at >= 0) return give(at + sequence.length, true);
        searched = Math.max(this.buffered - sequence.length + 1, 0);
        return atEnd ? this.some(true, () => give(this.buffered, false)) : MORE;
      };
    });
  }

  /** The next n bytes, 1 to `max`, which stay; fewer at the end of the source, and null where none are left. */
  peek(n: number, options?: CallOptions): Promise<Buffer | null> {
    return this.call(options, () => {
      checkInteger('n', n, 1, this.max);
      return (atEnd) => {
        this.bytes.mayUnread = false;
        if (this.buffered >= n) return this.bytes.peek(n);
        return atEnd ? this.some(true, () => this.bytes.peek(this.buffered)) : MORE;
      };
    });
  }

  /**
   * Skips n bytes, and resolves to how many it did: fewer where the source ends. What it has skipped by the time of
   * an error is gone.
   */
  discard(n: number, options?: CallOptions): Promise<number> {
    return this.call(options, () => {
      checkInteger('n', n, 0, Number.MAX_SAFE_INTEGER);
      let skipped = 0;
      return (atEnd) => {
        const some = Math.min(n - skipped, this.buffered);
        this.bytes.skip(some);
        this.bytes.mayUnread &&= n === 0;
        skipped += some;
        return skipped === n || atEnd ? skipped : MORE;
      };
    });
  }

  /** read() until the end; closing the connection ends it without an error. `break` closes nothing and loses nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    return untilClosed(
      () => this.read(),
      () => true,
    );
  }

  /** @param prepare throws where an argument is wrong */
  private call<T>(options: CallOptions | undefined, prepare: () => Attempt<T>): Promise<T> {
    try {
      const attempt = prepare();
      const signal = signalOf(options);
      signal?.throwIfAborted();
      return this.start(attempt, signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  private start<T>(attempt: Attempt<T>, signal: AbortSignal | undefined): Promise<T> {
    const call = new Taking(attempt, signal !== undefined);
    if (this.waiting === null && this.settle(call, false)) return call.promise as Promise<T>;
    this.waiting = joined(this.waiting, call);
    if (signal !== undefined) call.abortOn(signal, () => this.leave(call));
    if (!this.filling) void this.serve();
    return call.promise as Promise<T>;
  }

  /** Whether the bytes at hand are what the call needs; it is settled then. */
  private settle(call: Taking, atEnd: boolean): boolean {
    try {
      const value = call.attempt(atEnd);
      if (value === MORE) return false;
      call.resolve(value);
    } catch (error) {
      call.fail(error);
    }
    return true;
  }

  private leave(call: Taking): void {
    this.waiting = without(this.waiting, call);
    if (this.waiting === null) this.canceller?.abort();
  }

  private async serve(): Promise<void> {
    this.filling = true;
    for (let empty = 0; this.waiting !== null; ) {
      const n = await this.fillOnce(this.waiting);
      empty = n === 0 ? empty + 1 : 0;
      if (empty === EMPTY_AT_MOST) {
        this.failFirst(ErrNoProgress);
        empty = 0;
      }
      this.advance(n === null);
    }
    this.filling = false;
  }

  /** How many bytes came; null at the end, undefined where that failed. */
  private async fillOnce(first: Taking): Promise<number | null | undefined> {
    // A read for somebody who may give up can be given up as well: it would take what nobody asked for.
    const canceller = first.isLimited ? new AbortController() : null;
    this.canceller = canceller;
    try {
      return await this.fill(this.bytes, canceller?.signal);
    } catch (error) {
      if (canceller?.signal.aborted !== true || error !== canceller.signal.reason) this.failFirst(asError(error));
      return undefined;
    }
  }

  private failFirst(error: Error): void {
    if (this.waiting === null) return;
    const first = this.waiting;
    this.waiting = advanced(first);
    first.fail(error);
  }

  /** Settles those calls in line that the bytes at hand will do for. The end is told to the first alone: others ask again. */
  private advance(atEnd: boolean): void {
    for (let end = atEnd; this.waiting !== null && this.settle(this.waiting, end); end = false) {
      this.waiting = advanced(this.waiting);
    }
  }
}
