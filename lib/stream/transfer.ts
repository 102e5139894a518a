// Bytes moved by native code on an I/O thread, and their place in the lines of those who wait here.
//
//   lane        one direction: it stands in the line of its source's reads and of its sink's writes,
//               and begins when it is first in both. It stays there, so that nobody else gets a turn,
//               until the thread has let go of both ends.
//   transfer    the lanes of one copy (one) or relay (two), which are stopped and end together.
//
// Stopping takes a moment: the thread may be in the middle of a system call. So whatever ends a transfer
// here (a deadline, close(), an abort) is kept as its cause until the thread says that it is over.

import type { FileHandle } from 'node:fs/promises';
import { EXPIRED, native, READ, READ_SIDE, scratchIds, WRITE, WRITE_SIDE } from '../binding';
import { unwatch, type Waiter, watch } from '../dispatch';
import { causeOf } from '../errors';
import { failReads, failWrites, joinReads, joinWrites, leaveReads, leaveWrites, pumpReads } from '../lines';
import { without } from '../pending';
import { putInFront, takeFrontBytes } from './front';
import type { ReadTurn } from './reading';
import { StreamConn } from './stream-conn';
import type { WriteTurn } from './writing';

/** An end of a transfer: a connection of the kernel's, or an open file. */
export type TransferEnd = StreamConn | FileHandle;

export interface TransferOptions {
  /** Both ways, with FINs passed on; or else one, from a to b. */
  relay?: boolean;
  /** Milliseconds; 0 for ever. */
  idleTimeout?: number;
  halfCloseTimeout?: number;
}

export interface LaneOptions {
  /** Bytes at most; -1 for all. */
  limit?: number | undefined;
  /** Bytes a second; 0 for as fast as it goes. */
  rate?: number | undefined;
  /** Where in a file; -1 for its own position. */
  offset?: number;
  /** Around the source's bytes. */
  header?: Uint8Array | undefined;
  trailer?: Uint8Array | undefined;
}

type End = 'source' | 'sink';

/** What ended a transfer before its time, and where. */
export interface Failure {
  lane: 0 | 1;
  end: End;
  cause: Error;
  /** False where it was over before its first system call. */
  begun: boolean;
}

// In the order of TransferResult::Reason (native/relay/transfer.h).
const REASONS = ['end', 'error', 'idle', 'halfClose', 'limit', 'stopped'] as const;

export interface Outcome {
  /** `stopped`: what ended it is the failure, or else an abort. */
  reason: (typeof REASONS)[number];
  /** The end that was over first; null where neither was. */
  endedBy: 'a' | 'b' | null;
  failure: Failure | null;
}

/** A lane's place in the sink's line of writes. */
class SinkTurn implements WriteTurn {
  next: WriteTurn | null = null;
  last: WriteTurn = this;

  constructor(private readonly lane: Lane) {}

  run(): boolean {
    return this.lane.run();
  }

  endWith(conn: StreamConn, status: number): void {
    if (this.lane.begun && conn.id >= 0) joinWrites(conn, this, true);
    this.lane.lost('sink', status);
  }

  deadlineMoved(): void {
    this.lane.unexpire('sink');
  }

  shutDown(): void {
    this.lane.nudge();
  }
}

/**
 * One direction. It is itself what stands in the source's line of reads. Whatever ends a line (a deadline,
 * say) does not end a lane that has begun: unless the connection is closed it joins again at once, as the
 * thread still has it.
 */
class Lane implements ReadTurn {
  next: ReadTurn | null = null;
  last: ReadTurn = this;
  begun = false;
  private sourceExpired = false;
  private sinkExpired = false;
  // Bytes that had been put back into the source, and that the thread has got first.
  private first: Buffer | null = null;
  private readonly atSink = new SinkTurn(this);

  constructor(
    private readonly transfer: Transfer,
    readonly index: 0 | 1,
    private readonly options: LaneOptions,
  ) {}

