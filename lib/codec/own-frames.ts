// Frames of a batch in memory that outlives it.

import type { FrameBatch } from './batch';
import { copyOf, PIECE, Piece, UnseenFrame } from './unseen';

// From here on a body has memory of its own.
const LARGE = 1024;

/** Gives the frames of a batch, the first one first. */
export class OwnFrames {
  // A copy of what lies between two places in the batch.
  private piece: Piece | null = null;
  private from = 0;
  private to = -1;

  constructor(private readonly batch: FrameBatch) {}

  frame(i: number): UnseenFrame {
    const { batch } = this;
    const command = batch.command(i);
    const length = batch.length(i);
    const at = batch.offset(i);
    const isAlone = length >= LARGE || (at + length > this.to && !this.startPiece(i));
    if (isAlone) return new UnseenFrame(command, copyOf(batch.bytes, at, length), 0, length);
    return new UnseenFrame(command, this.piece as Piece, at - this.from, length);
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
    this.piece = new Piece(batch.bytes, from, this.to - from, last - first + 1);
    return true;
  }
}

function isNear(batch: FrameBatch, i: number, from: number): boolean {
  const length = batch.length(i);
  return length < LARGE && batch.offset(i) + length - from <= PIECE;
}
