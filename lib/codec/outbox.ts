// Frames that wait to be written, laid out for one system call: small ones one after the other in memory
// of ours, large bodies where they are.

import { CHUNK } from '../binding';
import { dropBuffer, giveBackBuffer, takeBuffer } from '../buffers';
import { partOf } from '../chunk';
import type { Framing } from './framing';

export type Body = Uint8Array | string;

/** Up to here a body is copied; a part of its own in the list costs as much. */
export const COPIED = 4096;

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
    if (length > COPIED) return void this.addApart(command, body, length, head);
    const buffer = this.room(head + length + framing.tail);
    framing.writeHead(buffer, this.to, length, command);
    this.to += head;
    if (typeof body === 'string') buffer.write(body, this.to);
    else buffer.set(body, this.to);
    this.to += length;
    this.addTail(buffer);
  }

  /** The same for bytes that are not copied, of a framing without a tail. Answers what remove() takes it out by. */
  addRemovable(command: number, bytes: Uint8Array): Uint8Array {
    const head = this.framing.head(bytes.length);
    this.size += head + bytes.length;
    return this.addApart(command, bytes, bytes.length, head);
  }

  remove(headPart: Uint8Array, length: number): void {
    const parts = this.parts.splice(this.parts.indexOf(headPart), length > 0 ? 2 : 1);
    for (const part of parts) this.size -= part.length;
  }

  private addApart(command: number, body: Body, length: number, head: number): Uint8Array {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const { framing } = this;
    this.room(head);
    this.endPart();
    const buffer = this.buffer as Buffer;
    framing.writeHead(buffer, this.to, length, command);
    framing.sealApart(buffer, this.to, bytes);
    const headPart = partOf(buffer, this.to, this.to + head);
    if (head > 0) this.parts.push(headPart);
    if (length > 0) this.parts.push(bytes);
    this.from = this.to += head;
    this.addTail(this.room(framing.tail));
    return headPart;
  }

  private addTail(buffer: Buffer): void {
    this.framing.writeTail(buffer, this.to);
    this.to += this.framing.tail;
  }

  /** The buffer, with room for so many bytes from `to` on. */
  private room(n: number): Buffer {
    if (this.buffer !== null && this.to + n <= CHUNK) return this.buffer;
    this.endPart();
    const buffer = takeBuffer();
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

  /** It was written. */
  done(): void {
    for (const buffer of this.used) giveBackBuffer(buffer);
  }

  /** It was not, and who knows what still reads it. */
  drop(): void {
    for (const _ of this.used) dropBuffer();
  }
}
