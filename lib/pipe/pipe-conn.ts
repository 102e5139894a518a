// An end of a pipe. This class keeps its state; meeting.ts brings reads and writes together,
// flowing.ts serves a handler, closing.ts shuts down.
//
//   read(), write()   join the line of their direction, which then meets the other end's
//   settle()          after every change of a line: what depends on whether something waits

import { inspect, types } from 'node:util';
import { type Addr, PipeAddr } from '../addr';
import { isOfNetwork, reportMistake, tell } from '../calling';
import { checkBytes, checkList, signalOf, toBytes } from '../check';
import { shutdownTimeout } from '../closing';
import type { CallOptions, Conn, ConnHandlers, ConnState, ShutdownOptions } from '../conn';
import { type Deadline, toEpoch } from '../deadline';
import { closedPipe, ErrBusy, ErrDeadlineExceeded, OpError, withCount } from '../errors';
import { untilClosed } from '../iterating';
import { joined, rejected, without } from '../pending';
import { checkHandlers } from '../stream/flowing';
import { DeadlineTimer } from '../timer';
import { PipeRead, PipeWrite } from './calls';
import { PipeClosing } from './closing';
import { deliverSoon, drainSoon, PipeFlow } from './flowing';
import { meet, takeNow } from './meeting';

const ADDR = new PipeAddr();
const END = Promise.resolve(null);

export class PipeConn implements Conn {
  readonly localAddr: Addr = ADDR;
  readonly remoteAddr: Addr = ADDR;
  readonly peerAddr: Addr = ADDR;
  /** The other end. */
  peer!: PipeConn;
  reads: PipeRead | null = null;
  writes: PipeWrite | null = null;
  flow: PipeFlow | null = null;
  closing: PipeClosing | null = null;
  closed = false;
  /** Something was read or written. */
  used = false;
  /** shutdown() has told the other end that no more will come. */
  saidEnd = false;
  /** Brings waiting writes to the other end's reads once more. */
  readonly retry = () => meet(this, this.peer);
  private readonly readTimer = new DeadlineTimer(() => this.readExpired());
  private readonly writeTimer = new DeadlineTimer(() => this.failWrites(() => expired('write')));