  private get source(): StreamConn | null {
    return this.transfer.connAt(this.index);
  }

  private get sink(): StreamConn | null {
    return this.transfer.connAt(this.index === 0 ? 1 : 0);
  }

  run(): boolean {
    this.tryBegin();
    return false;
  }

  endWith(conn: StreamConn, status: number): void {
    if (this.begun && conn.id >= 0) joinReads(conn, this);
    this.lost('source', status);
  }

  deadlineMoved(): void {
    this.unexpire('source');
  }

  shutDown(): void {
    this.nudge();
  }

  /** Bytes that the sink has taken. */
  get delivered(): number {
    return native.delivered(this.transfer.id, this.index);
  }

  get syscall(): string {
    return this.source === null ? 'sendfile' : 'splice';
  }

  join(): void {
    const { source, sink } = this;
    if (source !== null) joinReads(source, this);
    if (sink !== null) joinWrites(sink, this.atSink);
    else if (source !== null && source.reads === this) pumpReads(source);
  }

  tryBegin(): void {
    if (this.begun || this.transfer.over || !this.isFirst()) return;
    const { limit = -1, rate = 0, offset = -1, header, trailer } = this.options;
    const first = this.takeFirst(limit) ?? header;
    const refused = native.beginFlow(this.transfer.id, this.index, limit, rate, offset, first, trailer);
    if (refused === 0) this.begun = true;
    else this.lost(refused === 1 ? 'source' : 'sink', scratchIds[0] as number);
  }

  private isFirst(): boolean {
    const { source, sink } = this;
    return (source === null || source.reads === this) && (sink === null || sink.writes === this.atSink);
  }

  // Past its deadline a source gives nothing, not even these.
  private takeFirst(limit: number): Buffer | null {
    const { source } = this;
    if (source === null || source.front === null || (native.state(source.id) & READ_SIDE) !== 0) return null;
    this.first = takeFrontBytes(source, limit < 0 ? Number.POSITIVE_INFINITY : limit);
    return this.first;
  }

  /** An end is closed, which ends the transfer; or past its deadline: what that means the thread knows best. */
  lost(end: End, status: number): void {
    const { begun, index: lane } = this;
    if (begun && status === EXPIRED) return this.setExpired(end, true);
    this.transfer.stop({ lane, end, cause: causeOf(status, this.syscall), begun });
  }

  setExpired(end: End, expired: boolean): void {
    if (end === 'source') this.sourceExpired = expired;
    else this.sinkExpired = expired;
    native.expireFlow(this.transfer.id, this.index, end === 'source' ? READ : WRITE, expired);
  }

  /** The deadline of that end was moved, and lies ahead. */
  unexpire(end: End): void {
    if (end === 'source' ? this.sourceExpired : this.sinkExpired) this.setExpired(end, false);
  }

  nudge(): void {
    if (this.begun) native.nudgeFlow(this.transfer.id, this.index);
  }

  /** Puts back what had been put back before and was not delivered: it comes before the kernel's bytes. */
  restore(): void {
    const { first, source } = this;
    if (first === null || source === null || source.id < 0) return;
    const { delivered } = this;
    if (delivered < first.length) putInFront(source, first.subarray(delivered));
  }

  leave(): void {
    if (this.source !== null) leaveSource(this.source, this);
    if (this.sink !== null) leaveSink(this.sink, this.atSink);
  }
}

// Calls that joined the line after its deadline, and found somebody in it, have yet to hear of it.
function leaveSource(conn: StreamConn, turn: ReadTurn): void {
  if (conn.id < 0 || (native.state(conn.id) & READ_SIDE) === 0) return leaveReads(conn, turn);
  conn.reads = without<ReadTurn>(conn.reads, turn);
  failReads(conn, EXPIRED);
}

function leaveSink(conn: StreamConn, turn: WriteTurn): void {
  if (conn.id < 0 || (native.state(conn.id) & WRITE_SIDE) === 0) return leaveWrites(conn, turn);
  conn.writes = without<WriteTurn>(conn.writes, turn);
  failWrites(conn, EXPIRED);
}

