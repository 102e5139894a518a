// A connection on a socket of the kernel's. This class keeps the state; reading.ts, writing.ts,
// flowing.ts and closing.ts say what happens to it.
//
//   read(), write()   try the system call at once; what must wait joins a line (reads, writes)
//   notice()          the reactor says that a direction may go on: the line is pumped
//   hold(), release() in the dispatcher's table exactly while something waits, so that a Conn that
//                     nobody waits on can be collected

import { types } from 'node:util';
import { type Addr, fromNative } from '../addr';
import {
  type AddressTuple,
  AGAIN,
  EXPIRED,
  NOTHING,
  native,
  READ,
  READ_EXPIRED,
  READABLE,
  WRITABLE,
  WRITE_EXPIRED,
} from '../binding';
import { tell } from '../calling';
import { toBytes } from '../check';
import type { CallOptions, Conn, ConnHandlers } from '../conn';
import { causeOf, ErrBusy, ErrClosed, OpError } from '../errors';
import { untilClosed } from '../iterating';
import { failReads, failWrites, pumpReads, pumpWrites } from '../lines';
import { NativeConn } from '../native-conn';
import type { ProxyHeader } from '../proxy-protocol/header';
import { type Disturbance, type Rest, restOf } from '../resting';
import { StreamClosing } from './closing';
import { checkHandlers, Flow, pumpFlow, resumeFlow } from './flowing';
import { type Guard, guardReads, letIn } from './guard';
import { type ReadTurn, read } from './reading';
import { StreamRest } from './resting';
import { send, write, writev } from './writing';

/** How Go names the system call behind an operation. */
const SYSCALLS: Readonly<Record<string, string>> = {
  read: 'read',
  peek: 'recv',
  write: 'write',
  writev: 'writev',
  close: 'shutdown',
};

/** The bit of native.state() that says that something was read or written. */
const USED = 4;

/** The operations that a connection in handler style does not take. */
const READING = new Set(['read', 'peek', 'raw-read']);

/** What a PROXY header told of a connection. */
interface Proxied {
  readonly header: ProxyHeader;
  /** The other end of the socket. */
  readonly peer: Addr;
}

export abstract class StreamConn extends NativeConn implements Conn {
  /** @internal */
  declare flow: Flow | null;
  /** @internal Bytes that were put back: they come before the kernel's. Never empty. */
  front: Buffer | null = null;
  /** @internal A relay or a copy owns the connection. */
  busy = false;
  /** @internal read() has come to the end of the stream. */
  ended = false;
  /** @internal As a ChunkReader. */
  plenty = false;
  /** @internal Looks at the first bytes before anybody gets them; null where there is nothing to look for. */
  guard: Guard | null = null;
  private proxied: Proxied | null = null;
  private local: Addr | AddressTuple | null;
  private remote: Addr | AddressTuple | null = null;

  /** @internal */
  constructor(id: number, net: string, local: Addr | null) {
    super(id, net);
    this.local = local;
  }

  /** @internal */
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
    this.startFlow(new Flow(handlers));
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

  [Symbol.asyncIterator](): AsyncGenerator<Buffer, undefined> {
    return untilClosed(
      () => this.read(),
      () => this.id < 0,
    );
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

  /** @internal */
  protected readExpired(): void {
    const { flow } = this;
    if (flow === null) return failReads(this, EXPIRED);
    flow.expired = true;
    native.awaitNotice(this.id, READ, NOTHING);
    const error = this.failure('read', EXPIRED);
    if (flow.handlers.error === undefined) this.close();
    else tell(this, flow, flow.handlers.error, error);
  }

  /** @internal */
  protected isUsed(bits: number): boolean {
    return (bits & USED) !== 0 || this.busy;
  }

  /** @internal */
  protected resumeFlow(flow: Flow): void {
    resumeFlow(this, flow);
  }

  /** @internal */
  protected callFailed(error: OpError): void {
    this.fail(error);
  }

  /** @internal */
  protected startClosing(timeout: number): StreamClosing {
    return new StreamClosing(this, timeout);
  }

  /** @internal */
  override blocked(): Error | null {
    return super.blocked() ?? (this.busy ? ErrBusy : null);
  }

  /** @internal */
  override end<T>(release: () => T): T {
    this.keepAddresses();
    this.front = null;
    return super.end(release);
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

  /** @internal */
  leadingRead(): ReadTurn | null {
    return this.guard === null ? null : guardReads(this);
  }

  /** @internal */
  override release(): void {
    if (!this.busy) super.release();
  }

  /** @internal The guard's look comes first. */
  override mustWait(side: number): boolean {
    const guarded = side === READ && this.guard !== null;
    const waits = guarded ? this.waitATurn(READ) : super.mustWait(side);
    // No event tells of bytes that were put back.
    if (waits && side === READ && this.front !== null) native.wakeUp(this.id, READ);
    return waits;
  }

  /** @internal */
  [restOf](disturbed: (why: Disturbance) => void): Rest {
    return new StreamRest(this, disturbed);
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
