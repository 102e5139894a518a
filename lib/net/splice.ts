// pipe() from one of our sockets to another, in the kernel: while the stream would do nothing with a chunk
// but write it to the other socket, its bytes need not come up. Each time that there is something to
// read, the socket says whether that still holds (Socket.spliceTarget); where it no longer does, what is
// on its way is delivered first, and reading goes on as usual.

import {
  ALWAYS,
  NOTHING,
  native,
  PUMP_END,
  PUMP_MORE,
  PUMP_SINK_FAILED,
  PUMP_SINK_FULL,
  PUMP_SINK_REFUSED,
  PUMP_SOURCE_EMPTY,
  PUMP_SOURCE_REFUSED,
  scratchIds,
} from '../binding';
import { statusOf } from './status';
import type { StreamHandle } from './stream-handle';

export class Splice {
  /** Bytes were taken from the source, for which the sink has had no room yet. */
  inFlight = false;
  /** Called once nothing is in flight any more. */
  onDrained: (() => void) | null = null;
  private last = PUMP_END;
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
      pump = native.openPump(-1, -1, -1);
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
    const status = native.runPump(this.pump, source, this.sink.id, this.last);
    const reason = scratchIds[0] as number;
    this.last = status;
    this.count();
    this.inFlight = status === PUMP_SINK_FULL;
    if (status === PUMP_SINK_FULL) return this.source?.awaitRead(NOTHING);
    if (status === PUMP_SOURCE_EMPTY || status === PUMP_MORE) return this.source?.awaitRead(ALWAYS);
    this.settle(status, reason);
  }

  private settle(status: number, reason: number): void {
    const { source, sink } = this;
    this.end();
    if (status === PUMP_SINK_FAILED || status === PUMP_SINK_REFUSED) sink.writeFailed(reason);
    else if (status !== PUMP_SOURCE_REFUSED) source?.readFailed(status === PUMP_END ? 0 : reason);
  }

  private count(): void {
    const delivered = native.pumpDelivered(this.pump);
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
    native.closePump(this.pump);
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
