// The receiving side of a connection of frames: as calls that wait for one, or as batches for a handler.

import { isOfNetwork, isThenable, reportMistake } from '../calling';
import { checkFunction, checkObject } from '../check';
import type { Conn } from '../conn';
import { asError, ErrBusy, ErrClosed, OpError } from '../errors';
import { rejected } from '../pending';
import { PipeConn } from '../pipe/pipe-conn';
import { StreamConn } from '../stream/stream-conn';
import type { FrameBatch } from './batch';
import { type FrameCallOptions, opError } from './call';
import type { Carrier } from './carrier';
import { Decoding, type FrameSink } from './decoding';
import { FrameError } from './frame-error';
import { FrameTimer } from './frame-timer';
import { Inbox } from './inbox';
import type { CheckedMessages } from './options';
import { ReadAhead } from './read-ahead';
import type { UnseenFrame } from './unseen';

/** What else is called in handler style; see onFrames(). */
export interface FrameHandlers {
  /** The peer's stream came to its end, between two frames. Without this function the connection is shut down. */
  end?(): unknown;
  /**
   * The connection failed, or a frame was bad, and it is closed now; or its read deadline passed
   * (`error.timeout`), after which a new one makes it go on.
   */
  error?(error: Error): unknown;
}

/** Is given what is whole, many frames at a time; a promise that it answers with holds up what comes after it. */
export type BatchHandler = (batch: FrameBatch) => unknown;

/** The connection that takes what arrives. */
export interface IntakeOwner<T> {
  /** The message that a frame is to whoever receives it, made when that happens. It may throw, which ends nothing. */
  delivered(frame: UnseenFrame): T;
  /** A control frame. A promise holds up what comes after it. */
  control(command: number, body: Buffer): unknown;
  /** Nothing more arrives: null at the end of the stream. */
  ended(error: Error | null): void;
  /** Nobody else shuts the connection down after its peer. */
  leave(): void;
}

// What is read ahead for control frames may bring other frames along, which wait for receive().
const FOR_CONTROL = 64 * 1024;
// What a message costs besides its bytes, about.
const EMPTY = 64;

export class Intake<T> implements FrameSink {
  private readonly decoding: Decoding;
  private readonly timer: FrameTimer;
  private readonly inbox: Inbox<T>;
  private handler: BatchHandler | null = null;
  private handlers: FrameHandlers = {};
  /** Reads are under way, and how many there were. */
  private reading = false;
  private reads = 0;
  /** The connection is in handler style. */
  private handled = false;
  private paused = false;
  private demanded = false;
  /** Somebody has asked for frames. */
  wasAsked = false;
  private readonly ahead: ReadAhead;
  /** The handler has answered with a promise: from then on chunks are memory of their own. */
  private isSlow = false;
  private canceller: AbortController | null = null;
  /** undefined: more may arrive; null: the stream has ended. */
  private over: Error | null | undefined = undefined;

  constructor(
    private readonly conn: Conn,
    private readonly carrier: Carrier,
    options: CheckedMessages,
    control: number,
    private readonly owner: IntakeOwner<T>,
  ) {
    this.inbox = new Inbox((frame) => owner.delivered(frame));
    this.decoding = new Decoding(options.framing, options.maxFrame, options.resynchronise, control, options.debug);
    this.ahead = new ReadAhead(options.readAhead, (chunk) => this.handleWaiting(chunk));
    this.timer = new FrameTimer(
      options.frameTimeout,
      () => !this.paused && (this.reading || this.handled),
      () => this.fail(new FrameError('timeout', this.decoding.position)),
    );
  }

  get badFrames(): number {
    return this.decoding.badFrames;
  }

  get skippedBytes(): number {
    return this.decoding.skippedBytes;
  }

  receive(options?: FrameCallOptions): Promise<T | null> {
    this.wasAsked = true;
    if (options?.signal?.aborted === true) return Promise.reject(options.signal.reason);
    if (this.handler !== null) return rejected(opError('receive', this.conn, ErrBusy));
    if (!this.inbox.isEmpty) return this.takeOne((message) => message);
    if (this.over !== undefined) return this.over === null ? Promise.resolve(null) : rejected(this.over);
    const message = this.inbox.wait(this.conn, this.awaited, options, () => this.stopIfUnwanted());
    this.readOn();
    return message;
  }

  /** The read that somebody who comes now waits for. */
  private get awaited(): number {
    const { carrier, reads } = this;
    // Its deadline has passed and was moved since, but what waited for it is yet to be told.
    const isOver = this.reading && hasReads(carrier) && carrier.reads === null && carrier.state !== 'readExpired';
    return isOver ? reads + 1 : reads;
  }

