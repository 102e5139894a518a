// Calls that wait on an end of a pipe for the other end.

import { CHUNK } from '../binding';
import { detachedWhileWaiting, isDetached } from '../check';
import { withCount } from '../errors';
import { Pending } from '../pending';

/** How many bytes a read may take of those at hand, in memory of their own. */
export function copyOf(bytes: Uint8Array): Buffer {
  const chunk = Buffer.allocUnsafeSlow(Math.min(bytes.length, CHUNK));
  chunk.set(bytes.length > chunk.length ? bytes.subarray(0, chunk.length) : bytes);
  return chunk;
}

export class PipeRead extends Pending<Buffer | number | null> {
  private readonly room: number;

  /** @param into the caller's memory; null for a chunk of its own */
  constructor(private readonly into: Uint8Array | null) {
    super();
    this.room = into?.length ?? CHUNK;
  }

  /** Whether its memory went away while it waited; it is settled then. */
  isVoid(): boolean {
    if (this.into === null || this.room === 0 || !isDetached(this.into)) return false;
    this.abort(detachedWhileWaiting('read'));
    return true;
  }

  /** Is settled with what it has room for; returns how much that was. */
  take(bytes: Uint8Array): number {
    if (this.into !== null) return this.fill(this.into, bytes);
    const chunk = copyOf(bytes);
    this.resolve(chunk);
    return chunk.length;
  }

  private fill(into: Uint8Array, bytes: Uint8Array): number {
    const n = Math.min(bytes.length, into.length);
    into.set(bytes.subarray(0, n));
    this.resolve(n);
    return n;
  }
}

export class PipeWrite extends Pending<number> {
  written = 0;
  // Where `written` lies: the member of the list, and the offset inside it.
  private member = 0;
  private offset = 0;

  /** @param list is offered to readers one member after the other: a read never takes of two */
  constructor(private readonly list: readonly Uint8Array[]) {
    super();
  }

  /** Whether bytes that are still to go went away while it waited; it is settled then. */
  isVoid(): boolean {
    if (!isDetached(this.list[this.member] as Uint8Array)) return false;
    this.abort(withCount(detachedWhileWaiting('write'), this.written));
    return true;
  }

  /** What the next read may take of. */
  rest(): Uint8Array {
    return (this.list[this.member] as Uint8Array).subarray(this.offset);
  }

  /** A read has taken n bytes of it: whether it was the last one needed; this is settled then. */
  advance(n: number): boolean {
    this.written += n;
    this.offset += n;
    if (this.offset === (this.list[this.member] as Uint8Array).length) {
      this.member++;
      this.offset = 0;
    }
    if (this.member < this.list.length) return false;
    this.resolve(this.written);
    return true;
  }
}
