// The option `onread`: bytes go to memory of the caller's and to a function, and not through the stream.

import { isUint8Array } from 'node:util/types';
import type { OnReadOptions } from './socket-options';

export class UserReads {
  private buffer: Uint8Array | null;

  constructor(private readonly options: OnReadOptions) {
    this.buffer = typeof options.buffer === 'function' ? null : options.buffer;
  }

  /** Where the next read goes. */
  next(): Uint8Array | null {
    if (this.buffer === null) this.generate();
    return this.buffer;
  }

  /** Whether reading goes on. */
  deliver(socket: object, n: number): boolean {
    const goesOn = this.options.callback.call(socket, n, this.buffer as Uint8Array) !== false;
    this.generate();
    return goesOn;
  }

  // What is no buffer leaves the last one in use, as in Node.
  private generate(): void {
    const { buffer } = this.options;
    if (typeof buffer !== 'function') return;
    const made: unknown = buffer();
    if (isUint8Array(made)) this.buffer = made;
  }
}

/** Null for what is no complete `onread`. */
export function readingOf(onread: unknown): UserReads | null {
  if (typeof onread !== 'object' || onread === null) return null;
  const { buffer, callback } = onread as Partial<OnReadOptions>;
  const hasBuffer = isUint8Array(buffer) || typeof buffer === 'function';
  return hasBuffer && typeof callback === 'function' ? new UserReads(onread as OnReadOptions) : null;
}
