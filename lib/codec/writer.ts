// Writer: many small writes become few large ones (Go's bufio.Writer).

import {
  checkFunction,
  checkInteger,
  checkObject,
  checkString,
  detachedWhileWaiting,
  isDetached,
  toBytes,
} from '../check';
import { asError, invalidReturn, type OpError } from '../errors';
import { checked, rejected } from '../pending';
import { ErrShortWrite } from './split';

/** What can be written to: a Conn, or whatever writes as Go's io.Writer does, and answers with how many bytes it took. */
export interface ByteWriter {
  write(p: Uint8Array): number | Promise<number>;
}

export interface WriterOptions {
  /** Bytes that are collected before they are written, 16 to 1 GiB. Default 4096. */
  size?: number | undefined;
}

const DEFAULT_SIZE = 4096;
const SMALLEST = 16;
const LARGEST = 2 ** 30;
const NOTHING = Buffer.allocUnsafeSlow(0);
const DONE = Promise.resolve();

/**
 * Collects what is written, and writes it when there is `size` of it, or at flush() (Go's bufio.Writer).
 *
 * Calls are served in the order in which they were made, and need not be awaited one by one: after the
 * first error nothing more is taken, and every later call rejects with it, flush() above all. To await
 * write() is back-pressure. A write without a flush() after it may never reach the destination.
 */
export class Writer {
  /** How many bytes are collected. */
  readonly size: number;
  private readonly destination: ByteWriter;
  private buf: Buffer = NOTHING;
  private used = 0;
  private error: Error | null = null;
  /** Calls that wait for the destination, and the last of them. */
  private busy = 0;
  private last: Promise<unknown> = DONE;

  /** @throws with the codes `ERR_INVALID_ARG_TYPE` and `ERR_OUT_OF_RANGE` for a wrong destination and wrong options */
  constructor(destination: ByteWriter, options: WriterOptions = {}) {
    checkObject('destination', destination);
    checkFunction('destination.write', (destination as Partial<ByteWriter>).write);
    checkObject('options', options);
    const { size = DEFAULT_SIZE } = options;
    checkInteger('options.size', size, SMALLEST, LARGEST);
    this.size = size;
    this.destination = destination;
  }

  /** Bytes that were written here and not yet to the destination. */
  get buffered(): number {
    return this.used;
  }

  /** How many bytes may still be collected. */
  get available(): number {
    return this.size - this.used;
  }

  /**
   * Takes all of p, a string as UTF-8, and resolves to how many bytes those are: at once where they can be
   * collected. Otherwise p must not change until then.
   */
  write(p: Uint8Array | string): Promise<number> {
    let bytes = NOTHING as Uint8Array;
    return checked(
      () => {
        bytes = toBytes(p);
      },
      () => this.put(bytes),
    );
  }

  /** write() for text alone. */
  writeString(text: string): Promise<number> {
    return checked(
      () => checkString('text', text),
      () => this.put(Buffer.from(text)),
    );
  }

  /** Takes a single byte, 0 to 255, and resolves to 1. */
  writeByte(byte: number): Promise<number> {
    return checked(
      () => checkInteger('byte', byte, 0, 255),
      () => this.put(Buffer.of(byte)),
    );
  }

  /** Writes what was collected. Fulfils when the destination has all that was written here so far. */
  flush(): Promise<void> {
    if (this.busy === 0 && this.used === 0 && this.error === null) return DONE;
    const flushed = this.inTurn(() => this.writeOut());
    flushed.catch(() => {});
    return flushed;
  }

  private put(bytes: Uint8Array): Promise<number> {
    if (this.error !== null) return rejected(this.error);
    if (this.busy > 0 || bytes.length > this.available) return this.inTurn(() => this.spill(bytes));
    this.collect(bytes);
    return Promise.resolve(bytes.length);
  }

  /** Runs it after those before it, where none of them has failed. */
  private async inTurn<T>(run: () => Promise<T>): Promise<T> {
    this.busy++;
    const turn = this.last.then(() => {
      if (this.error !== null) throw this.error;
      return run();
    });
    this.last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.busy--;
    }
  }

  private collect(bytes: Uint8Array): void {
    if (this.buf.length === 0) this.buf = Buffer.allocUnsafeSlow(this.size);
    this.buf.set(bytes, this.used);
    this.used += bytes.length;
  }

  /** More than there is room for: as in Go the buffer is filled up and written, and what is as large is not copied. */
  private async spill(bytes: Uint8Array): Promise<number> {
    if (isDetached(bytes)) throw detachedWhileWaiting('write');
    let rest = bytes;
    while (rest.length > this.available) {
      const n = this.used === 0 ? rest.length : this.available;
      if (this.used === 0) await this.pass(rest);
      else this.collect(rest.subarray(0, n));
      await this.writeOut();
      rest = rest.subarray(n);
    }
    this.collect(rest);
    return bytes.length;
  }

  private async writeOut(): Promise<void> {
    const taken = this.used > 0 && this.error === null ? await this.pass(this.buf.subarray(0, this.used)) : 0;
    this.buf.copyWithin(0, taken, this.used);
    this.used -= taken;
    if (this.error !== null) throw this.error;
  }

  /** How many bytes the destination took; where those are not all, the error says why. */
  private async pass(bytes: Uint8Array): Promise<number> {
    try {
      const n: unknown = await this.destination.write(bytes);
      if (typeof n !== 'number') throw invalidReturn('write() of the destination', 'a number', n);
      if (n !== bytes.length) this.error = ErrShortWrite;
      return Math.min(Math.max(n, 0), bytes.length);
    } catch (thrown) {
      this.error = asError(thrown);
      return (thrown as Partial<OpError> | null)?.bytesWritten ?? 0;
    }
  }
}
