// A write that the kernel had no room for: what is left of it, and whom to tell.

import { AsyncResource } from 'node:async_hooks';
import { native } from '../binding';

/** Called once, with 0 or a negative errno. */
export type Done = (status: number) => void;

export class WriteRequest extends AsyncResource {
  private first = 0;
  private offset: number;

  /** @param offset in list[0], where what is left begins */
  constructor(
    private readonly list: readonly Uint8Array[],
    offset: number,
    public left: number,
    readonly done: Done,
  ) {
    super('WRITEWRAP', { requireManualDestroy: true });
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

  finish(status: number): void {
    this.runInAsyncScope(this.done, null, status);
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
