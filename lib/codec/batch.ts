// Frames as they lie in memory, many at a time.

import { FRAME_AT, FRAME_COMMAND, FRAME_LENGTH, FRAME_WORDS, RECORD_FRAMES, RECORD_WORDS } from '../binding';
import { giveBackBuffer } from '../buffers';
import { keepIfLent, sliceOf } from '../chunk';
import { outOfRange } from '../errors';

const NOTHING = Buffer.allocUnsafeSlow(0);
const NO_RECORDS = new Int32Array(RECORD_WORDS);

/**
 * Frames that arrived together: one piece of memory, and where in it their bodies are. A body's view is
 * made when it is asked for.
 *
 * A batch, with all views of it, is lent to the handler for the time of its call, or until the promise
 * that it answers with settles. Then it is empty, and its memory is used again. Who wants it for longer
 * calls retain(), and release() once for each retain().
 */
export class FrameBatch implements Iterable<{ command: number; body: Buffer }> {
  /** How many frames there are; 0 once it was given back. */
  count = 0;
  /** The memory that bodies lie in, between bytes that mean nothing. */
  bytes: Buffer = NOTHING;
  private records: Int32Array = NO_RECORDS;
  private holders = 0;
  private lent: Buffer | null = null;
  private kept = false;
  private detaches = false;

  /** @internal For the time of one call. @param detaches the memory goes when the batch does */
  lend(bytes: Buffer, records: Int32Array, detaches: boolean): this {
    this.detaches = detaches;
    this.bytes = detaches ? copyOf(bytes) : bytes;
    this.records = records;
    this.count = records[RECORD_FRAMES] as number;
    this.holders = 1;
    return this;
  }

  /** The command of a frame; 0 where frames have none. */
  command(i: number): number {
    return this.word(i, FRAME_COMMAND);
  }

  /** Where its body begins in `bytes`. */
  offset(i: number): number {
    return this.word(i, FRAME_AT);
  }

  /** How many bytes its body has. */
  length(i: number): number {
    return this.word(i, FRAME_LENGTH);
  }

  /** A view of its body. */
  body(i: number): Buffer {
    return sliceOf(this.bytes, this.word(i, FRAME_AT), this.word(i, FRAME_LENGTH));
  }

  private word(i: number, which: number): number {
    if (!(i >= 0 && i < this.count)) throw outOfRange('i', `>= 0 and < ${this.count}`, i);
    return this.records[RECORD_WORDS + FRAME_WORDS * i + which] as number;
  }

  *[Symbol.iterator](): Generator<{ command: number; body: Buffer }, undefined> {
    for (let i = 0; i < this.count; i++) yield { command: this.command(i), body: this.body(i) };
  }

  /**
   * Keeps the batch, and views of it, beyond the handler's call. Memory of up to 64 KiB, or of the
   * largest frame, is out of use until release().
   * @throws with the code `ERR_INVALID_STATE` on a batch that was given back
   */
  retain(): this {
    if (this.holders === 0) throw givenBack();
    this.holders++;
    this.keep();
    this.lent ??= keepIfLent(this.bytes);
    return this;
  }

  /**
   * Gives up what retain() kept.
   * @throws with the code `ERR_INVALID_STATE` on a batch that was given back
   */
  release(): void {
    if (this.holders === 0) throw givenBack();
    this.holders--;
    if (this.holders === 0) this.empty();
  }

  /** @internal Its records are needed for longer than those of others may wait. */
  keep(): void {
    if (!this.kept) this.records = this.records.slice(0, RECORD_WORDS + FRAME_WORDS * this.count);
    this.kept = true;
  }

  /** @internal Whether somebody holds it besides the one that calls. */
  get isShared(): boolean {
    return this.holders > 1;
  }

  private empty(): void {
    if (this.detaches && this.bytes.length > 0)
      structuredClone(this.bytes.buffer, { transfer: [this.bytes.buffer as ArrayBuffer] });
    if (this.lent !== null) giveBackBuffer(this.lent);
    this.count = 0;
    this.bytes = NOTHING;
    this.records = NO_RECORDS;
    this.lent = null;
    this.kept = false;
  }
}

function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.from(new ArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

function givenBack(): Error {
  return Object.assign(new Error('The batch was given back already'), { code: 'ERR_INVALID_STATE' });
}
