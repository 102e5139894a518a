// The sending side of a connection of frames: what is sent before the next turn, or while a write is
// under way, goes out in one system call.

import type { Conn } from '../conn';
import { asError, ErrClosed } from '../errors';
import { advanced, joined, Pending, rejected, without } from '../pending';
import { Call, type FrameCallOptions, isLimited, opError } from './call';
import type { Carrier } from './carrier';
import type { Framing } from './framing';
import type { CheckedMessages } from './options';
import { type Body, lengthOf, Outbox, type Sendable } from './outbox';

/** Settles when the frames that were collected together are with the kernel. */
class Written extends Pending<void> {}

/** A send() that waits for room. */
class WaitingSend extends Call<void> {
  constructor(
    conn: Conn,
    readonly command: number,
    readonly body: Body,
    readonly length: number,
  ) {
    super('send', conn);
  }
}

/** A send() that `maxBuffered` leaves no room for, where `whenFull` is not `'wait'`. */
export class BufferFullError extends Error {
  readonly code = 'ERR_SPLICEWAY_BUFFER_FULL';

  constructor(max: number) {
    super(`more than ${max} bytes wait to be written`);
    this.name = 'BufferFullError';
  }
}

export class Sending {
  /** Bytes of frames that the kernel has not taken yet. */
  buffered = 0;
  private readonly box: Outbox;
  /** For what is in the box. */
  private written: Written | null = null;
  private inFlight: Written | null = null;
  private waiting: WaitingSend | null = null;
  private scheduled = false;
  private corked = false;
  private error: Error | null = null;

  /** @param onFailed is told why nothing more can be sent, once */
  constructor(
    private readonly conn: Conn,
    private readonly carrier: Carrier,
    private readonly framing: Framing,
    private readonly options: CheckedMessages,
    private readonly onFailed: (error: Error) => void,
  ) {
    this.box = new Outbox(framing);
  }

  /** The body must not change until the promise settles. */
  send(command: number, body: Body, options?: FrameCallOptions): Promise<void> {
    if (options?.signal?.aborted === true) return Promise.reject(options.signal.reason);
    if (this.error !== null) return rejected(this.error);
    const length = lengthOf(body);
    if (this.waiting !== null || this.isFull(length)) return this.sendFull(command, body, length, options);
    const promise = this.put(command, body, length);
    return isLimited(options) ? this.limited(promise, options) : promise;
  }

  /** For what must not wait behind anything that can: it is neither held back nor refused. */
  urge(command: number, body: Body): Promise<void> {
    return this.error !== null ? rejected(this.error) : this.put(command, body, lengthOf(body));
  }

  private isFull(length: number): boolean {
    const size = this.framing.head(length) + length + this.framing.tail;
    return this.buffered > 0 && this.buffered + size > this.options.maxBuffered;
  }

  private put(command: number, body: Body, length: number): Promise<void> {
    const before = this.box.size;
    this.box.add(command, body, length);
    this.buffered += this.box.size - before;
    this.written ??= new Written();
    this.schedule();
    return this.written.promise;
  }

  private sendFull(command: number, body: Body, length: number, options?: FrameCallOptions): Promise<void> {
    const { whenFull, maxBuffered } = this.options;
    if (whenFull !== 'wait') {
      const error = new BufferFullError(maxBuffered);
      if (whenFull === 'close') this.end(error);
      return rejected(error);
    }
    const call = new WaitingSend(this.conn, command, body, length);
    this.waiting = joined(this.waiting, call);
    if (isLimited(options)) call.limit(options, () => this.leave(call));
    // Nothing else would make room.
    if (this.corked) this.write();
    return call.promise;
  }

  private leave(call: WaitingSend): void {
    this.waiting = without(this.waiting, call);
  }

  // Its bytes are laid out already, and half a frame must never go out: the frame does, whoever waits.
  private limited(promise: Promise<void>, options: FrameCallOptions): Promise<void> {
    const call = new Call<void>('send', this.conn);
    call.limit(options, () => {});
    promise.then(
      () => call.resolve(),
      (error: unknown) => call.fail(error),
    );
    return call.promise;
  }

  /** Frames are collected until flush(). */
  cork(): void {
    this.corked = true;
  }

  /** Writes what was collected; settles when all that was sent so far is with the kernel. */
  async flush(): Promise<void> {
    this.corked = false;
    this.write();
    const sent: (Pending<void> | null)[] = [this.inFlight, this.written];
    for (let call = this.waiting; call !== null; call = call.next) sent.push(call);
    await Promise.allSettled(sent.map((call) => call?.promise));
    if (this.error !== null) throw this.error;
  }

  private schedule(): void {
    if (this.scheduled || this.corked || this.inFlight !== null) return;
    this.scheduled = true;
    process.nextTick(() => {
      this.scheduled = false;
      if (!this.corked) this.write();
    });
  }

  private write(): void {
    const { written } = this;
    if (written === null || this.inFlight !== null) return;
    this.written = null;
    this.inFlight = written;
    const frames = this.box.take();
    const { parts } = frames;
    const writing = parts.length === 1 ? this.carrier.write(parts[0] as Uint8Array) : this.carrier.writev(parts);
    writing.then(
      () => this.wrote(written, frames),
      (error: unknown) => this.end(asError(error)),
    );
  }

  private wrote(written: Written, frames: Sendable): void {
    this.inFlight = null;
    this.buffered -= frames.size;
    frames.done();
    written.resolve();
    this.admit();
    if (!this.corked) this.write();
  }

  /** Lets those in that wait for room. */
  private admit(): void {
    while (this.waiting !== null && !this.isFull(this.waiting.length)) {
      const call = this.waiting;
      this.waiting = advanced(call);
      this.put(call.command, call.body, call.length).then(
        () => call.resolve(),
        (error: unknown) => call.fail(error),
      );
    }
    if (this.waiting !== null && this.corked) this.write();
  }

  /** Nothing more can be sent: the stream may have come to an end inside a frame. */
  end(error: Error = opError('send', this.conn, ErrClosed)): void {
    if (this.error !== null) return;
    this.error = error;
    this.onFailed(error);
    this.inFlight?.fail(error);
    this.written?.fail(error);
    const first = this.waiting;
    this.waiting = this.written = this.inFlight = null;
    for (let call = first; call !== null; call = call.next) call.fail(error);
    this.buffered = 0;
  }
}
