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

export type BatchHandler = (batch: FrameBatch) => unknown;

/** The connection that takes what arrives. */
export interface IntakeOwner<M> {
  messageOf(command: number, body: Buffer): M;
  /** A control frame. A promise holds up what comes after it. */
  control(command: number, body: Buffer): unknown;
  /** Nothing more arrives: null at the end of the stream. */
  ended(error: Error | null): void;
}

// What is read ahead for control frames may bring other frames along, which wait for receive().
const READ_AHEAD = 64 * 1024;
// What a message costs besides its bytes, about.
const EMPTY = 64;

export class Intake<M> implements FrameSink {
  private readonly decoding: Decoding;
  private readonly timer: FrameTimer;
  private readonly inbox = new Inbox<M>();
  private handler: BatchHandler | null = null;
  private handlers: FrameHandlers = {};
  /** A read is under way. */
  private reading = false;
  /** The connection is in handler style. */
  private handled = false;
  private paused = false;
  private demanded = false;
  private canceller: AbortController | null = null;
  /** undefined: more may arrive; null: the stream has ended. */
  private over: Error | null | undefined = undefined;

  constructor(
    private readonly conn: Conn,
    private readonly carrier: Carrier,
    options: CheckedMessages,
    control: number,
    private readonly owner: IntakeOwner<M>,
  ) {
    this.decoding = new Decoding(options.framing, options.maxFrame, options.resynchronise, control, options.debug);
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

  receive(options?: FrameCallOptions): Promise<M | null> {
    if (options?.signal?.aborted === true) return Promise.reject(options.signal.reason);
    if (this.handler !== null) return rejected(opError('receive', this.conn, ErrBusy));
    if (!this.inbox.isEmpty) return Promise.resolve(this.takeOne());
    if (this.over !== undefined) return this.over === null ? Promise.resolve(null) : rejected(this.over);
    const message = this.inbox.wait(this.conn, options, () => this.stopIfUnwanted());
    this.readOn();
    return message;
  }

  /** A message that is at hand, for an iterator. */
  taken(): Promise<IteratorResult<M, undefined>> | null {
    if (this.inbox.isEmpty || this.handler !== null) return null;
    return Promise.resolve({ value: this.takeOne(), done: false });
  }

  private takeOne(): M {
    const message = this.inbox.take();
    if (this.demanded && this.inbox.isEmpty) this.readOn();
    return message;
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
    return this.inbox.isWanted || this.handler !== null || (this.demanded && this.inbox.size < READ_AHEAD);
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
    this.handler = handler;
    this.handlers = handlers;
    this.readOn();
  }

  private handleConn(conn: StreamConn | PipeConn): void {
    conn.handle({
      data: (chunk) => this.take(chunk),
      end: () => this.finish(),
      error: (error) => this.failed(error),
    });
    this.handled = true;
  }

  private readOn(): void {
    if (!this.reading && !this.handled && this.wants()) void this.read();
  }

  private async read(): Promise<void> {
    this.reading = true;
    while (this.wants()) {
      const chunk = await this.carrier.read(this.readOptions()).catch((error: unknown) => this.readFailed(error));
      if (chunk === undefined) break;
      try {
        await (chunk === null ? this.finish() : this.take(chunk));
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
    return undefined;
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
    if (control) return this.owner.control(batch.command(0), this.decoding.ownBody(batch, 0));
    if (this.handler !== null) return this.handler(batch);
    for (let i = 0; i < batch.count; i++) {
      const body = this.decoding.ownBody(batch, i);
      this.inbox.put(this.owner.messageOf(batch.command(i), body), body.length + EMPTY);
    }
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
    if (this.handlers.end === undefined) void this.carrier.shutdown();
    else this.tell(this.handlers.end);
  }

  /** The connection's own error; after a deadline it may go on. */
  private failed(error: Error): void {
    if (!(error instanceof OpError && error.timeout) || this.conn.state === 'closed') return this.fail(error);
    if (this.handler === null) this.settle(error);
    else if (this.handlers.error === undefined || !this.handled) this.fail(error);
    else this.tell(() => this.handlers.error?.(error));
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
function hasHandlers(carrier: Carrier): carrier is StreamConn | PipeConn {
  return carrier instanceof StreamConn || carrier instanceof PipeConn;
}
