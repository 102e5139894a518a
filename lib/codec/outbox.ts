// Frames that wait to be written, laid out for one system call: small ones one after the other in memory
// of ours, large bodies where they are.

import { partOf } from '../chunk';
import type { Framing } from './framing';

export type Body = Uint8Array | string;

const SIZE = 64 * 1024;
/** Up to here a body is copied; a part of its own in the list costs as much. */
export const COPIED = 4096;
const IDLE_AT_MOST = 16;

// For all connections: one that has nothing to write has none.
const idle: Buffer[] = [];

export const lengthOf = (body: Body): number => (typeof body === 'string' ? Buffer.byteLength(body) : body.length);

export class Outbox {
  /** Bytes that wait. */
  size = 0;
  private parts: Uint8Array[] = [];
  private used: Buffer[] = [];
  private buffer: Buffer | null = null;
  // Of the buffer, what is not among the parts yet.
  private from = 0;
  private to = 0;

  constructor(private readonly framing: Framing) {}

  /** @param length the body's, in bytes */
  add(command: number, body: Body, length: number): void {
    const { framing } = this;
    const head = framing.head(length);
    this.size += head + length + framing.tail;
    if (length > COPIED) return this.addApart(command, body, length, head);
    const buffer = this.room(head + length + framing.tail);
    framing.writeHead(buffer, this.to, length, command);
    this.to += head;
    if (typeof body === 'string') buffer.write(body, this.to);
    else buffer.set(body, this.to);
    this.to += length;
    this.addTail(buffer);
  }

  private addApart(command: number, body: Body, length: number, head: number): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const { framing } = this;
    this.room(head);
    this.endPart();
    const buffer = this.buffer as Buffer;
    framing.writeHead(buffer, this.to, length, command);
    framing.sealApart(buffer, this.to, bytes);
    if (head > 0) this.parts.push(partOf(buffer, this.to, this.to + head));
    this.parts.push(bytes);
    this.from = this.to += head;
    this.addTail(this.room(framing.tail));
  }

  private addTail(buffer: Buffer): void {
    this.framing.writeTail(buffer, this.to);
    this.to += this.framing.tail;
  }

  /** The buffer, with room for so many bytes from `to` on. */
  private room(n: number): Buffer {
    if (this.buffer !== null && this.to + n <= SIZE) return this.buffer;
    this.endPart();
    const buffer = idle.pop() ?? Buffer.allocUnsafeSlow(SIZE);
    this.used.push(buffer);
    this.buffer = buffer;
    this.from = this.to = 0;
    return buffer;
  }

  private endPart(): void {
    if (this.buffer === null || this.from === this.to) return;
    this.framing.seal(this.buffer, this.from, this.to);
    this.parts.push(partOf(this.buffer, this.from, this.to));
    this.from = this.to;
  }

  /** All that waits, in order; the outbox is empty then. */
  take(): Sendable {
    this.endPart();
    const taken = new Sendable(this.parts, this.size, this.used);
    this.parts = [];
    this.used = [];
    this.buffer = null;
    this.size = 0;
    return taken;
  }
}

export class Sendable {
  constructor(
    readonly parts: Uint8Array[],
    readonly size: number,
    private readonly used: Buffer[],
  ) {}

  /** Once it was written; not where that failed, and who knows what still reads it. */
  done(): void {
    for (const buffer of this.used) if (idle.length < IDLE_AT_MOST) idle.push(buffer);
  }
}
