// Bytes that were read ahead of what was asked for.

import { bytesToCopy } from '../check';
import { partOf } from '../chunk';
import type { ByteSink } from './source';

const NOTHING = Buffer.allocUnsafeSlow(0);
// Memory that a long line has needed is not kept for the short ones after it.
const LARGEST_IDLE = 64 * 1024;

/**
 *   buf  |  taken  |  start … end: at hand  |  room  |
 */
export class ReadBuffer implements ByteSink {
  private buf: Buffer = NOTHING;
  private start = 0;
  private end = 0;
  /** Whether what lies before `start` was taken by the last call. */
  mayUnread = false;

  /** @param size how much is read at a time, where no more is needed */
  constructor(readonly size: number) {}

  /** How many bytes are at hand. */
  get length(): number {
    return this.end - this.start;
  }

  room(): Buffer {
    this.makeRoom(1);
    return this.buf.subarray(this.end);
  }

  filled(n: number): void {
    this.end += n;
  }

  feed(chunk: Uint8Array | string): void {
    const bytes = bytesToCopy('chunk', chunk);
    this.makeRoom(bytes.length);
    this.buf.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** For at least n bytes. It grows with what came, never with what somebody says will come. */
  private makeRoom(n: number): void {
    const { buf, length } = this;
    const isIdle = length === 0 && buf.length > LARGEST_IDLE && this.size < buf.length;
    const fits = buf.length >= length + n && !isIdle;
    const to = fits ? buf : Buffer.allocUnsafeSlow(Math.max(this.size, 2 * length, length + n));
    if (this.start > 0 || !fits) to.set(buf.subarray(this.start, this.end));
    if (this.start > 0) this.mayUnread = false;
    this.buf = to;
    this.start = 0;
    this.end = length;
  }

  /** Where among the bytes at hand, from an offset on, the sequence begins; -1 where it is not. */
  indexOf(sequence: Uint8Array, from: number): number {
    const at = this.buf.subarray(0, this.end).indexOf(sequence, this.start + from);
    return at < 0 ? -1 : at - this.start;
  }

  /** The byte at an offset, which must be at hand. */
  at(offset: number): number {
    return this.buf[this.start + offset] as number;
  }

  /** The first n bytes, in memory of their own. */
  peek(n: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(n);
    this.buf.copy(bytes, 0, this.start, this.start + n);
    return bytes;
  }

  /** The same, and they are gone. */
  take(n: number): Buffer {
    const bytes = this.peek(n);
    this.advance(n);
    return bytes;
  }

  /** Fills p, or its beginning, and they are gone: how many those were. */
  takeInto(p: Uint8Array): number {
    const n = Math.min(p.length, this.length);
    p.set(partOf(this.buf, this.start, this.start + n));
    this.advance(n);
    return n;
  }

  takeByte(): number {
    const byte = this.at(0);
    this.advance(1);
    return byte;
  }

  /** The first n bytes as text, read as UTF-8; then all of `gone` are gone. */
  takeText(n: number, gone: number): string {
    const text = this.buf.toString('utf8', this.start, this.start + n);
    this.advance(gone);
    return text;
  }

  skip(n: number): void {
    this.start += n;
  }

  private advance(n: number): void {
    this.start += n;
    this.mayUnread = n > 0;
  }

  /** Has the last byte that was taken be at hand again; false where the last call took none. */
  unread(): boolean {
    if (!this.mayUnread) return false;
    this.mayUnread = false;
    this.start--;
    return true;
  }
}
