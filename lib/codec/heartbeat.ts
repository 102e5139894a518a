// A connection whose frames pass through a session on an I/O thread: native/session/session.h.
//
// The thread reads and decodes, beats, and keeps to the credit. This side takes whole frames from it, as bytes
// without those that the session says of itself, and gives it whole frames. For as long as the thread has the
// descriptor a turn of this stands in the connection's line of reads and in that of writes, so that nobody else
// gets at it, and so that a deadline or close() is heard of.

import type { Addr } from '../addr';
import { AGAIN, ALWAYS, CHUNK, EXPIRED, NOTHING, native, READ, WRITE } from '../binding';
import { ownChunk } from '../chunk';
import { shutdownTimeout } from '../closing';
import type { CallOptions, ConnState, ShutdownOptions } from '../conn';
import { MAX_TIMER } from '../deadline';
import { unwatch, type Waiter, watch } from '../dispatch';
import { causeOf, ErrBusy, ErrClosed, ErrCreditExceeded, ErrPeerLost, SyscallError, withCount } from '../errors';
import { FIGURE_WORDS } from '../health/figures';
import { Health, type HealthSource } from '../health/health';
import { Pending, rejected } from '../pending';
import { takeFrontBytes } from '../stream/front';
import type { SocketConn } from '../stream/socket-conn';
import { exhausted, renew, spend } from '../turn';
import type { Carrier } from './carrier';
import { FrameError } from './frame-error';
import type { HeaderBody } from './header-body';
import { HeldTurn, type Holder } from './held-turn';

// In the order of SessionEnd (native/session/session.h).
const READ_FAILED = 1;
const WRITE_FAILED = 2;
const LOST = 3;
const FRAME_TIMEOUT = 4;
const BREACH = 5;

const KERNEL_HAS_IT = 1;

export interface CheckedHeartbeat {
  /** Bytes of frames that may wait here. */
  window: number;
  /** As wordsOf() has them. */
  health: Float64Array;
}

class PendingRead extends Pending<Buffer | null> {}

class PendingWrite extends Pending<number> {
  /** @param from how many bytes had been sent before those of this one */
  constructor(
    readonly op: 'write' | 'writev',
    readonly from: number,
    readonly size: number,
  ) {
    super();
  }
}

/** @internal */
export class Heartbeat implements Carrier, Waiter, HealthSource, Holder {
  /** @internal Of the session. */
  readonly id: number;
  readonly health: Health;
  private reading: PendingRead | null = null;
  private writing: PendingWrite | null = null;
  /** Bytes that were received, and sent or waiting to be. */
  private received = 0;
  private put = 0;
  /** Why nothing can be done any more; a FrameError is a reader's alone. */
  private over: Error | null = null;
  /** What had been received by then and nobody had read. */
  private rest: Buffer[] = [];
  /** The thread has let go. */
  private ended = false;
  private finalFigures: Float64Array | null = null;
  private whenClosed: (() => void) | null = null;
  private immediate: NodeJS.Immediate | null = null;
  private onDeadline: (() => void) | null = null;

  /** @throws OpError `op: 'heartbeat'` where something else uses the connection, or no thread can be started */
  constructor(
    private readonly conn: SocketConn,
    framing: HeaderBody,
    maxFrame: number,
    frameTimeout: number,
    { window, health }: CheckedHeartbeat,
  ) {
    this.refuseIfUsed();
    const layout = Int32Array.from(framing.layout);
    const seed = Math.floor(Math.random() * 2 ** 32);
    const first = takeFrontBytes(conn, Number.POSITIVE_INFINITY) ?? undefined;
    this.id = conn.asOp('heartbeat', () =>
      native.openSession(conn.id, layout, maxFrame, window, frameTimeout, health, seed, first),
    );
    if (this.id < 0) throw conn.error('heartbeat', causeOf(this.id, 'read'));
    this.health = new Health(this);
    watch(this);
    new HeldTurn(this, READ).join(conn);
    new HeldTurn(this, WRITE).join(conn);
  }