  read(options?: CallOptions): Promise<Buffer | null>;
  read(p: Uint8Array, options?: CallOptions): Promise<number | null>;
  read(first?: Uint8Array | CallOptions, second?: CallOptions): Promise<Buffer | number | null> {
    try {
      return ArrayBuffer.isView(first) || (first !== undefined && types.isAnyArrayBuffer(first))
        ? this.readOne(first as Uint8Array, second)
        : this.readOne(null, first as CallOptions | undefined);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  private readOne(into: Uint8Array | null, options: CallOptions | undefined): Promise<Buffer | number | null> {
    const signal = signalOf(options);
    if (into !== null) checkBytes('p', into);
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const refused = this.refusal('read');
    if (refused !== null) return rejected(refused);
    // Go's order: the end of the stream comes before the deadline.
    if (this.atEnd()) return END;
    if (this.readTimer.passed) return rejected(expired('read'));
    const call = new PipeRead(into);
    if (signal !== undefined) call.abortOn(signal, () => this.leaveReads(call));
    this.reads = joined(this.reads, call);
    meet(this.peer, this);
    return call.promise;
  }

  write(p: Uint8Array | string, options?: CallOptions): Promise<number> {
    try {
      const signal = signalOf(options);
      return this.writeAll([toBytes(p)], signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  writev(list: readonly Uint8Array[], options?: CallOptions): Promise<number> {
    try {
      const signal = signalOf(options);
      checkList(list);
      // Go writes the members one by one, and of none there is nothing that could fail.
      return list.length === 0 ? Promise.resolve(0) : this.writeAll([...list], signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  private writeAll(list: readonly Uint8Array[], signal: AbortSignal | undefined): Promise<number> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const refused = this.refusal('write');
    if (refused !== null) return rejected(withCount(refused, 0));
    const call = new PipeWrite(list);
    if (signal !== undefined) call.abortOn(signal, () => this.leaveWrites(call));
    this.writes = joined(this.writes, call);
    meet(this, this.peer);
    return call.promise;
  }

  handle(handlers: ConnHandlers): void {
    checkHandlers(handlers);
    const refused = this.refusal('read');
    if (refused !== null) throw refused;
    if (this.reads !== null) throw opError('read', ErrBusy);
    const flow = new PipeFlow(handlers);
    this.flow = flow;
    flow.expired = this.readTimer.passed;
    this.settle();
    if (!flow.expired) return deliverSoon(this);
    // Not now: handle() has yet to return.
    process.nextTick(() => {
      if (this.flow === flow && flow.expired) this.readExpired();
    });
  }

  tryWrite(p: Uint8Array | string): number {
    const bytes = toBytes(p);
    if (this.closed || this.closing !== null) return 0;
    if (this.peer.closed) return this.tryWriteFailed();
    const mayWrite = this.writes === null && !this.writeTimer.passed;
    const taken = mayWrite ? takeNow(this.peer, bytes) : 0;
    if (taken > 0) this.used = true;
    if (taken < bytes.length && this.flow?.handlers.drain !== undefined) {
      this.flow.wantsDrain = true;
      drainSoon(this);
    }
    return taken;
  }

  // Not now: the caller is in the middle of its own work, perhaps inside data().
  private tryWriteFailed(): number {
    const { flow } = this;
    if (flow !== null) {
      process.nextTick(() => {
        if (this.flow === flow) this.fail(closedPipe());
      });
    }
    return 0;
  }

  close(): boolean {
    if (this.closed) return false;
    this.closed = true;
    this.flow?.emitDestroy();
    this.flow = null;
    for (const call of this.takeReads()) call.fail(closedPipe());
    this.failWrites(closedPipe);
    this.closing?.finish();
    if (!this.peer.closed) {
      this.peer.noMore();
      this.peer.failWrites(closedPipe);
    }
    return true;
  }

  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    const timeout = shutdownTimeout(options);
    if (this.closed) return;
    if (this.closing === null) {
      this.closing = new PipeClosing(this, timeout);
      this.settle();
    }
    return this.closing.done;
  }

  setDeadline(t: Deadline): void {
    this.applyDeadline(true, true, t);
  }

  setReadDeadline(t: Deadline): void {
    this.applyDeadline(true, false, t);
  }

  setWriteDeadline(t: Deadline): void {
    this.applyDeadline(false, true, t);
  }

  private applyDeadline(reads: boolean, writes: boolean, t: Deadline): void {
    toEpoch(t); // a wrong argument comes before a closed pipe
    if (this.closed || this.peer.closed) throw closedPipe();
    if (writes && this.writeTimer.set(t)) this.failWrites(() => expired('write'));
    if (reads && this.readTimer.set(t)) this.readExpired();
    else if (reads && this.flow?.expired === true) {
      this.flow.expired = false;
      deliverSoon(this);
    }
    this.settle();
  }

  get state(): ConnState {
    if (this.closed) return 'closed';
    if (this.closing !== null) return 'closing';
    if (this.readTimer.passed) return 'readExpired';
    if (this.writeTimer.passed) return 'writeExpired';
    return this.used || this.flow !== null ? 'active' : 'new';
  }

  [Symbol.asyncIterator](): AsyncGenerator<Buffer, undefined> {
    return untilClosed(
      () => this.read(),
      () => this.closed,
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](): string {
    return `PipeConn { ${this.state} }`;
  }

  // From here on: for the files beside this one.

  /** Nothing more will come from the other end. */
  atEnd(): boolean {
    return this.peer.closed || this.peer.saidEnd;
  }

  /** Whether a write would find somebody who takes of it. */
  isReading(): boolean {
    return this.reads !== null || this.flow?.isReady === true || this.isDiscarding();
  }

  /** shutdown() waits for the other end's last word and for nothing before it. */
  isDiscarding(): boolean {
    return this.saidEnd && !this.closed && this.reads === null && (this.flow === null || this.flow.paused);
  }

  /** After any change of what waits here. */
  settle(): void {
    const { flow } = this;
    this.readTimer.wait(this.reads !== null || (flow !== null && !flow.expired && !flow.ended));
    this.writeTimer.wait(this.writes !== null);
    this.closing?.advance();
    drainSoon(this);
    drainSoon(this.peer);
  }

  /** Whether tryWrite() is not held back by anything at this end. */
  mayWrite(): boolean {
    return this.writes === null && !this.writeTimer.passed && this.closing === null;
  }

  /** The other end has written its last. */
  noMore(): void {
    for (const call of this.takeReads()) call.resolve(null);
    deliverSoon(this);
    this.settle();
  }

  /** The connection is over: tells the handler and closes. */
  fail(error: Error): void {
    const { flow } = this;
    this.close();
    if (flow?.handlers.error !== undefined) tell(this, flow, flow.handlers.error, error);
  }

  /** A handler threw, or its promise rejected. */
  handlerFailed(error: unknown): void {
    if (isOfNetwork(error)) return this.fail(error);
    this.close();
    reportMistake(this, null, error);
  }

  private refusal(op: 'read' | 'write'): Error | null {
    if (this.closed) return closedPipe();
    if (op === 'read' && this.flow !== null) return opError('read', ErrBusy);
    if (this.closing !== null) return closedPipe();
    if (op === 'read') return null;
    if (this.peer.closed) return closedPipe();
    return this.writeTimer.passed ? expired('write') : null;
  }

  private leaveReads(call: PipeRead): void {
    this.reads = without(this.reads, call);
    this.settle();
  }

  private leaveWrites(call: PipeWrite): void {
    this.writes = without(this.writes, call);
    this.settle();
  }

  private readExpired(): void {
    const { flow } = this;
    if (flow === null) {
      for (const call of this.takeReads()) call.fail(expired('read'));
      return this.settle();
    }
    flow.expired = true;
    this.settle();
    if (flow.handlers.error === undefined) this.close();
    else tell(this, flow, flow.handlers.error, expired('read'));
  }

  private failWrites(reason: () => Error): void {
    const first = this.writes;
    this.writes = null;
    for (let call = first; call !== null; call = call.next) call.fail(withCount(reason(), call.written));
    this.settle();
  }

  /** Empties the line of reads. */
  private *takeReads(): Generator<PipeRead> {
    const first = this.reads;
    this.reads = null;
    for (let call = first; call !== null; call = call.next) yield call;
  }
}

function opError(op: string, cause: Error): OpError {
  return new OpError(op, 'pipe', null, null, cause);
}

const expired = (op: string) => opError(op, ErrDeadlineExceeded);
