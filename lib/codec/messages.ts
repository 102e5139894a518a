// What FramedConn and MessageConn have in common: frames over a connection.

import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { Addr } from '../addr';
import { checkBytesOrText, checkMethods } from '../check';
import { shutdownTimeout } from '../closing';
import type { Conn, ShutdownOptions } from '../conn';
import { MAX_TIMER } from '../deadline';
import { ErrClosed, outOfRange } from '../errors';
import { layOver } from '../layer';
import { checked, rejected } from '../pending';
import { checkCall, type FrameCallOptions, opError } from './call';
import type { Carrier } from './carrier';
import type { Framing } from './framing';
import { type BatchHandler, type FrameHandlers, Intake, type IntakeOwner } from './intake';
import { type CheckedMessages, type MessageOptions, messageOptions } from './options';
import { type Body, lengthOf } from './outbox';
import { Sending } from './sending';
import type { UnseenFrame } from './unseen';

/**
 * Whole messages over a connection. From then on the connection is this object's: it alone reads, writes
 * and closes it. Deadlines set on it hold, and one that passes inside a frame that is being written ends
 * the connection.
 */
export abstract class Messages<T> implements AsyncIterable<T>, AsyncDisposable, Disposable {
  /** The connection that carries the frames. */
  readonly conn: Conn;
  /** @internal */
  protected readonly carrier: Carrier;
  /** @internal */
  protected readonly sending: Sending;
  /** @internal */
  protected readonly intake: Intake<T>;
  private readonly options: CheckedMessages;
  private closing: Promise<void> | null = null;
  private closed = false;

  /**
   * @internal
   * @param carry what the frames travel over; the connection itself, unless something lies in between
   */
  constructor(
    conn: Conn,
    framing: Framing,
    options: MessageOptions,
    control: number,
    carry: (checked: CheckedMessages) => Carrier = () => conn,
  ) {
    checkMethods('conn', conn, 'read');
    this.options = messageOptions(framing, options);
    this.conn = conn;
    this.carrier = carry(this.options);
    this.sending = new Sending(conn, this.carrier, framing, this.options, (error) => {
      conn.close();
      this.intake.fail(error);
    });
    this.intake = new Intake<T>(conn, this.carrier, this.options, control, this.asOwner());
    layOver(conn, this);
  }

