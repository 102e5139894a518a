// What conns on sockets of the kernel's share, of bytes as of datagrams: two lines of calls, deadlines, a
// handler, and a graceful end.

import { inspect } from 'node:util';
import type { Addr } from './addr';
import { CLOSED, EXPIRED, native, ONCE, READ_SIDE, WRITE, WRITE_SIDE } from './binding';
import { type HandlerFlow, isOfNetwork, reportMistake, tell } from './calling';
import { checkInteger } from './check';
import { type Closing, shutdownTimeout } from './closing';
import type { ConnState, ShutdownOptions } from './conn';
import { type Deadline, toEpoch } from './deadline';
import { unwatch } from './dispatch';
import { causeOf, ErrBusy, OpError, wrapping } from './errors';
import { type Handle, type HandleOwner, ownedBy } from './handle';
import { failReads, failWrites, type Turn } from './lines';
import { NativeSocket } from './native-socket';
import { rejected } from './pending';
import type { RawCall } from './raw-conn';
import { rawWait } from './raw-wait';

const MAX_INT = 2 ** 31 - 1;

export abstract class NativeConn extends NativeSocket {
  /** @internal */
  reads: Turn<this> | null = null;
  /** @internal */
  writes: Turn<this> | null = null;
  /** @internal */
  flow: HandlerFlow | null = null;
  /** @internal */
  closing: Closing | null = null;
  /** @internal What a tryWrite… met while nobody listened: the next call reports it. */
  unreported: OpError | null = null;

