// Bodies of a batch in memory that outlives it, for those who receive them.

import { markAsUntransferable } from 'node:worker_threads';
import { sliceOf } from '../chunk';
import type { FrameBatch } from './batch';

// Making memory costs many times what copying a small body does, so that such ones share a piece: one that is
// kept holds no more than this, which is what Node's own pool comes to.
const PIECE = 8192;
// From here on a body has memory of its own.
const LARGE = 1024;
// V8 keeps so small an array inside the object; asking for its memory would move it out.
const INSIDE = 64;

/** Gives the bodies of a batch, the first one first. */
export class OwnBodies {
  // A copy of what lies between two places in the batch.
  private piece: Buffer | null = null;
  private from = 0;
  private to = -1;

  constructor(private readonly batch: FrameBatch) {}

  body(i: number): Buffer {
    const length = this.batch.length(i);
    const at = this.batch.offset(i);
    const isAlone = length >= LARGE || (at + length > this.to && !this.startPiece(i));
    if (isAlone) return copyOf(this.batch.bytes, at, length);
    return sliceOf(this.piece as Buffer, at - this.from, length);
  }

  /** Copies as many small bodies as fit; false where there is only one. */
  private startPiece(first: number): boolean {
    const { batch } = this;
    const from = batch.offset(first);
    let last = first;
    while (last + 1 < batch.count && isNear(batch, last + 1, from)) last++;
    if (last === first) return false;
    this.from = from;
    this.to = batch.offset(last) + batch.length(last);
    this.piece = copyOf(batch.bytes, from, this.to - from);
    // Who transferred one body's memory would take that of its neighbours.
    markAsUntransferable(this.piece.buffer);
    return true;
  }
}

function isNear(batch: FrameBatch, i: number, from: number): boolean {
  const length = batch.length(i);
  return length < LARGE && batch.offset(i) + length - from <= PIECE;
}

/** A part of bytes in memory of its own. */
export function copyOf(bytes: Buffer, at: number, length: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(length);
  if (length > INSIDE) copy.set(sliceOf(bytes, at, length));
  // Without a view of the source, which may be an array of the kind that is kept inside its object.
  else for (let i = 0; i < length; i++) copy[i] = bytes[at + i] as number;
  return copy;
}