  /**
   * Resolves to the next message, whose memory is the caller's; null at the end of the stream, if it lies
   * between two frames. Several calls may wait; a deadline or a signal ends its own call alone, and
   * nothing is lost.
   * @throws FrameError for a bad frame, after all that came before it; OpError `op: 'receive'` or `'read'`;
   *   DecodeError, after which others may come, where a serialiser cannot decode a body
   */
  receive(options?: FrameCallOptions): Promise<T | null> {
    try {
      checkCall(options);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.intake.receive(options);
  }

  /**
   * Handler style, the fastest: all that is whole is handed over at once, lent for the time of the call; a
   * promise holds up what comes after it. Once, and before anything is received in another way. An error
   * that the handler throws closes the connection, as for Conn.handle(). Bodies are as they came: a
   * serialiser is for the handler to ask.
   * @throws OpError with the cause ErrBusy where something was received in another way, or the cause ErrClosed
   */
  onFrames(handler: BatchHandler, handlers: FrameHandlers = {}): void {
    this.intake.handle(handler, handlers);
  }

  /** receive() until the end of the stream; closing ends it without an error. `break` closes nothing and loses nothing. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    // By hand: an async generator costs more than all else that is done for a small message.
    return { next: () => this.intake.taken() ?? this.nextMessage() };
  }

  private async nextMessage(): Promise<IteratorResult<T, undefined>> {
    const message = await this.receive().catch((error: unknown) => {
      if (this.closed && (error as Error).cause === ErrClosed) return null;
      throw error;
    });
    return message === null ? { value: undefined, done: true } : { value: message, done: false };
  }

  /** Messages are collected, up to `maxBuffered`, until flush(). */
  cork(): void {
    this.sending.cork();
  }

  /** Writes what was collected, and what follows as it comes. Fulfils when the kernel has all that was sent so far. */
  flush(): Promise<void> {
    const flushed = this.sending.flush();
    flushed.catch(() => {});
    return flushed;
  }

  /** Bytes that were sent here and that the kernel has not taken yet. */
  get bufferedBytes(): number {
    return this.sending.buffered;
  }

  /** Bad frames, and stretches of bytes that were none, that were skipped. */
  get badFrames(): number {
    return this.intake.badFrames;
  }

  /** Bytes that were skipped for them. */
  get skippedBytes(): number {
    return this.intake.skippedBytes;
  }

  /** The connection's. */
  get localAddr(): Addr {
    return this.conn.localAddr;
  }

  /** The connection's. */
  get remoteAddr(): Addr {
    return this.conn.remoteAddr;
  }

  /** Closes the connection at once: waiting calls reject with `ERR_SPLICEWAY_CLOSED`. True for the call that closed it. */
  close(): boolean {
    this.closed = true;
    const closed = this.conn.close();
    this.intake.fail(opError('receive', this.conn, ErrClosed));
    this.sending.end();
    return closed;
  }

  /**
   * Closes gracefully: no new messages; those that were sent are written; then as Conn.shutdown(). What is
   * not done after `timeout` milliseconds, default 5000, is given up. Never rejects for what the peer does.
   */
  shutdown(options: ShutdownOptions = {}): Promise<void> {
    return checked(
      () => shutdownTimeout(options),
      (timeout) => {
        this.closing ??= this.shutDown(timeout);
        return this.closing;
      },
    );
  }

  private async shutDown(timeout: number): Promise<void> {
    const until = performance.now() + timeout;
    const left = () => Math.max(until - performance.now(), 0);
    await inTime(this.finish(), left());
    await inTime(this.sending.flush(), left());
    this.closed = true;
    await this.carrier.shutdown({ timeout: left() });
    this.close();
  }

  /** @internal */
  protected get maxFrame(): number {
    return this.options.maxFrame;
  }

  /** @internal What has to be done before the last message. */
  protected async finish(): Promise<void> {}

  /** @internal */
  protected get isClosing(): boolean {
    return this.closing !== null || this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return `${this.constructor.name} { ${inspect(this.conn)} }`;
  }

  /** @internal */
  protected checkBody(body: unknown, overhead = 0): asserts body is Body {
    checkBytesOrText('body', body);
    const { framing, maxFrame } = this.options;
    const length = lengthOf(body);
    const most = maxFrame - overhead;
    if (length > most) throw outOfRange('body.length', `<= ${most}, as maxFrame has it`, length);
    framing.checkBody(body);
  }

  /** @internal */
  protected sendFrame(command: number, body: Body, options?: FrameCallOptions): Promise<void> {
    if (this.isClosing) return rejected(opError('send', this.conn, ErrClosed));
    return this.sending.send(command, body, options);
  }

  private asOwner(): IntakeOwner<T> {
    return {
      delivered: (frame) => this.delivered(frame),
      control: (command, body) => this.control(command, body),
      ended: (error) => this.intakeEnded(error),
      leave: () => this.leave(),
    };
  }

  /** @internal Once all that is to be answered is answered. */
  protected leave(): void {
    void this.shutdown();
  }

  /** @internal */
  protected abstract delivered(frame: UnseenFrame): T;

  /** @internal */
  protected control(_command: number, _body: Buffer): unknown {
    return undefined;
  }

  /** @internal */
  protected intakeEnded(error: Error | null): void {
    if (error?.cause === ErrClosed) this.sending.end();
    else if (error !== null) this.sending.end(error);
  }
}

/** Waits for it, or for so long. */
async function inTime(work: Promise<void>, timeout: number): Promise<void> {
  const timer = new AbortController();
  const late = sleep(Math.min(timeout, MAX_TIMER), undefined, { signal: timer.signal }).catch(() => {});
  await Promise.race([work.catch(() => {}), late]);
  timer.abort();
}