  /** A message that is at hand, for an iterator. */
  taken(): Promise<IteratorResult<T, undefined>> | null {
    this.wasAsked = true;
    if (this.inbox.isEmpty || this.handler !== null) return null;
    return this.takeOne((value) => ({ value, done: false }));
  }

  private takeOne<R>(as: (message: T) => R): Promise<R> {
    try {
      return Promise.resolve(as(this.inbox.take()));
    } catch (error) {
      return rejected(error);
    } finally {
      if (this.demanded && this.inbox.isEmpty) this.readOn();
    }
  }

  /** Has frames read although nobody waits for one: control frames are among them. */
  demand(on: boolean): void {
    this.demanded = on;
    // Not at once: onFrames() may be about to be called, which has a faster way.
    if (on) process.nextTick(() => this.readOn());
    else this.stopIfUnwanted();
  }

  private stopIfUnwanted(): void {
    if (!this.wants()) this.canceller?.abort();
  }

  private wants(): boolean {
    if (this.over !== undefined) return false;
    return this.inbox.isWanted || this.handler !== null || (this.demanded && this.inbox.size < FOR_CONTROL);
  }

  // Reading in handler style: at most once, before anything else reads.
  handle(handler: BatchHandler, handlers: FrameHandlers = {}): void {
    checkFunction('handler', handler);
    checkObject('handlers', handlers);
    if (handlers.end !== undefined) checkFunction('handlers.end', handlers.end);
    if (handlers.error !== undefined) checkFunction('handlers.error', handlers.error);
    if (this.handler !== null || this.inbox.isWanted || !this.inbox.isEmpty) {
      throw opError('receive', this.conn, ErrBusy);
    }
    if (this.over !== undefined) throw this.over ?? opError('receive', this.conn, ErrClosed);
    if (!this.reading && hasHandlers(this.carrier)) this.handleConn(this.carrier);
    this.wasAsked = true;
    this.handler = handler;
    this.handlers = handlers;
    this.carrier.whenDeadlineMoves?.(() => this.readOn());
    this.readOn();
  }

  private handleConn(conn: StreamConn | PipeConn): void {
    conn.handle({
      data: (chunk) => this.takeAhead(chunk),
      end: () => this.afterAll(() => this.finish()),
      error: (error) => void this.afterAll(() => this.failed(error)),
    });
    this.handled = true;
  }

  private readOn(): void {
    if (!this.reading && !this.handled && this.wants()) void this.read();
  }

  private async read(): Promise<void> {
    this.reading = true;
    while (this.wants()) {
      this.reads++;
      const chunk = await this.carrier.read(this.readOptions()).catch((error: unknown) => this.readFailed(error));
      if (chunk === undefined) break;
      try {
        await (chunk === null ? this.afterAll(() => this.finish()) : this.takeAhead(chunk));
      } catch (error) {
        this.handlerFailed(error);
      }
    }
    this.reading = false;
  }

  // A read for somebody who may give up can be given up as well: it would keep the process alive.
  private readOptions(): { signal?: AbortSignal } {
    if (!this.demanded && !this.inbox.isLimited) return {};
    if (this.canceller === null || this.canceller.signal.aborted) this.canceller = new AbortController();
    return { signal: this.canceller.signal };
  }

  /** undefined: no more is read for now. An empty chunk: again. */
  private readFailed(error: unknown): Buffer | undefined {
    const { canceller } = this;
    if (canceller?.signal.aborted === true && error === canceller.signal.reason) {
      return this.wants() ? Buffer.alloc(0) : undefined;
    }
    this.failed(asError(error));
    return this.over === undefined && this.inbox.isWanted ? Buffer.alloc(0) : undefined;
  }

  private take(chunk: Buffer): Promise<void> | undefined {
    let held: Promise<void> | undefined;
    try {
      held = this.decoding.feed(chunk, this);
    } catch (error) {
      this.quitSoon();
      throw error;
    }
    this.note();
    return held === undefined ? undefined : this.pauseFor(held);
  }

  /** The same, with a slow handler: what it has no time for yet waits here, as far as there is room. */
  private takeAhead(chunk: Buffer): Promise<void> | undefined {
    if (this.ahead.pending !== null) return this.ahead.add(chunk);
    const held = this.take(chunk);
    if (held === undefined || this.handler === null || this.ahead.most === 0) return held;
    const first = !this.isSlow;
    this.isSlow = true;
    // Memory that is lent, as the first chunk's may be, is for the time until its promise settles.
    if (first) return held;
    this.ahead.begin(held.catch((error: unknown) => this.handlerFailed(error)));
    return undefined;
  }

