// A relay with a Conn that is no socket: the bytes go through JavaScript, with the same semantics.

import { setTimeout as delay } from 'node:timers/promises';
import { HELD, NOTHING, native, READ, WRITE } from '../binding';
import type { Conn } from '../conn';
import { asOpError, ErrClosed, ErrClosedPipe, type OpError, SyscallError } from '../errors';
import { IdleTimer } from '../idle';
import { readNow } from '../stream/reading';
import { SocketConn } from '../stream/socket-conn';
import { writeNow } from '../stream/writing';
import { other, RelayRun, type Side } from './run';

export class HandRelay extends RelayRun {
  private idle: IdleTimer | null = null;
  private flows: Record<Side, Flow> | null = null;
  private over = 0;
  private endedBy: Side | null = null;
  private error: OpError | null = null;
  private closedHere = false;

  get aToB(): number {
    return this.flows?.a.moved ?? 0;
  }

  get bToA(): number {
    return this.flows?.b.moved ?? 0;
  }

  protected begin(): void {
    this.watchIdleness(this.options.idleTimeout, 'idle');
    this.flows = { a: this.flow('a'), b: this.flow('b') };
    this.follow('a', this.flows.a);
    this.follow('b', this.flows.b);
  }

  private flow(from: Side): Flow {
    const { maxBytes = Number.POSITIVE_INFINITY, rateLimit = 0 } = this.options;
    return new Flow(this.conn(from), this.conn(other(from)), maxBytes, rateLimit, () => this.idle?.touch());
  }

  private watchIdleness(timeout = 0, reason: 'idle' | 'halfClose'): void {
    this.idle?.stop();
    this.idle = timeout === 0 ? null : new IdleTimer(timeout, () => this.finish(reason));
  }

  private follow(from: Side, flow: Flow): void {
    flow.done.then(
      (limited) => (limited ? this.finish('limit') : this.passed(from)),
      (error: OpError) => this.failed(from, flow, error),
    );
  }

  // Everything of `from` has been passed on, up to its FIN, which is passed on in its turn.
  private passed(from: Side): void {
    this.endedBy ??= from;
    if (++this.over === 2 || !passFin(this.conn(other(from)))) return this.finish('end');
    const { halfCloseTimeout = 0 } = this.options;
    if (this.over === 1 && halfCloseTimeout > 0) this.watchIdleness(halfCloseTimeout, 'halfClose');
  }

  private failed(from: Side, flow: Flow, error: OpError): void {
    if (this.over < 0) return;
    const atSink = flow.failedAt === 'sink';
    const to = other(from);
    this.endedBy ??= atSink ? to : from;
    this.error ??= error;
    // A pipe that is closed says so at both of its ends, and means the one that was closed here.
    const piped = error.cause === ErrClosedPipe && this.conn(atSink ? to : from).state === 'closed';
    this.closedHere = this.error.cause === ErrClosed || piped;
    // A source that failed has nothing more to give, and takes nothing more. A socket to which the system
    // takes nothing may still hold bytes for the other side: that direction goes on until it has ended too.
    const goesOn = atSink && error.cause instanceof SyscallError && this.conn(to) instanceof SocketConn;
    if (!goesOn || ++this.over === 2) this.finish('end');
  }

  // A failure says more than whatever brought the end about after it.
  private finish(reason: 'end' | 'idle' | 'halfClose' | 'limit'): void {
    const failed = this.closedHere ? 'closed' : 'error';
    if (this.stop()) this.ended(this.error === null ? reason : failed, this.endedBy, this.error);
  }

  protected abort(): void {
    if (this.stop()) this.aborted();
  }

  /** False when it was over already. */
  private stop(): boolean {
    if (this.over < 0) return false;
    this.over = Number.NEGATIVE_INFINITY;
    this.idle?.stop();
    this.flows?.a.cancel();
    this.flows?.b.cancel();
    return true;
  }
}

