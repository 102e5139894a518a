// Scanner: tokens from a connection, one after the other (Go's bufio.Scanner).

import { checkObject, checkSignal } from '../check';
import { asError, invalidValue } from '../errors';
import { type ByteSource, EMPTY_AT_MOST, type Filler, fillerOf } from './source';
import { ErrNoProgress, type SplitFunc } from './split';
import { TokenBuffer, type TokenOptions } from './token-buffer';

export interface ScannerOptions<E extends Encoding = Encoding> extends TokenOptions {
  /** Ends a wait for bytes, and with it the scanning, with `signal.reason` as the error. */
  signal?: AbortSignal | undefined;
  /** Iteration gives text, read as UTF-8, in place of bytes. */
  encoding?: E;
}

type Encoding = 'utf8' | undefined;
/** What iteration gives. */
type Token<E extends Encoding> = E extends 'utf8' ? string : Buffer;

// So that whoever takes a batch has a chance to look up from it.
const BATCH = 4096;

const YES = Promise.resolve(true);
const NO = Promise.resolve(false);

/**
 * Reads tokens from a connection or any other source of bytes (Go's bufio.Scanner): lines, unless told
 * otherwise.
 *
 * It ends for good at the end of the input, at the first error of the source, and at a token that is
 * too long. What the source had given by then is scanned first, so that an error or a deadline in the
 * middle of a line comes after the piece of it that was there. The scanner may have read beyond the
 * last token that it gave.
 *
 * Tokens may be kept. They are pieces of memory that is shared among neighbours: one that is kept
 * holds 64 KiB, or the longest token's length, and `token.buffer` must not be transferred.
 */
export class Scanner<E extends Encoding = undefined> implements AsyncIterable<Token<E>> {
  private readonly tokens: TokenBuffer;
  private readonly fill: Filler;
  private readonly signal: AbortSignal | undefined;
  private readonly asText: boolean;
  private filling: Promise<void> | null = null;
  // Lines are cut into text many at a time, which is several times faster than one by one.
  private texts: string[] = [];
  private at = -1;

  constructor(source: ByteSource, options: ScannerOptions<E> = {}) {
    checkObject('options', options);
    const { signal, encoding } = options;
    if (signal !== undefined) checkSignal(signal);
    if (encoding !== undefined && encoding !== 'utf8') {
      throw invalidValue('options.encoding', "must be 'utf8' or undefined", encoding);
    }
    this.tokens = new TokenBuffer(options);
    this.fill = fillerOf(source);
    this.signal = signal;
    this.asText = encoding === 'utf8';
  }

  /** Sets the split function. @throws once scanning has begun */
  split(split: SplitFunc): this {
    this.tokens.split(split);
    return this;
  }

  /** Sets how many bytes a token may have. @throws once scanning has begun */
  buffer(max: number): this {
    this.tokens.buffer(max);
    return this;
  }

  /** Goes on to the next token: true when there is one; false at the end, and then err() says why. */
  scan(): Promise<boolean> {
    if (this.filling === null && this.next()) return YES;
    return this.over ? NO : this.scanMore();
  }

  private async scanMore(): Promise<boolean> {
    for (;;) {
      await this.more();
      if (this.next()) return true;
      if (this.over) return false;
    }
  }

  private next(): boolean {
    if (!this.asText || !this.tokens.ofLines) return this.tokens.next();
    if (++this.at < this.texts.length) return true;
    this.texts = this.tokens.texts(BATCH);
    this.at = this.texts.length > 0 ? 0 : -1;
    return this.at === 0;
  }

  private get over(): boolean {
    return this.tokens.over && this.at + 1 >= this.texts.length;
  }

  /** The token that scan() went to. */
  bytes(): Buffer {
    return this.at < 0 ? this.tokens.bytes() : Buffer.from(this.texts[this.at] as string);
  }

  /** The same as text, read as UTF-8. A line may keep the text around it, up to 64 KiB, in memory. */
  text(): string {
    return this.at < 0 ? this.tokens.text() : (this.texts[this.at] as string);
  }

  /** The error that ended the scanning; null when it was the end of the input. */
  err(): Error | null {
    return this.over ? this.tokens.err() : null;
  }

  /**
   * The tokens that are at hand, as an array each time: the fastest way through many small ones. An
   * error is thrown after the last of them.
   */
  batches(): AsyncIterableIterator<Token<E>[]> {
    const batches: AsyncIterableIterator<Token<E>[]> = {
      next: () => this.nextBatch(),
      [Symbol.asyncIterator]: () => batches,
    };
    return batches;
  }

  private async nextBatch(): Promise<IteratorResult<Token<E>[], undefined>> {
    for (;;) {
      const batch = this.batch();
      if (batch.length > 0) return { value: batch, done: false };
      if (this.over) return { value: this.throwIfFailed(), done: true };
      await this.more();
    }
  }

  private batch(): Token<E>[] {
    const batch: Token<E>[] = [];
    if (this.filling !== null) return batch;
    if (this.asText && this.tokens.ofLines) return this.restOfTexts() as Token<E>[];
    while (batch.length < BATCH && this.tokens.next()) batch.push(this.token());
    return batch;
  }

  private restOfTexts(): string[] {
    const rest = this.texts.slice(this.at + 1);
    this.texts = [];
    this.at = -1;
    return rest.length > 0 ? rest : this.tokens.texts(BATCH);
  }

  /** Token by token; an error is thrown after the last one. `break` closes nothing and loses nothing. */
  [Symbol.asyncIterator](): AsyncIterator<Token<E>, undefined> {
    // By hand: an async generator costs as much again as everything else that is done for a line.
    return { next: () => (this.filling === null && this.next() ? this.given() : this.nextMore()) };
  }

  private given(): Promise<IteratorResult<Token<E>, undefined>> {
    return Promise.resolve({ value: this.token(), done: false });
  }

  private async nextMore(): Promise<IteratorResult<Token<E>, undefined>> {
    while (!this.over) {
      await this.more();
      if (this.next()) return { value: this.token(), done: false };
    }
    return { value: this.throwIfFailed(), done: true };
  }

  private token(): Token<E> {
    return (this.asText ? this.text() : this.bytes()) as Token<E>;
  }

  private throwIfFailed(): undefined {
    const error = this.tokens.err();
    if (error !== null) throw error;
    return undefined;
  }

  /** More bytes, or the end. Calls that come meanwhile wait for the same ones, in their order. */
  private more(): Promise<void> {
    this.filling ??= this.fillOnce();
    return this.filling;
  }

  private async fillOnce(): Promise<void> {
    try {
      for (let i = 0; i < EMPTY_AT_MOST; i++) {
        const n = await this.fill(this.tokens, this.signal);
        if (n === null) return this.tokens.finish();
        if (n > 0) return;
      }
      this.tokens.finish(ErrNoProgress);
    } catch (error) {
      this.tokens.finish(asError(error));
    } finally {
      this.filling = null;
    }
  }
}
