// Memory for many datagrams at once.

import type { Addr } from '../addr';
import { CHUNK, LENGTH, SEGMENT, SLOT, SLOTS, slots } from '../binding';

// Each has room for the largest there are. One cache line more, three times over, so that datagrams
// that lie side by side do not all compete for the same few lines of the cache. What is never written
// to takes no memory: the system hands it out page by page.
export const STRIDE = CHUNK + 192;

/** What one call has received. */
export class Arena {
  readonly bytes: Buffer = Buffer.from(new ArrayBuffer(SLOTS * STRIDE));
  /** How many datagrams there are, where each begins, how long it is and who sent it. */
  count = 0;
  readonly starts: number[] = [];
  readonly lengths: number[] = [];
  readonly senders: (Addr | null)[] = [];

  /** A handler may have transferred the memory away. */
  get gone(): boolean {
    return this.bytes.length === 0;
  }

  /** Notes what stands in the slots, before they serve another call. */
  note(received: number, conn: { senderAt(slot: number): Addr | null }): void {
    this.count = 0;
    for (let i = 0; i < received; i++) {
      const slot = i * SLOT;
      const length = slots[slot + LENGTH] as number;
      const segment = slots[slot + SEGMENT] as number;
      const sender = conn.senderAt(slot);
      if (segment === 0 || segment >= length) this.add(i * STRIDE, length, sender);
      else this.addSegments(i * STRIDE, length, segment, sender);
    }
  }

  // The kernel has handed over several datagrams of one sender in one piece.
  private addSegments(start: number, length: number, segment: number, sender: Addr | null): void {
    for (let at = 0; at < length; at += segment) this.add(start + at, Math.min(segment, length - at), sender);
  }

  private add(start: number, length: number, sender: Addr | null): void {
    this.starts[this.count] = start;
    this.lengths[this.count] = length;
    this.senders[this.count++] = sender;
  }
}

// Buffer's own constructor for views, as in chunk.ts.
const View = (
  Buffer as unknown as { [Symbol.species]: new (memory: ArrayBufferLike, from: number, n: number) => Buffer }
)[Symbol.species];

/** A datagram, in place. */
export function viewAt({ bytes, starts, lengths }: Arena, index: number): Buffer {
  return new View(bytes.buffer, starts[index] as number, lengths[index] as number);
}

/** The same in memory of its own. */
export function copyAt(arena: Arena, index: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(arena.lengths[index] as number);
  copy.set(viewAt(arena, index));
  return copy;
}

let copying: Arena | null = null;

/**
 * For datagrams that are copied out before any code of a caller's runs. Not the shared one: a handler that
 * is being given what lies there may read from another socket.
 */
export function copyingArena(): Arena {
  copying ??= new Arena();
  return copying;
}

// One arena serves one handler after another; one that is kept by a promise is replaced.
let current: Arena | null = null;
const idle: Arena[] = [];
const IDLE_AT_MOST = 4;

export function sharedArena(): Arena {
  if (current === null || current.gone) current = idle.pop() ?? new Arena();
  return current;
}

/** Takes the shared arena out of use until it is given back. */
export function keepArena(arena: Arena): void {
  if (current === arena) current = null;
}

export function giveBackArena(arena: Arena): void {
  if (!arena.gone && idle.length < IDLE_AT_MOST) idle.push(arena);
}
