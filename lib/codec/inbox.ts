// Frames that wait for receive(), and calls of receive() that wait for frames: never both.

import type { Conn } from '../conn';
import { advanced, joined, unlinked, without } from '../pending';
import { Call, type FrameCallOptions, isLimited } from './call';
import type { UnseenFrame } from './unseen';

class PendingReceive<T> extends Call<T | null> {
  limited = false;

  /** @param read the number of the read that it waits for */
  constructor(
    conn: Conn,
    readonly read: number,
  ) {
    super('receive', conn);
  }
}

export class Inbox<T> {
  private items: UnseenFrame[] = [];
  private next = 0;
  private waiting: PendingReceive<T> | null = null;
  /** How much memory waits, about. */
  size = 0;

  /** @param delivered makes of a frame what it is to whoever receives it, when it is received; it may throw */
  constructor(private readonly delivered: (frame: UnseenFrame) => T) {}

  get isEmpty(): boolean {
    return this.next === this.items.length;
  }

  /** Whether a call waits. */
  get isWanted(): boolean {
    return this.waiting !== null;
  }

  /** Whether the first that waits may give up. */
  get isLimited(): boolean {
    return this.waiting?.limited === true;
  }

  /** The first message, where there is one. Throws what `delivered` does; the frame is gone then, too. */
  take(): T {
    const frame = this.items[this.next++] as UnseenFrame;
    if (this.isEmpty) {
      this.items = [];
      this.next = 0;
      this.size = 0;
    }
    return this.delivered(frame);
  }

  /** For the first call that waits, or for one to come. */
  put(frame: UnseenFrame, size: number): void {
    const first = this.waiting;
    if (first === null) {
      this.items.push(frame);
      this.size += size;
      return;
    }
    this.waiting = advanced(first);
    try {
      first.resolve(this.delivered(frame));
    } catch (error) {
      first.fail(error);
    }
  }

  /**
   * @param read the number of the read that the call waits for, to begin with
   * @param onLeft is called when the call has been given up
   */
  wait(conn: Conn, read: number, options: FrameCallOptions | undefined, onLeft: () => void): Promise<T | null> {
    const call = new PendingReceive<T>(conn, read);
    this.waiting = joined(this.waiting, call);
    if (isLimited(options)) {
      call.limited = true;
      call.limit(options, () => {
        this.waiting = without(this.waiting, call);
        onLeft();
      });
    }
    return call.promise;
  }

  /** Ends, for a deadline that a read met, the calls that waited for it: those that have joined since have another. */
  expire(read: number, error: Error): void {
    const calls = unlinked(this.waiting);
    this.waiting = null;
    for (const call of calls) {
      if (call.read <= read) call.fail(error);
      else this.waiting = joined(this.waiting, call);
    }
  }

  /** Ends every call that waits: with an error, or with null for the end of the stream. */
  settle(error: Error | null): void {
    const first = this.waiting;
    this.waiting = null;
    for (let call = first; call !== null; call = call.next) {
      if (error === null) call.resolve(null);
      else call.fail(error);
    }
  }
}
