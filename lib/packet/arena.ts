// Memory for many datagrams at once.

import type { Addr } from '../addr';
import { CHUNK, SLOTS } from '../binding';

// Each has room for the largest there are. One cache line more, three times over, so that datagrams
// that lie side by side do not all compete for the same few lines of the cache. What is never written
// to takes no memory: the system hands it out page by page.
export const STRIDE = CHUNK + 192;

/** What one call has received. */
export class Arena {
  readonly bytes: Buffer = Buffer.from(new ArrayBuffer(SLOTS * STRIDE));
  readonly lengths = new Int32Array(SLOTS);
  readonly senders: (Addr | null)[] = new Array(SLOTS).fill(null);

  /** A handler may have transferred the memory away. */
  get gone(): boolean {
    return this.bytes.length === 0;
  }
}

// Buffer's own constructor for views, as in chunk.ts.
const View = (
  Buffer as unknown as { [Symbol.species]: new (memory: ArrayBufferLike, from: number, n: number) => Buffer }
)[Symbol.species];

/** The datagram at `index`, in place. */
export function viewAt(arena: Arena, index: number): Buffer {
  return new View(arena.bytes.buffer, index * STRIDE, arena.lengths[index] as number);
}

/** The same in memory of its own. */
export function copyAt(arena: Arena, index: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(arena.lengths[index] as number);
  copy.set(viewAt(arena, index));
  return copy;
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
  if (arena.gone || idle.length >= IDLE_AT_MOST) return;
  arena.senders.fill(null);
  idle.push(arena);
}
