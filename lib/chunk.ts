// The memory in which bytes reach the caller.

import { CHUNK, native, scratch } from './binding';
import { dropBuffer, takeBuffer } from './buffers';

// Up to this length V8 keeps a typed array's bytes inside the object. Asking such an array for its
// .buffer moves them out, which costs more than all else that a small write does.
const INSIDE = 64;

class Whoever {
  constructor(chunk: object) {
    // biome-ignore lint/correctness/noConstructorReturn: so that the field below lands on the chunk itself
    return chunk;
  }
}

/** Marks chunks of ours in a way that neither comparing nor printing them shows. */
class Ours extends Whoever {
  readonly #ours = true;

  static has(chunk: object): boolean {
    return #ours in chunk;
  }
}

/** Whether the array is known to be neither resizable nor detached, without a look at its buffer. */
export function isKnown(p: Uint8Array): boolean {
  return p.length > 0 && p.length <= INSIDE && Ours.has(p); // ours are never empty, unless detached
}

/** The first n bytes of the scratch buffer, in memory that is the caller's alone. */
export function ownChunk(n: number): Buffer {
  return marked(copyOf(scratch, n));
}

/** The chunk, which is nobody else's, known as ours if it is small. */
export function marked(chunk: Buffer): Buffer {
  if (chunk.length <= INSIDE) new Ours(chunk);
  return chunk;
}

function copyOf(buffer: Buffer, n: number): Buffer {
  // Not from Node's pool, whose ArrayBuffer is shared with strangers.
  const chunk = Buffer.allocUnsafeSlow(n);
  chunk.set(viewOf(buffer, n));
  return chunk;
}

/** A connection that reads chunks of the caller's own. */
export interface ChunkReader {
  readonly id: number;
  /** The last chunk was as large as they come: the next one may be. */
  plenty: boolean;
}

// What is read here becomes the caller's as it is, without a copy, if it comes full.
let fresh: Buffer | null = null;

/** One system call; takeChunk() has what it read. */
export function readChunk({ id, plenty }: ChunkReader, resumed: boolean): number {
  if (!plenty) return native.read(id, resumed, CHUNK);
  fresh ??= Buffer.allocUnsafeSlow(CHUNK);
  return native.readInto(id, resumed, fresh);
}

/** The n bytes that readChunk() has read, in memory that is the caller's alone. */
export function takeChunk(conn: ChunkReader, n: number): Buffer {
  const chunk = conn.plenty && fresh !== null ? fresh : scratch;
  conn.plenty = n === CHUNK;
  if (chunk === scratch || n < CHUNK) return copyOf(chunk, n);
  fresh = null;
  return chunk;
}

// Buffer's own constructor for views: what subarray() ends up calling, at a third of its cost.
const View = (
  Buffer as unknown as { [Symbol.species]: new (memory: ArrayBufferLike, from: number, n: number) => Buffer }
)[Symbol.species];

/** The first n bytes of a buffer made here. */
export function viewOf(buffer: Buffer, n: number): Buffer {
  return new View(buffer.buffer, 0, n);
}

/** A part of a buffer made here. */
export function partOf(buffer: Buffer, from: number, to: number): Buffer {
  return new View(buffer.buffer, from, to - from);
}

/** A part of any bytes, given by its start and its length. */
export function sliceOf(bytes: Uint8Array, at: number, n: number): Buffer {
  return new View(bytes.buffer, bytes.byteOffset + at, n);
}

// One buffer is lent to one handler after another, so that it stays in the processor's cache. A
// handler that answers with a promise keeps it until then, and the next one gets another.
let current: Buffer | null = null;

/** The buffer to read into and lend. */
export function lentBuffer(): Buffer {
  // A handler may have transferred it away: it is then gone, with a length of 0.
  if (current?.length === 0) {
    dropBuffer();
    current = null;
  }
  current ??= takeBuffer();
  return current;
}

/** Takes the lent buffer out of use until it is given back. */
export function keepLent(): Buffer {
  const kept = lentBuffer();
  current = null;
  return kept;
}

/** The same for whoever was lent this chunk; null where its memory is no such buffer, but the chunk's own. */
export function keepIfLent(chunk: Uint8Array): Buffer | null {
  return current !== null && current.buffer === chunk.buffer ? keepLent() : null;
}
