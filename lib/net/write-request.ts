// A write that the kernel had no room for: what is left of it, and whom to tell.

import { AsyncResource } from 'node:async_hooks';
import { native } from '../binding';

import { kOnWritten } from './internals';
/** What Writable gives with a chunk. */
export type Callback = (error?: Error | null) => void;
/** Who is told of a write that had to wait. */
export interface Writer {
  [kOnWritten](status: number, callback: Callback): void;
}

export class WriteRequest extends AsyncResource {
  private first = 0;
  private offset: number;

  /** @param offset in list[0], where what is left begins */
  constructor(
    triggerAsyncId: number,
    private readonly list: readonly Uint8Array[],
    offset: number,
    public left: number,
    private readonly callback: Callback,
  ) {
    super('WRITEWRAP', { triggerAsyncId, requireManualDestroy: true });
    this.offset = 0;
    this.skip(offset);
  }

  /** One system call: the bytes that the kernel took, or a negative status. */
  send(id: number): number {
    const { list, first, offset } = this;
    const sent =
      first === list.length - 1
        ? native.write(id, true, list[first] as Uint8Array, offset)
        : native.writeVector(id, true, list, first, offset);
    if (sent > 0) {
      this.left -= sent;
      this.skip(sent);
    }
    return sent;
  }

  /** @param writer null for one that is gone */
  finish(writer: Writer | null, status: number): void {
    if (writer === null) this.runInAsyncScope(this.callback, null, null);
    else this.runInAsyncScope(writer[kOnWritten], writer, status, this.callback);
    this.emitDestroy();
  }

  private skip(n: number): void {
    let at = this.offset + n;
    while (this.first < this.list.length - 1) {
      const { length } = this.list[this.first] as Uint8Array;
      if (at < length) break;
      at -= length;
      this.first++;
    }
    this.offset = at;
  }
}
