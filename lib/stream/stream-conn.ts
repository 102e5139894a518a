// A connection on a socket of the kernel's. This class keeps the state; reading.ts, writing.ts,
// flowing.ts and closing.ts say what happens to it.
//
//   read(), write()   try the system call at once; what must wait joins a line (reads, writes)
//   notice()          the reactor says that a direction may go on: the line is pumped
//   hold(), release() in the dispatcher's table exactly while something waits, so that a Conn that
//                     nobody waits on can be collected

import { inspect, types } from 'node:util';
import { type Addr, fromNative } from '../addr';
import {
  type AddressTuple,
  AGAIN,
  CLOSED,
  EXPIRED,
  NOTHING,
  native,
  ONCE,
  READ,
  READ_EXPIRED,
  READ_SIDE,
  READABLE,
  WRITABLE,
  WRITE,
  WRITE_EXPIRED,
  WRITE_SIDE,
} from '../binding';
import { isOfNetwork, reportMistake, tell } from '../calling';
import { checkDuration, checkObject } from '../check';
import type { CallOptions, Conn, ConnHandlers, ConnState, ShutdownOptions } from '../conn';
import { type Deadline, toEpoch } from '../deadline';
import { unwatch, type Waiter, watch } from '../dispatch';
import { causeOf, ErrBusy, ErrClosed, OpError, thrownCause } from '../errors';
import { closeWithOwner, Handle, type HandleOwner, ownedBy } from '../handle';
import type { ProxyHeader } from '../proxy-protocol/header';
import { exhausted } from '../turn';
import { Closing } from './closing';
import { checkHandlers, Flow, pumpFlow, resumeFlow } from './flowing';
import { type Guard, letIn } from './guard';
import { failReads, pumpReads, type ReadTurn, read } from './reading';
import { failWrites, pumpWrites, send, toBytes, type WriteTurn, write, writev } from './writing';

const DEFAULT_SHUTDOWN_TIMEOUT = 5000;

/** How Go names the system call behind an operation. */
const SYSCALLS: Readonly<Record<string, string>> = {
  read: 'read',
  peek: 'recv',
  write: 'write',
  writev: 'writev',
  close: 'shutdown',
};

/** The operations that a connection in handler style does not take. */
const READING = new Set(['read', 'peek', 'raw-read']);

/** What a PROXY header told of a connection. */
interface Proxied {
  readonly header: ProxyHeader;
  /** The other end of the socket. */
  readonly peer: Addr;
}

export abstract class StreamConn implements Conn, Waiter {
  /** @internal */
  readonly handleRef: Handle;
  /** @internal The network as it was given to dial or listen. */
  readonly net: string;
  /** @internal */
  reads: ReadTurn | null = null;
  /** @internal */
  writes: WriteTurn | null = null;
  /** @internal */
  flow: Flow | null = null;
  /** @internal */
  closing: Closing | null = null;
  /** @internal Bytes that were put back: they come before the kernel's. Never empty. */
  front: Buffer | null = null;
  /** @internal A relay or a copy owns the connection. */
  busy = false;
  /** @internal read() has come to the end of the stream. */
  ended = false;
  /** @internal What tryWrite() met while nobody listened: the next call reports it. */
  unreported: OpError | null = null;
  /** @internal Looks at the first bytes before anybody gets them; null where there is nothing to look for. */
  guard: Guard | null = null;
  private proxied: Proxied | null = null;
  private local: Addr | AddressTuple | null;
  private remote: Addr | AddressTuple | null = null;

  /** @internal */
  constructor(id: number, net: string, local: Addr | null) {
    this.net = net;
    this.local = local;
    this.handleRef = new Handle(id);
    closeWithOwner(this, this.handleRef);
  }

  /** @internal The native handle; -1 once closed. */
  get id(): number {
    return this.handleRef.id;
  }

