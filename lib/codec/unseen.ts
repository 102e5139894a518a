// Frames that wait for receive(). Whoever is given bytes may detach their memory: a byte stream's controller does,
// whatever it is marked as. What waits lies in memory that was given to nobody.

import { markAsUntransferable } from 'node:worker_threads';
import { sliceOf } from '../chunk';

// Making memory costs many times what copying a small body does, so that such ones share a piece: one that is
// kept holds no more than this, which is what Node's own pool comes to.
export const PIECE = 8192;
// What nobody has seen is used again, unless so little of it is needed that it is not worth being kept for that.
const WORTH_REUSE = 4096;
const MOST_IDLE = 32;
// V8 keeps so small an array inside the object; asking for its memory would move it out.
const INSIDE = 64;
const NOTHING = Buffer.allocUnsafeSlow(0);

const idle: Buffer[] = [];

/** Bodies that lie close together, and the copy that those who receive them see parts of. */
export class Piece {
  private unseen: Buffer;
  private shown: Buffer | null = null;

  /** @param waiting how many bodies there are; each is shown once */
  constructor(
    bytes: Buffer,
    from: number,
    private readonly length: number,
    private waiting: number,
  ) {
    this.unseen = takeMemory(length);
    put(this.unseen, bytes, from, length);
  }

  show(at: number, length: number): Buffer {
    this.shown ??= this.copy();
    // Detached by somebody who takes the memory of what is received: neighbours are of no use to them.
    const isGone = this.shown.length === 0;
    const body = isGone ? copyOf(this.unseen, at, length) : sliceOf(this.shown, at, length);
    if (--this.waiting === 0) this.giveBack();
    return body;
  }

  private copy(): Buffer {
    const copy = copyOf(this.unseen, 0, this.length);
    // Who transferred one body's memory would take that of its neighbours.
    markAsUntransferable(copy.buffer);
    return copy;
  }

  private giveBack(): void {
    if (this.unseen.length === PIECE && idle.length < MOST_IDLE) idle.push(this.unseen);
    this.unseen = NOTHING;
  }
}

function takeMemory(length: number): Buffer {
  if (length < WORTH_REUSE) return Buffer.allocUnsafeSlow(length);
  return idle.pop() ?? Buffer.allocUnsafeSlow(PIECE);
}

/** A frame that waits. */
export class UnseenFrame {
  /** @param memory where its body is: in a piece from `at` on, or alone */
  constructor(
    readonly command: number,
    private readonly memory: Piece | Buffer,
    private readonly at: number,
    readonly length: number,
  ) {}

  /** Its body, for the one who receives it. */
  show(): Buffer {
    const { memory } = this;
    return memory instanceof Piece ? memory.show(this.at, this.length) : memory;
  }
}

/** A part of bytes in memory of its own. */
export function copyOf(bytes: Buffer, at: number, length: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(length);
  put(copy, bytes, at, length);
  return copy;
}

function put(into: Buffer, bytes: Buffer, at: number, length: number): void {
  if (length > INSIDE) into.set(sliceOf(bytes, at, length));
  // Without a view of the source, which may be an array of the kind that is kept inside its object.
  else for (let i = 0; i < length; i++) into[i] = bytes[at + i] as number;
}