/** False where it cannot be done: then the only way to pass an end on is to end altogether. */
function passFin(conn: Conn & { closeWrite?: unknown }): boolean {
  if (conn instanceof SocketConn) {
    // A socket that was reset refuses. The other direction meets that too, after the last bytes.
    conn.sendFin();
    return true;
  }
  if (typeof conn.closeWrite !== 'function') return false;
  try {
    conn.closeWrite();
    return true;
  } catch {
    return false;
  }
}

/** One direction. */
class Flow {
  /** Whether it ended for its limit. */
  readonly done: Promise<boolean>;
  moved = 0;
  /** Once it has failed: at which end. */
  failedAt: 'source' | 'sink' = 'source';
  private readonly stopped = new AbortController();
  private paidUntil = performance.now();

  /** @param rate bytes a second; 0 for as fast as it goes */
  constructor(
    private readonly source: Conn,
    private readonly sink: Conn,
    private readonly limit: number,
    private readonly rate: number,
    private readonly touched: () => void,
  ) {
    this.done = this.pass(this.stopped.signal);
  }

  cancel(): void {
    this.stopped.abort();
  }

  private async pass(signal: AbortSignal): Promise<boolean> {
    while (this.moved < this.limit) {
      const chunk = await this.at('source', () => readFrom(this.source, signal));
      if (chunk === null) break;
      await this.passOn(chunk.subarray(0, this.limit - this.moved), signal);
    }
    await this.at('sink', () => flush(this.sink, signal));
    return this.moved >= this.limit;
  }

  // In pieces of what may pass at once.
  private async passOn(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const { rate } = this;
    const atOnce = rate === 0 ? bytes.length : Math.max(Math.floor(rate / 10), 1);
    for (let i = 0; i < bytes.length; i += atOnce) {
      const piece = bytes.subarray(i, i + atOnce);
      await this.at('sink', () => writeTo(this.sink, piece, signal));
      this.moved += piece.length;
      this.touched();
      if (rate > 0) await this.pace(piece.length, signal);
    }
  }

  // What has passed is paid for with time; up to a tenth of a second of it on credit.
  private async pace(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.paidUntil = Math.max(this.paidUntil, now - 100) + (bytes / this.rate) * 1000;
    if (this.paidUntil <= now) return;
    this.setKeepsAlive(HELD);
    await delay(this.paidUntil - now, undefined, { signal, ref: false });
    this.setKeepsAlive(NOTHING);
  }

  // Between a read and the next one nothing is awaited, but the process lives for a relay.
  private setKeepsAlive(awaited: typeof HELD | typeof NOTHING): void {
    const { source, sink } = this;
    if (source instanceof SocketConn) native.awaitNotice(source.id, READ, awaited);
    else if (sink instanceof SocketConn && sink.writes === null) native.awaitNotice(sink.id, WRITE, awaited);
  }

  private async at<T>(end: 'source' | 'sink', call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (thrown) {
      this.failedAt = end;
      this.moved += (thrown as { bytesWritten?: number } | null)?.bytesWritten ?? 0;
      throw end === 'source' ? asOpError('read', this.source, thrown) : asOpError('write', this.sink, thrown);
    }
  }
}

// A socket is busy for everybody but the relay.
function readFrom(conn: Conn, signal: AbortSignal): Promise<Buffer | null> {
  if (conn instanceof SocketConn) return readNow(conn, null, signal) as Promise<Buffer | null>;
  return conn.read({ signal });
}

function writeTo(conn: Conn, p: Uint8Array, signal: AbortSignal): Promise<number> {
  return conn instanceof SocketConn ? writeNow(conn, p, signal) : conn.write(p, { signal });
}

const EMPTY = new Uint8Array(0);

/** Resolves once what was written before the relay is on its way, so that a FIN does not cut it off. */
async function flush(conn: Conn, signal: AbortSignal): Promise<void> {
  if (conn instanceof SocketConn && conn.writes !== null) await writeNow(conn, EMPTY, signal);
}