  read(options?: CallOptions): Promise<Buffer | null>;
  read(p: Uint8Array, options?: CallOptions): Promise<number | null>;
  read(first?: Uint8Array | CallOptions, second?: CallOptions): Promise<Buffer | number | null> {
    try {
      return ArrayBuffer.isView(first) || (first !== undefined && types.isAnyArrayBuffer(first))
        ? read(this, first as Uint8Array, second)
        : read(this, null, first as CallOptions | undefined);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  write(p: Uint8Array | string, options?: CallOptions): Promise<number> {
    try {
      return write(this, p, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  writev(list: readonly Uint8Array[], options?: CallOptions): Promise<number> {
    try {
      return writev(this, list, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  handle(handlers: ConnHandlers): void {
    checkHandlers(handlers);
    const refused = this.refusal('read');
    if (refused !== null) throw refused;
    if (this.reads !== null) throw this.error('read', ErrBusy);
    this.flow = new Flow(handlers);
    this.hold();
    if ((native.state(this.id) & READ_SIDE) === 0) resumeFlow(this, this.flow);
    else this.tellExpired(this.flow);
  }

  // Not now: handle() has yet to return.
  private tellExpired(flow: Flow): void {
    flow.expired = true;
    process.nextTick(() => {
      if (this.flow === flow && flow.expired) this.readExpired();
    });
  }

  tryWrite(p: Uint8Array | string): number {
    const bytes = toBytes(p);
    if (this.id < 0 || this.closing !== null || this.busy) return 0;
    const status = this.writes === null ? send(this, bytes) : AGAIN;
    if (status === bytes.length) return status;
    if (status < 0 && status !== AGAIN && status !== EXPIRED) this.tryWriteFailed(status);
    else this.wantDrain();
    return Math.max(status, 0);
  }

  close(): boolean {
    if (this.id < 0) return false;
    this.end(() => this.handleRef.close());
    return true;
  }

  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    checkObject('options', options);
    const { timeout = DEFAULT_SHUTDOWN_TIMEOUT } = options;
    checkDuration('options.timeout', timeout);
    if (this.id < 0) return;
    if (this.busy) throw this.error('close', ErrBusy);
    if (this.closing === null) {
      this.closing = new Closing(this, timeout);
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

  get localAddr(): Addr {
    this.local ??= native.localAddr(this.id) ?? this.handleRef.addresses?.local ?? null;
    this.local = this.asAddr(this.local);
    return this.local;
  }

  get remoteAddr(): Addr {
    this.remote ??= native.peerAddr(this.id) ?? this.handleRef.addresses?.peer ?? null;
    this.remote = this.asAddr(this.remote);
    return this.remote;
  }

  /**
   * Who is connected here: `remoteAddr`, or the balancer that told it in a PROXY header. Still there
   * after close.
   */
  get peerAddr(): Addr {
    return this.proxied === null ? this.remoteAddr : this.proxied.peer;
  }

  /** The PROXY header that the connection began with, where its listener reads them; else null. */
  get proxyHeader(): ProxyHeader | null {
    return this.proxied === null ? null : this.proxied.header;
  }

  /** @internal A header was read, which may tell that it is somebody else's connection, or none was there. */
  forwardedFor(header: ProxyHeader | null): void {
    native.markNew(this.id);
    if (header === null) return;
    this.proxied = { header, peer: this.remoteAddr };
    this.remote = header.source ?? this.remote;
    this.local = header.destination ?? this.local;
  }

  get state(): ConnState {
    if (this.id < 0) return 'closed';
    if (this.closing !== null) return 'closing';
    const bits = native.state(this.id);
    if ((bits & 1) !== 0) return 'readExpired';
    if ((bits & 2) !== 0) return 'writeExpired';
    return (bits & 4) !== 0 || this.busy || this.flow !== null ? 'active' : 'new';
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, undefined> {
    for (;;) {
      const chunk = await this.read().catch((error: unknown) => {
        if (this.id < 0 && (error as OpError).cause === ErrClosed) return null;
        throw error;
      });
      if (chunk === null) return;
      yield chunk;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [ownedBy](owner: HandleOwner): Handle {
    this.handleRef.ownBy(owner);
    return this.handleRef;
  }

  /** @internal */
  [inspect.custom](): string {
    return `${this.constructor.name} { ${this.localAddr} -> ${this.remoteAddr}, ${this.state} }`;
  }

  // From here on: for the files beside this one, and for relays and copies.

  /** @internal From the reactor. */
  notice(bits: number): void {
    if ((bits & READABLE) !== 0) this.readable();
    if ((bits & WRITABLE) !== 0) pumpWrites(this, true);
    if ((bits & READ_EXPIRED) !== 0) this.readExpired();
    if ((bits & WRITE_EXPIRED) !== 0) failWrites(this, EXPIRED);
    this.closing?.advance();
  }

  private readable(): void {
    if (this.flow === null) pumpReads(this);
    else if (this.guard === null || letIn(this)) pumpFlow(this, this.flow);
  }

  private readExpired(): void {
    const { flow } = this;
    if (flow === null) return failReads(this, EXPIRED);
    flow.expired = true;
    native.awaitNotice(this.id, READ, NOTHING);
    const error = this.failure('read', EXPIRED);
    if (flow.handlers.error === undefined) this.close();
    else tell(this, flow, flow.handlers.error, error);
  }

  /** @internal The connection is no more; `release` lets go of its descriptor. */
  end<T>(release: () => T): T {
    this.keepAddresses();
    unwatch(this.id);
    const released = release();
    this.flow?.emitDestroy();
    this.flow = null;
    this.front = null;
    failReads(this, CLOSED);
    failWrites(this, CLOSED);
    this.closing?.finish();
    return released;
  }

  /** @internal Why a new call must not begin; null if it may. */
  refusal(op: string): OpError | null {
    if (this.id < 0) return this.error(op, ErrClosed);
    if (this.busy || (this.flow !== null && READING.has(op))) return this.error(op, ErrBusy);
    if (this.closing !== null) return this.error(op, ErrClosed);
    const { unreported } = this;
    this.unreported = null;
    return unreported;
  }

  /** @internal */
  error(op: string, cause: Error): OpError {
    return new OpError(op, this.net, this.localAddr, this.remoteAddr, cause);
  }

  /** @internal The error that a negative status stands for. */
  failure(op: string, status: number): OpError {
    return this.error(op, causeOf(status, SYSCALLS[op] ?? op));
  }

  /** @internal In the dispatcher's table from now on. */
  hold(): void {
    watch(this);
  }

  /** @internal Out of it again, if nothing waits. */
  release(): void {
    if (this.id < 0 || this.reads !== null || this.writes !== null) return;
    if (this.flow !== null || this.closing !== null || this.busy) return;
    unwatch(this.id);
  }

  /** @internal Whether a new call waits for the next turn, whatever is there. One past its deadline fails at once. */
  mustWait(side: number): boolean {
    const guarded = side === READ && this.guard !== null;
    if ((!guarded && !exhausted()) || (native.state(this.id) & (1 << side)) !== 0) return false;
    native.awaitNotice(this.id, side, ONCE);
    // No event tells of bytes that were put back.
    if (side === READ && this.front !== null) native.wakeUp(this.id, READ);
    return true;
  }

  /** @internal */
  awaitWritable(): void {
    native.awaitNotice(this.id, WRITE, ONCE);
  }

  /** @internal The line of writes is empty. */
  drained(): void {
    const { flow } = this;
    if (flow === null || !flow.wantsDrain) return;
    flow.wantsDrain = false;
    if (flow.handlers.drain !== undefined) tell(this, flow, flow.handlers.drain);
  }

  /** @internal A handler threw, or its promise rejected. */
  handlerFailed(error: unknown): void {
    const { owner } = this.handleRef;
    // What the network did to a write in there is told as what it does outside.
    if (owner?.handlerFailed === undefined && isOfNetwork(error)) return this.fail(error);
    this.close();
    reportMistake(this, owner, error);
  }

  /** @internal The connection is over: tells the handler and closes. */
  fail(error: OpError): void {
    const { flow } = this;
    this.close();
    if (flow?.handlers.error !== undefined) tell(this, flow, flow.handlers.error, error);
  }

  private tryWriteFailed(status: number): void {
    const error = this.failure('write', status);
    if (this.flow === null) this.unreported = error;
    // Not now: the caller is in the middle of its own work, perhaps inside data().
    else process.nextTick(() => this.fail(error));
  }

  private wantDrain(): void {
    if (this.flow === null || this.flow.handlers.drain === undefined) return;
    this.flow.wantsDrain = true;
    this.awaitDrain();
  }

  /** @internal Has drain() called when there is room, if it is owed and a write would not fail at once. */
  awaitDrain(): void {
    if (this.flow?.wantsDrain !== true || (native.state(this.id) & WRITE_SIDE) !== 0) return;
    this.awaitWritable();
  }

  private applyDeadline(sides: number, t: Deadline): void {
    const epoch = toEpoch(t);
    if (this.id < 0) throw new OpError('set', this.net, null, this.localAddr, ErrClosed);
    if (this.busy) throw new OpError('set', this.net, null, this.localAddr, ErrBusy);
    const past = native.setDeadline(this.id, sides, epoch);
    if ((past & WRITE_SIDE) !== 0) failWrites(this, EXPIRED);
    else this.awaitDrain();
    if ((past & READ_SIDE) !== 0) this.readExpired();
    else if ((sides & READ_SIDE) !== 0 && this.flow?.expired === true) {
      this.flow.expired = false;
      resumeFlow(this, this.flow);
    }
  }

  private keepAddresses(): void {
    try {
      this.local ??= native.localAddr(this.id) ?? null;
    } catch {
      // A descriptor that the kernel no longer knows as a socket: it prints as unnamed.
    }
    this.remote ??= native.peerAddr(this.id) ?? null;
  }

  private asAddr(addr: Addr | AddressTuple | null): Addr {
    if (addr === null) return fromNative([''], this.addrNetwork);
    return Array.isArray(addr) ? fromNative(addr, this.addrNetwork) : addr;
  }

  /** @internal What an address of this connection says its network is. */
  abstract readonly addrNetwork: string;
}

/** Runs a native call that throws, and gives its error the connection's words. */
export function asOp<T>(conn: StreamConn, op: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw conn.error(op, thrownCause(error));
  }
}