  abstract readonly localAddr: Addr;
  abstract readonly remoteAddr: Addr | null;

  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    const timeout = shutdownTimeout(options);
    if (this.id < 0) return;
    const cause = this.blocked();
    if (cause !== null) throw this.error('close', cause);
    if (this.closing === null) {
      this.closing = this.startClosing(timeout);
      this.hold();
      this.closing.advance();
    }
    return this.closing.done;
  }

  setDeadline(t: Deadline): void {
    this.applyDeadline(READ_SIDE | WRITE_SIDE, t);
  }

  setReadDeadline(t: Deadline): void {
    this.applyDeadline(READ_SIDE, t);
  }

  setWriteDeadline(t: Deadline): void {
    this.applyDeadline(WRITE_SIDE, t);
  }

  private applyDeadline(sides: number, t: Deadline): void {
    const epoch = toEpoch(t);
    const cause = this.blocked();
    if (cause !== null) throw this.localError('set', cause);
    const past = native.setDeadline(this.id, sides, epoch);
    if ((past & WRITE_SIDE) !== 0) failWrites(this, EXPIRED);
    else this.awaitDrain();
    if ((past & READ_SIDE) !== 0) this.readExpired();
    this.deadlineMoved(sides & ~past);
  }

  private deadlineMoved(sides: number): void {
    if ((sides & WRITE_SIDE) !== 0) this.writes?.deadlineMoved?.();
    if ((sides & READ_SIDE) === 0) return;
    this.reads?.deadlineMoved?.();
    if (this.flow?.expired !== true) return;
    this.flow.expired = false;
    this.resumeFlow(this.flow);
  }

  get state(): ConnState {
    if (this.id < 0) return 'closed';
    if (this.closing !== null) return 'closing';
    const bits = native.state(this.id);
    if ((bits & READ_SIDE) !== 0) return 'readExpired';
    if ((bits & WRITE_SIDE) !== 0) return 'writeExpired';
    return this.flow !== null || this.isUsed(bits) ? 'active' : 'new';
  }

  /** Sets SO_RCVBUF. @param bytes 1 to 2^31 - 1; Linux doubles it and has a limit of its own */
  setReadBuffer(bytes: number): void {
    checkInteger('bytes', bytes, 1, MAX_INT);
    this.setAtLocal(() => native.setReadBuffer(this.id, bytes));
  }

  /** Sets SO_SNDBUF. @param bytes 1 to 2^31 - 1; Linux doubles it and has a limit of its own */
  setWriteBuffer(bytes: number): void {
    checkInteger('bytes', bytes, 1, MAX_INT);
    this.setAtLocal(() => native.setWriteBuffer(this.id, bytes));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** @internal */
  [ownedBy](owner: HandleOwner): Handle {
    this.handleRef.ownBy(owner);
    return this.handleRef;
  }

  /** @internal */
  [inspect.custom](): string {
    const remote = this.remoteAddr === null ? '' : ` -> ${this.remoteAddr}`;
    return `${this.constructor.name} { ${this.localAddr}${remote}, ${this.state} }`;
  }

  // What differs between bytes and datagrams.

  /** @internal Why a new call must not begin; null if it may. */
  abstract refusal(op: string): OpError | null;
  /** @internal Whether anything was read or written, by the bits of native.state(). */
  protected abstract isUsed(bits: number): boolean;
  /** @internal The read deadline has passed: whoever reads is told. */
  protected abstract readExpired(): void;
  /** @internal The handler gets what arrives, from now on. */
  protected abstract resumeFlow(flow: HandlerFlow): void;
  /** @internal A handler let out what the network did to a call in it. */
  protected abstract callFailed(error: OpError): void;
  /** @internal */
  protected abstract startClosing(timeout: number): Closing;

  // From here on: for the files that say what happens to a conn.

  /** @internal */
  override end<T>(release: () => T): T {
    const released = super.end(release);
    this.flow?.emitDestroy();
    this.flow = null;
    failReads(this, CLOSED);
    failWrites(this, CLOSED);
    this.closing?.finish();
    return released;
  }

  /** @internal Out of the dispatcher's table, if nothing waits. */
  release(): void {
    if (this.id < 0 || this.reads !== null || this.writes !== null) return;
    if (this.flow === null && this.closing === null) unwatch(this.id);
  }

  /** @internal A shutdown() may be through. */
  linesChanged(): void {
    this.closing?.advance();
  }

  /** @internal Begins handler style, which the caller of this has checked. */
  startFlow(flow: HandlerFlow): void {
    const refused = this.refusal('read');
    if (refused !== null) throw refused;
    if (this.reads !== null) throw this.error('read', ErrBusy);
    this.flow = flow;
    this.hold();
    if ((native.state(this.id) & READ_SIDE) === 0) return this.resumeFlow(flow);
    flow.expired = true;
    // Not now: handle() has yet to return.
    process.nextTick(() => {
      if (this.flow === flow && flow.expired) this.readExpired();
    });
  }

  /** @internal A handler threw, or its promise rejected. */
  handlerFailed(error: unknown): void {
    const { owner } = this.handleRef;
    // What the network did to a call in there is told as what it does outside.
    if (owner?.handlerFailed === undefined && isOfNetwork(error)) return this.callFailed(error);
    this.close();
    reportMistake(this, owner, error);
  }

  /** @internal */
  awaitWritable(): void {
    native.awaitNotice(this.id, WRITE, ONCE);
  }

  /** @internal A tryWrite… found no room. */
  protected wantDrain(): void {
    if (this.flow === null || this.flow.handlers.drain === undefined) return;
    this.flow.wantsDrain = true;
    this.awaitDrain();
  }

  /** @internal Has drain() called when there is room, if it is owed and a write would not fail at once. */
  awaitDrain(): void {
    if (this.flow?.wantsDrain !== true || (native.state(this.id) & WRITE_SIDE) !== 0) return;
    this.awaitWritable();
  }

  /** @internal The line of writes is empty. */
  drained(): void {
    const { flow } = this;
    if (flow === null || !flow.wantsDrain) return;
    flow.wantsDrain = false;
    if (flow.handlers.drain !== undefined) tell(this, flow, flow.handlers.drain);
  }

  /** @internal */
  override rawRefusal(op: string): OpError | null {
    if (op !== 'raw-control') return this.refusal(op);
    const cause = this.blocked();
    return cause === null ? null : this.localError(op, cause);
  }

  /** @internal */
  override rawWait(side: number, op: string, call: RawCall, signal: AbortSignal | undefined): Promise<void> {
    if (this.expired(side)) return rejected(this.error(op, causeOf(EXPIRED, op)));
    return rawWait(this, side, op, call, signal);
  }

  /** @internal As Go's errors are where the other end has no part in it: they name the local address alone. */
  localError(op: string, cause: Error): OpError {
    return new OpError(op, this.net, null, this.localAddr, cause);
  }

  /** @internal Sets one of the options that Go sets below its kinds of conns. */
  protected setAtLocal(apply: () => void): void {
    const cause = this.blocked();
    if (cause !== null) throw this.localError('set', cause);
    wrapping(apply, (thrown) => this.localError('set', thrown));
  }
}
