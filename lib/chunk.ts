// The memory in which bytes reach the caller.

import { CHUNK, scratch } from './binding';

/** The first n bytes of the scratch buffer, in memory that is the caller's alone. */
export function ownChunk(n: number): Buffer {
  // Not from Node's pool, whose ArrayBuffer is shared with strangers.
  const chunk = Buffer.allocUnsafeSlow(n);
  chunk.set(scratch.subarray(0, n));
  return chunk;
}

// One buffer is lent to one handler after another, so that it stays in the processor's cache. A
// handler that answers with a promise keeps it until then, and the next one gets another.
let current: Buffer | null = null;
const idle: Buffer[] = [];
const IDLE_AT_MOST = 8;

/** The buffer to read into and lend. */
export function lentBuffer(): Buffer {
  // A handler may have transferred it away: it is then gone, with a length of 0.
  if (current === null || current.length === 0) current = idle.pop() ?? Buffer.from(new ArrayBuffer(CHUNK));
  return current;
}

/** Takes the lent buffer out of use until it is given back. */
export function keepLent(): Buffer {
  const kept = lentBuffer();
  current = null;
  return kept;
}

export function giveBack(buffer: Buffer): void {
  if (buffer.length === CHUNK && idle.length < IDLE_AT_MOST) idle.push(buffer);
}