  private handleWaiting(chunk: Buffer): Promise<void> | undefined {
    if (this.stopped) return undefined;
    try {
      return this.take(chunk)?.catch((error: unknown) => this.handlerFailed(error));
    } catch (error) {
      this.handlerFailed(error);
      return undefined;
    }
  }

  private afterAll<T>(next: () => T): T | Promise<T> {
    const { pending } = this.ahead;
    return pending === null ? next() : pending.then(next);
  }

  private async pauseFor(held: Promise<void>): Promise<void> {
    this.paused = true;
    try {
      await held;
    } catch (error) {
      this.quitSoon();
      throw error;
    }
    this.paused = false;
    this.note();
  }

  // A handler failed, and the connection is about to be closed for it, or failed for what the network did.
  private quitSoon(): void {
    process.nextTick(() => this.fail(opError('receive', this.conn, ErrClosed)));
  }

  private note(): void {
    if (!this.stopped) this.timer.note(this.decoding.held > 0, this.decoding.found);
  }

  /** As a sink: nothing more is wanted. */
  get stopped(): boolean {
    return this.over !== undefined;
  }

  /** As a sink. */
  frames(batch: FrameBatch, control: boolean): unknown {
    if (control) return this.owner.control(batch.command(0), this.decoding.ownBody(batch));
    if (this.handler !== null) return this.handler(batch);
    this.decoding.eachOwn(batch, (frame) => this.inbox.put(frame, frame.length + EMPTY));
    return undefined;
  }

  /** As a sink. */
  bad(error: FrameError): void {
    this.fail(error);
  }

  private finish(): Promise<void> | undefined {
    const held = this.decoding.finish(this);
    if (held !== undefined) return held.then(() => this.ended());
    this.ended();
    return undefined;
  }

  private ended(): void {
    if (this.over !== undefined) return;
    this.over = null;
    this.settle(null);
    this.owner.ended(null);
    if (this.handler === null) return;
    if (this.handlers.end === undefined) this.owner.leave();
    else this.tell(this.handlers.end);
  }

  /** The connection's own error; after a deadline it may go on. */
  private failed(error: Error): void {
    if (!(error instanceof OpError && error.timeout) || this.conn.state === 'closed') return this.fail(error);
    if (this.handler === null) this.expire(error);
    else if (this.handlers.error === undefined || !this.goesOn) this.fail(error);
    else this.tell(() => this.handlers.error?.(error));
  }

  /** Whether a handler may have more after a deadline. */
  private get goesOn(): boolean {
    return this.handled || this.carrier.whenDeadlineMoves !== undefined;
  }

  /** No more arrives: for the given reason. */
  fail(error: Error): void {
    if (this.over !== undefined) return;
    this.over = error;
    this.settle(error);
    this.conn.close();
    this.owner.ended(error);
    if (this.handler !== null && this.handlers.error !== undefined && !this.closedHere(error)) {
      this.tell(() => this.handlers.error?.(error));
    }
  }

  private closedHere(error: Error): boolean {
    return error.cause === ErrClosed;
  }

  private expire(error: Error): void {
    this.timer.stop();
    this.inbox.expire(this.reads, error);
  }

  private settle(error: Error | null): void {
    this.timer.stop();
    this.inbox.settle(error);
    this.canceller?.abort();
  }

  private tell(fn: () => unknown): void {
    try {
      const answer = fn.call(this.handlers);
      if (isThenable(answer)) answer.then(undefined, (error: unknown) => this.handlerFailed(error));
    } catch (error) {
      this.handlerFailed(error);
    }
  }

  private handlerFailed(error: unknown): void {
    if (isOfNetwork(error)) return this.fail(error);
    this.fail(opError('receive', this.conn, ErrClosed));
    // Which knows the Server that it belongs to.
    if (this.conn instanceof StreamConn) this.conn.handlerFailed(error);
    else reportMistake(this.conn, null, error);
  }
}

// Others may have no handler style, or lend chunks that cannot be retained: they are read.
function hasReads(carrier: Carrier): carrier is Carrier & { readonly reads: object | null } {
  return hasHandlers(carrier);
}

function hasHandlers(carrier: Carrier): carrier is StreamConn | PipeConn {
  return carrier instanceof StreamConn || carrier instanceof PipeConn;
}
