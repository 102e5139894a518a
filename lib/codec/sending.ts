// The sending side of a connection of frames: what is sent before the next turn, or while a write is
// under way, goes out in one system call.

import type { Conn } from '../conn';
import { asError, ErrClosed } from '../errors';
import { advanced, joined, Pending, rejected, without } from '../pending';
import { whenClosed } from '../when-closed';
import { Call, type FrameCallOptions, isLimited, opError } from './call';
import type { Carrier } from './carrier';
import type { Framing } from './framing';
import type { CheckedMessages } from './options';
import { type Body, COPIED, lengthOf, Outbox, type Sendable } from './outbox';
import { AckedCall, type AckedSend, WaitingSend } from './waiting-send';

const NONE: AckedCall[] = [];

/** Settles when the frames that were collected together are with the kernel. */
class Written extends Pending<void> {
  /** Those of them that may be taken back. */
  private acked: AckedCall[] = NONE;

  add(call: AckedCall): void {
    if (this.acked === NONE) this.acked = [];
    this.acked.push(call);
  }

  remove(call: AckedCall): void {
    this.acked.splice(this.acked.indexOf(call), 1);
  }

  /** They are being written. */
  begin(): void {
    for (const call of this.acked) call.begin();
  }

  override resolve(): void {
    super.resolve();
    for (const call of this.acked) call.resolve();
  }

  override fail(error: unknown): void {
    super.fail(error);
    for (const call of this.acked) call.fail(error);
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
  private watching = false;
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
  send(command: number, given: Body, options?: FrameCallOptions): Promise<void> {
    if (options?.signal?.aborted === true) return Promise.reject(options.signal.reason);
    if (this.error !== null) return rejected(this.error);
    const length = lengthOf(given);
    // A call that is given up leaves its frame on its way, and its body to whoever made it.
    const body = isLimited(options) && length > COPIED ? Buffer.from(given as Uint8Array) : given;
    if (this.waiting !== null || this.isFull(length)) return this.sendFull(command, body, length, options);
    const promise = this.put(command, body, length);
    return isLimited(options) ? this.limited(promise, options) : promise;
  }

  /**
   * Sends from the caller's memory, and tells when that is the caller's again. Of a framing without a tail.
   * @param error why nothing may be sent
   */
  sendAcked(command: number, body: Uint8Array, error: Error | null, options: FrameCallOptions = {}): AckedSend {
    const call = new AckedCall(this.conn, command, body, body.length);
    const why = error ?? this.error;
    if (options.signal?.aborted === true) call.abort(options.signal.reason);
    else if (why !== null) call.fail(why);
    else this.enter(call);
    if (call.state === 'buffering' && isLimited(options)) call.limit(options, () => this.takeBack(call));
    return call;
  }

  private enter(call: AckedCall): void {
    if (this.waiting === null && !this.isFull(call.length)) this.putAcked(call);
    else if (!this.refuse(call)) this.wait(call);
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
    return this.expect(before).promise;
  }

  /** The box has grown. */
  private expect(sizeBefore: number): Written {
    this.buffered += this.box.size - sizeBefore;
    this.written ??= new Written();
    this.schedule();
    return this.written;
  }

  private putAcked(call: AckedCall): void {
    const before = this.box.size;
    call.head = this.box.addRemovable(call.command, call.body);
    call.state = 'buffering';
    this.expect(before).add(call);
  }

  private takeBack(call: AckedCall): void {
    if (call.head === null) return this.leave(call);
    const before = this.box.size;
    this.box.remove(call.head, call.length);
    this.buffered += this.box.size - before;
    this.written?.remove(call);
    this.admit();
  }

  private sendFull(command: number, body: Body, length: number, options?: FrameCallOptions): Promise<void> {
    const call = new WaitingSend(this.conn, command, body, length);
    if (this.refuse(call)) return call.promise;
    this.wait(call);
    if (isLimited(options)) call.limit(options, () => this.leave(call));
    return call.promise;
  }

  /** Whether there is no waiting for room. */
  private refuse(call: WaitingSend): boolean {
    const { whenFull, maxBuffered } = this.options;
    if (whenFull === 'wait') return false;
    const error = new BufferFullError(maxBuffered);
    if (whenFull === 'close') this.end(error);
    call.fail(error);
    return true;
  }

  private wait(call: WaitingSend): void {
    this.waiting = joined(this.waiting, call);
    if (call instanceof AckedCall) call.state = 'buffering';
    // Nothing else would make room.
    if (this.corked) this.write();
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
    this.watchConn();
  }

  // While nothing is written, nothing else tells that the connection was closed, past this.
  private watchConn(): void {
    if (this.watching) return;
    this.watching = true;
    // Weakly: a connection that nobody has any more can still be collected.
    const sending = new WeakRef(this);
    whenClosed(this.conn, () => sending.deref()?.end());
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
    // All that was in the box was taken back.
    if (this.box.size === 0) return written.resolve();
    this.inFlight = written;
    written.begin();
    const frames = this.box.take();
    const { parts } = frames;
    const writing = parts.length === 1 ? this.carrier.write(parts[0] as Uint8Array) : this.carrier.writev(parts);
    writing.then(
      () => this.wrote(written, frames),
      (error: unknown) => {
        frames.drop();
        this.end(asError(error));
      },
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
      if (call instanceof AckedCall) this.putAcked(call);
      else this.letIn(call);
    }
    if (this.waiting !== null && this.corked) this.write();
  }

  private letIn(call: WaitingSend): void {
    this.put(call.command, call.body, call.length).then(
      () => call.resolve(),
      (error: unknown) => call.fail(error),
    );
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
    this.box.take().drop();
  }
}
