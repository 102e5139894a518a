// Buffers of 64 KiB that are read into and written from: made when one is needed, and used again.

import { CHUNK } from './binding';

/** Of this thread; see bufferCounters(). */
export interface BufferCounters {
  /** Buffers that were made so far. */
  made: number;
  /** How often one was used again. */
  reused: number;
  /** Buffers that were left to the garbage collector: more were idle than are kept, or they were transferred away. */
  dropped: number;
  /** Buffers in use: by a connection that writes, a handler that answered with a promise, a batch that is retained. */
  inUse: number;
  /** Buffers that wait to be used again, 16 at most. */
  idle: number;
  /** Bytes of those in use and those that are idle. */
  bytes: number;
}

const IDLE_AT_MOST = 16;
const idle: Buffer[] = [];
let made = 0;
let reused = 0;
let dropped = 0;

export function takeBuffer(): Buffer {
  const buffer = idle.pop();
  if (buffer !== undefined) {
    reused++;
    return buffer;
  }
  made++;
  return Buffer.from(new ArrayBuffer(CHUNK));
}

/** For the next one who needs it; nobody else may hold a view of it. */
export function giveBackBuffer(buffer: Buffer): void {
  // Whoever had it may have transferred its memory away: its length is 0 then.
  if (buffer.length === CHUNK && idle.length < IDLE_AT_MOST) idle.push(buffer);
  else dropped++;
}

/** For one that somebody may still hold a view of. */
export function dropBuffer(): void {
  dropped++;
}

/**
 * What became of the buffers of 64 KiB that this thread's connections read into and write from. A number
 * `inUse` that only grows shows batches that are retained and never released.
 */
export function bufferCounters(): BufferCounters {
  const inUse = made - dropped - idle.length;
  return { made, reused, dropped, inUse, idle: idle.length, bytes: (inUse + idle.length) * CHUNK };
}
