// pipe() from one of our sockets to another, in the kernel: while the stream would do nothing with a chunk
// but write it to the other socket, its bytes need not come up. Each time that there is something to
// read, the socket says whether that still holds (Socket.spliceTarget); where it no longer does, what is
// on its way is delivered first, and reading goes on as usual.

import {
  ALWAYS,
  NOTHING,
  native,
  SPLICE_BROKEN,
  SPLICE_DRAINED,
  SPLICE_EMPTY,
  SPLICE_FULL,
  scratchIds,
} from '../binding';
import { statusOf } from './status';
import type { StreamHandle } from './stream-handle';

export class Splice {
  /** Bytes were taken from the source, for which the sink has had no room yet. */
  inFlight = false;
  /** Called once nothing is in flight any more. */
  onDrained: (() => void) | null = null;
  private delivered = 0;

  private constructor(
    private readonly pump: number,
    private source: StreamHandle | null,
    private readonly sink: StreamHandle,
  ) {
    source?.spliceBy(this);
    sink.splicedBy = this;
  }

  /** Null where the process has no descriptors for it. */
  static open(source: StreamHandle, sink: StreamHandle): Splice | null {
    let pump = -1;
    const status = statusOf(() => {
      pump = native.openSplice();
    });
    return status < 0 ? null : new Splice(pump, source, sink);
  }

  /** Moves what can be moved. */
  run(): void {
    this.step(this.source?.id ?? -1);
  }

  /** Delivers what is in flight, and takes nothing more. Whether that is done: the source is read as usual again. */
  finish(): boolean {
    if (this.inFlight) this.step(-1);
    else this.end();
    return this.sink.splicedBy !== this;
  }

  /** The sink has room. */
  resume(): void {
    const { source, sink } = this;
    if (source !== null && source.spliceTarget() === sink && !sink.hasWaitingWrite()) this.run();
    else this.step(-1);
  }

  private step(source: number): void {
    const status = native.stepSplice(this.pump, source, this.sink.id);
    const reason = scratchIds[0] as number;
    this.count();
    this.inFlight = status === SPLICE_FULL;
    if (status === SPLICE_FULL) this.source?.awaitRead(NOTHING);
    else if (status === SPLICE_EMPTY) this.source?.awaitRead(ALWAYS);
    else this.settle(status, reason);
  }

  private settle(status: number, reason: number): void {
    const { source, sink } = this;
    this.end();
    if (status < 0) sink.writeFailed(status);
    else if (status !== SPLICE_DRAINED) source?.readFailed(status === SPLICE_BROKEN ? reason : 0);
  }

  private count(): void {
    const delivered = native.spliced(this.pump);
    const moved = delivered - this.delivered;
    this.delivered = delivered;
    if (moved === 0) return;
    this.source?.movedIn(moved);
    this.sink.movedOut(moved);
  }

  /** The source is closed: what it gave is delivered all the same. */
  sourceClosed(): void {
    this.source = null;
    if (!this.inFlight) this.end();
  }

  /** The sink is closed, or nothing is left to do. */
  end(): void {
    const { source, sink, onDrained } = this;
    native.closeSplice(this.pump);
    this.source = null;
    this.inFlight = false;
    this.onDrained = null;
    source?.spliceBy(null);
    if (sink.splicedBy === this) sink.splicedBy = null;
    // What was held back meanwhile goes on.
    source?.awaitRead(ALWAYS);
    sink.awaitWaitingWrite();
    onDrained?.();
  }
}