  private refuseIfUsed(): void {
    const { conn } = this;
    if (conn.id < 0 || conn.closing !== null) throw conn.error('heartbeat', ErrClosed);
    const idle = !conn.busy && conn.flow === null && conn.reads === null && conn.writes === null;
    if (!idle || conn.guard !== null) throw conn.error('heartbeat', ErrBusy);
  }

  // As a carrier.

  get state(): ConnState {
    return this.conn.state;
  }

  get localAddr(): Addr {
    return this.conn.localAddr;
  }

  get remoteAddr(): Addr {
    return this.conn.remoteAddr;
  }

  close(): boolean {
    return this.conn.close();
  }

  /** One at a time. */
  read({ signal }: CallOptions = {}): Promise<Buffer | null> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (this.conn.id >= 0 && this.conn.expired(READ)) return rejected(this.conn.failure('read', EXPIRED));
    const call = new PendingRead();
    this.reading = call;
    if (exhausted()) this.readNextTurn();
    else this.pumpRead();
    if (this.reading === call) this.waitToRead(call, signal);
    return call.promise;
  }

  private waitToRead(call: PendingRead, signal: AbortSignal | undefined): void {
    native.awaitNotice(this.conn.id, READ, ALWAYS);
    if (signal === undefined) return;
    call.abortOn(signal, () => {
      this.reading = null;
      this.awaitNothing(READ);
    });
  }

  // Nobody waits: the process does not live for it.
  private awaitNothing(side: number): void {
    if (this.conn.id >= 0) native.awaitNotice(this.conn.id, side, NOTHING);
  }

  private readNextTurn(): void {
    this.immediate ??= setImmediate(() => {
      this.immediate = null;
      renew();
      this.pumpRead();
    });
  }

  whenDeadlineMoves(call: () => void): void {
    this.onDeadline = call;
  }

  private pumpRead(): void {
    const { reading } = this;
    if (reading === null) return this.discardIfClosing();
    const chunk = this.take();
    if (chunk === undefined) return;
    this.reading = null;
    this.awaitNothing(READ);
    if (chunk instanceof Error) reading.fail(chunk);
    else reading.resolve(chunk);
    if (chunk === null && this.whenClosed !== null) this.conn.close();
  }

  /** The next bytes; null at the end of the stream, undefined where there is nothing yet. */
  private take(): Buffer | Error | null | undefined {
    if (this.ended || this.over !== null) return this.takeRest();
    const n = native.takeFrames(this.id, CHUNK);
    if (n === AGAIN) return undefined;
    if (n > 0) {
      spend(n);
      this.received += n;
      return ownChunk(n);
    }
    this.finishIfOver();
    if (this.over !== null) return this.takeRest();
    this.conn.ended = true;
    return null;
  }

  private takeRest(): Buffer | Error {
    return this.rest.shift() ?? this.errorOf('read');
  }

  write(p: Uint8Array): Promise<number> {
    return this.send('write', [p]);
  }

  writev(list: readonly Uint8Array[]): Promise<number> {
    return this.send('writev', list);
  }

  /** Whole frames; one call at a time. */
  private send(op: 'write' | 'writev', list: readonly Uint8Array[]): Promise<number> {
    const { conn } = this;
    if (this.over !== null) return rejected(withCount(this.errorOf(op), 0));
    if (conn.expired(WRITE)) return rejected(withCount(conn.failure(op, EXPIRED), 0));
    const size = list.reduce((sum, { length }) => sum + length, 0);
    const status = native.putFrames(this.id, list);
    if (status < 0) return rejected(withCount(conn.failure(op, status), 0));
    const from = this.put;
    this.put += size;
    if (status === KERNEL_HAS_IT) return Promise.resolve(size);
    this.writing = new PendingWrite(op, from, size);
    native.awaitNotice(conn.id, WRITE, ALWAYS);
    return this.writing.promise;
  }

  private pumpWrite(): void {
    const { writing } = this;
    if (writing === null || this.sentOf(writing) < writing.size) return;
    this.writing = null;
    this.awaitNothing(WRITE);
    writing.resolve(writing.size);
  }

  private sentOf({ from, size }: PendingWrite): number {
    return Math.min(Math.max(native.framesSent(this.id) - from, 0), size);
  }

  /** As Conn's: FIN, and what arrives is read by who waits, or discarded, until the peer's. */
  shutdown(options: ShutdownOptions = {}): Promise<void> {
    const timeout = shutdownTimeout(options);
    if (this.over !== null) return Promise.resolve();
    native.finishFrames(this.id);
    const timer = setTimeout(() => this.conn.close(), Math.min(timeout, MAX_TIMER));
    return new Promise((resolve) => {
      this.whenClosed = () => {
        clearTimeout(timer);
        resolve();
      };
      this.pumpRead();
    });
  }

  private discardIfClosing(): void {
    if (this.whenClosed === null || this.over !== null) return;
    while (!exhausted()) {
      const chunk = this.take();
      if (chunk === undefined) return;
      if (!Buffer.isBuffer(chunk)) return void this.conn.close();
    }
    this.readNextTurn();
  }

  // As a source of health.

  figures(words: Float64Array): void {
    if (this.finalFigures !== null) words.set(this.finalFigures);
    else native.sessionFigures(this.id, words);
  }

  setInterval(milliseconds: number): void {
    native.setSessionInterval(this.id, milliseconds);
  }

  // From the turns in the connection's lines.

  /** @internal A deadline of the connection has passed. */
  expired(side: number): void {
    if (side === READ) this.failRead(() => this.conn.failure('read', EXPIRED));
    else this.failWrite((op) => this.conn.failure(op, EXPIRED));
  }

  /** @internal */
  readDeadlineMoved(): void {
    this.onDeadline?.();
  }

  /** @internal Somebody closed the connection. */
  connClosed(): void {
    if (this.over !== null) return;
    this.over = ErrClosed;
    native.stopSession(this.id);
    this.settle();
  }

  /** @internal From the reactor: there is something to look at. */
  notice(): void {
    this.health.tell(native.sessionTransitions(this.id));
    this.finishIfOver();
    if (this.ended) return;
    if (exhausted()) this.readNextTurn();
    else this.pumpRead();
    this.pumpWrite();
  }

  private finishIfOver(): void {
    if (this.ended) return;
    const end = native.sessionEnd(this.id);
    if (end !== undefined) this.finish(end);
  }

  // The thread has let go. What was received comes before what ended it.
  private finish([how, errno]: [how: number, errno: number]): void {
    if (this.over === null) this.keepRest();
    this.over ??= this.causeOf(how, errno);
    this.health.tell(native.sessionTransitions(this.id));
    const figures = new Float64Array(FIGURE_WORDS);
    native.sessionFigures(this.id, figures);
    this.finalFigures = figures;
    this.settle();
    this.ended = true;
    unwatch(this.id);
    native.closeSession(this.id);
    this.conn.close();
  }

  private keepRest(): void {
    for (let n = native.takeFrames(this.id, CHUNK); n > 0; n = native.takeFrames(this.id, CHUNK)) {
      this.rest.push(ownChunk(n));
      this.received += n;
    }
  }

  private causeOf(how: number, errno: number): Error {
    if (how === READ_FAILED) return new SyscallError('read', errno);
    if (how === WRITE_FAILED) return new SyscallError('write', errno);
    if (how === LOST) return ErrPeerLost;
    if (how === BREACH) return ErrCreditExceeded;
    if (how === FRAME_TIMEOUT) return new FrameError('timeout', this.received);
    return ErrClosed;
  }

  private errorOf(op: string): Error {
    const cause = this.over as Error;
    if (cause instanceof FrameError) return op === 'read' ? cause : this.conn.error(op, ErrClosed);
    return this.conn.error(op, cause);
  }

  private settle(): void {
    if (this.reading !== null && this.rest.length > 0) this.pumpRead();
    this.failRead(() => this.errorOf('read'));
    this.failWrite((op) => this.errorOf(op));
    this.whenClosed?.();
    this.whenClosed = null;
  }

  private failRead(error: () => Error): void {
    const { reading } = this;
    this.reading = null;
    reading?.fail(error());
  }

  private failWrite(error: (op: string) => Error): void {
    const { writing } = this;
    this.writing = null;
    if (writing !== null) writing.fail(withCount(error(writing.op), this.sentOf(writing)));
  }
}
