// A native pump, and its place in the lines of its source and its sink.
//
// The pump moves what it can in one call and says what it waits for; the notice that ends the wait
// comes to the connection, whose line runs the copy again, as it would a waiting read or write.

import type { FileHandle } from 'node:fs/promises';
import {
  native,
  PUMP_END,
  PUMP_MORE,
  PUMP_SINK_FAILED,
  PUMP_SINK_FULL,
  PUMP_SINK_REFUSED,
  PUMP_SOURCE_EMPTY,
  PUMP_SOURCE_REFUSED,
  READ_SIDE,
  scratchIds,
} from '../binding';
import { causeOf, type OpError } from '../errors';
import { joinReads, joinWrites, leaveReads, leaveWrites, pumpReads } from '../lines';
import { Pending } from '../pending';
import { putInFront, takeFrontBytes } from './front';
import type { ReadTurn } from './reading';
import { StreamConn } from './stream-conn';
import type { WriteTurn } from './writing';

/** An end of a pump: a connection of the kernel's, or an open file. */
export type PumpEnd = StreamConn | FileHandle;

type End = 'source' | 'sink';

/**
 * Makes the error of a copy from its cause and the end that it happened at. `begun` is false for one
 * that was over before its first system call.
 */
export type CopyErrors = (end: End, cause: Error, begun: boolean) => OpError;

/** The copy's place in the source's line of reads. */
class SourceTurn implements ReadTurn {
  next: ReadTurn | null = null;
  last: ReadTurn = this;

  constructor(private readonly copy: PumpCopy) {}

  run(): boolean {
    return this.copy.advance('source');
  }

  endWith(_conn: StreamConn, status: number): void {
    this.copy.end('source', causeOf(status, this.copy.syscall));
  }
}

/** The copy's place in the sink's line of writes. */
class SinkTurn implements WriteTurn {
  next: WriteTurn | null = null;
  last: WriteTurn = this;

  constructor(private readonly copy: PumpCopy) {}

  run(): boolean {
    return this.copy.advance('sink');
  }

  endWith(_conn: StreamConn, status: number): void {
    this.copy.end('sink', causeOf(status, this.copy.syscall));
  }
}

/** A copy under way. Resolves to the number of bytes that the sink has taken. */
export class PumpCopy extends Pending<number> {
  readonly syscall: string;
  private pump: number;
  private delivered = 0;
  /** What the last run answered. */
  private status = PUMP_END;
  // Bytes that had been put back into the source, and that the pump has got first.
  private first: Buffer | null = null;
  private begun = false;
  private readonly source: StreamConn | null;
  private readonly sink: StreamConn | null;
  private readonly sourceTurn = new SourceTurn(this);
  private readonly sinkTurn = new SinkTurn(this);

  /** @param limit bytes at most; -1 for none. @param moved called each time that bytes may have moved */
  constructor(
    source: PumpEnd,
    sink: PumpEnd,
    private readonly limit: number,
    private readonly errors: CopyErrors,
    private readonly moved: (() => void) | null = null,
  ) {
    super();
    this.source = source instanceof StreamConn ? source : null;
    this.sink = sink instanceof StreamConn ? sink : null;
    this.syscall = this.source === null ? 'sendfile' : 'splice';
    this.pump = native.openPump(fileOf(source), fileOf(sink), limit);
  }

  /** Takes its place in both lines, and begins when it is first in both. */
  start(): Promise<number> {
    if (this.source !== null) joinReads(this.source, this.sourceTurn);
    if (this.sink !== null) joinWrites(this.sink, this.sinkTurn);
    else if (this.source !== null && this.source.reads === this.sourceTurn) pumpReads(this.source);
    return this.promise;
  }

  /** How many bytes the sink has taken so far. */
  get progress(): number {
    return this.pump < 0 ? this.delivered : native.pumpDelivered(this.pump);
  }

  /** Moves what can be moved. `from` is the line that asks; true when its place there is done with. */
  advance(from: End): boolean {
    if (this.pump < 0) return true;
    if (!this.isFirst()) return false;
    this.takeFirst();
    const status = native.runPump(this.pump, this.source?.id ?? -1, this.sink?.id ?? -1, this.status);
    this.status = status;
    this.moved?.();
    this.begun ||= status !== PUMP_SOURCE_REFUSED && status !== PUMP_SINK_REFUSED;
    if (status === PUMP_SOURCE_EMPTY || status === PUMP_SINK_FULL || status === PUMP_MORE) return false;
    if (status === PUMP_END) {
      this.finish(from);
      this.resolve(this.delivered);
    } else {
      const reason = causeOf(scratchIds[0] as number, this.syscall);
      const end = status === PUMP_SINK_FAILED || status === PUMP_SINK_REFUSED ? 'sink' : 'source';
      this.end(end, reason, from);
    }
    return true;
  }

  // Past its deadline a source gives nothing, not even these.
  private takeFirst(): void {
    if (this.source === null || this.source.front === null || this.first !== null) return;
    // Past its deadline a source gives nothing, whatever it has.
    if ((native.state(this.source.id) & READ_SIDE) !== 0) return;
    this.first = takeFrontBytes(this.source, this.limit < 0 ? Number.POSITIVE_INFINITY : this.limit);
    if (this.first !== null) native.putFirst(this.pump, this.first);
  }

  private isFirst(): boolean {
    const { source, sink } = this;
    return (source === null || source.reads === this.sourceTurn) && (sink === null || sink.writes === this.sinkTurn);
  }

  /** Ends the copy for what happened at one end. */
  end(end: End, cause: Error, from: End = end): void {
    if (this.pump < 0) return;
    this.finish(from);
    this.fail(Object.assign(this.errors(end, cause, this.begun), { bytesCopied: this.delivered }));
  }

  /** Ends it for the caller, who aborted it. */
  cancel(): void {
    if (this.pump >= 0) this.finish(null);
  }

  // The line that asks takes its member out itself.
  private finish(from: End | null): void {
    this.delivered = this.progress;
    native.closePump(this.pump);
    this.pump = -1;
    // The kernel's are taken once all of these are delivered, so what is left of them is first again.
    if (this.source !== null && this.first !== null && this.delivered < this.first.length) {
      putInFront(this.source, this.first.subarray(this.delivered));
    }
    if (this.source !== null && from !== 'source') leaveReads(this.source, this.sourceTurn);
    if (this.sink !== null && from !== 'sink') leaveWrites(this.sink, this.sinkTurn);
  }
}

function fileOf(end: PumpEnd): number {
  return end instanceof StreamConn ? -1 : end.fd;
}