export interface TransferOwner {
  /** Called once, when the thread has let go of everything. */
  transferred(outcome: Outcome): void;
}

export class Transfer implements Waiter {
  readonly id: number;
  over = false;
  private readonly lanes: readonly Lane[];
  private stopping = false;
  private failure: Failure | null = null;
  private final: [number, number] | null = null;

  /**
   * @throws the system's error: a file's descriptor is duplicated, and a thread may be started
   */
  constructor(
    private readonly a: TransferEnd,
    private readonly b: TransferEnd,
    { relay = false, idleTimeout = 0, halfCloseTimeout = 0 }: TransferOptions,
    lanes: readonly LaneOptions[],
    private readonly owner: TransferOwner,
  ) {
    const ends = [idOf(a), idOf(b), fileOf(a), fileOf(b)] as const;
    this.id = native.openTransfer(...ends, relay, idleTimeout, halfCloseTimeout);
    this.lanes = lanes.map((options, i) => new Lane(this, i as 0 | 1, options));
    watch(this);
  }

  /** Takes its place in the lines, and begins each direction when it is first there. */
  start(): void {
    for (const lane of this.lanes) if (!this.over) lane.join();
  }

  /** The connection at that end; null where it is a file. */
  connAt(end: 0 | 1): StreamConn | null {
    return streamAt(end === 0 ? this.a : this.b);
  }

  /** Bytes that b has taken from a; or, of lane 1, a from b. */
  moved(lane: 0 | 1): number {
    return this.final === null ? (this.lanes[lane]?.delivered ?? 0) : this.final[lane];
  }

  /** Ends it, for what happened to an end or, with null, for an abort. The first cause counts. */
  stop(failure: Failure | null): void {
    if (this.stopping || this.over) return;
    this.stopping = true;
    this.failure = failure;
    if (this.lanes.some((lane) => lane.begun)) native.stopTransfer(this.id);
    else this.notice();
  }

  /** From the reactor: the thread has let go. */
  notice(): void {
    this.over = true;
    unwatch(this.id);
    for (const lane of this.lanes) lane.restore();
    this.final = [this.moved(0), this.moved(1)];
    const broken = native.finishTransfer(this.id);
    const outcome = this.outcome(broken);
    for (const lane of this.lanes) lane.leave();
    if (broken < 0) this.giveUp();
    this.owner.transferred(outcome);
  }

  private outcome(broken: number): Outcome {
    const words = scratchIds.subarray(0, 5) as unknown as [number, number, number, 0 | 1, number];
    const [reason, endedBy, error, lane, atSink] = words;
    if (this.stopping) return { reason: 'stopped', endedBy: null, failure: this.failure };
    const ended = endedBy < 0 ? null : endedBy === 0 ? 'a' : 'b';
    const status = error !== 0 ? error : broken;
    if (status === 0) return { reason: REASONS[reason] as Outcome['reason'], endedBy: ended, failure: null };
    const at = error !== 0 ? lane : 0;
    const cause = causeOf(status, error !== 0 ? (this.lanes[at] as Lane).syscall : 'epoll_ctl');
    const failure: Failure = { lane: at, end: error !== 0 && atSink === 1 ? 'sink' : 'source', cause, begun: true };
    return { reason: 'error', endedBy: ended, failure };
  }

  // The reactor has no room for a connection any more, so nothing on it would ever be told.
  private giveUp(): void {
    for (const end of [this.a, this.b]) streamAt(end)?.close();
  }
}

function streamAt(end: TransferEnd): StreamConn | null {
  return end instanceof StreamConn ? end : null;
}

function idOf(end: TransferEnd): number {
  return end instanceof StreamConn ? end.id : -1;
}

function fileOf(end: TransferEnd): number {
  return end instanceof StreamConn ? -1 : end.fd;
}
