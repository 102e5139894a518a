// A packet conn on a socket of the kernel's. This class keeps the state; receiving.ts, sending.ts and
// flowing.ts say what happens to it.

import { types } from 'node:util';
import type { Addr } from '../addr';
import {
  AGAIN,
  EXPIRED,
  NOTHING,
  native,
  READ,
  READ_EXPIRED,
  READABLE,
  UNIX,
  WRITABLE,
  WRITE,
  WRITE_EXPIRED,
} from '../binding';
import { tell } from '../calling';
import { toBytes } from '../check';
import type { CallOptions } from '../conn';
import { causeOf, ErrBusy, ErrClosed, OpError } from '../errors';
import { untilClosed } from '../iterating';
import { failReads, failWrites, pumpReads, pumpWrites } from '../lines';
import { NativeConn } from '../native-conn';
import { PacketClosing } from './closing';
import { checkHandlers, PacketFlow, pumpFlow, resumeFlow } from './flowing';
import type { OutgoingPacket, Packet, PacketConn, PacketHandlers, PacketInfo, ReadMessageOptions } from './packet-conn';
import { read, readBatch, readFrom, readFromInto, readInto, readMessage, readMessageInto } from './receiving';
import {
  prepare,
  refusedBatch,
  tryBatch,
  trySend,
  uncork,
  write,
  writeBatch,
  writeMessage,
  writeTo,
  writev,
} from './sending';

// How often a Unix socket asks whether a queue somewhere has room; see awaitWritable().
const POLL_EVERY = 5;

/** What a socket is when a conn is made of it. */
export interface SocketState<S extends Addr> {
  /** Of the native packet socket. */
  id: number;
  /** As Go names it in errors. */
  net: string;
  /** The address family, as in binding.ts. */
  family: number;
  local: S;
  remote: S | null;
  /** Connected by us: writeTo() is refused. */
  connected: boolean;
}

/** What does not pass by itself: the socket is of no more use. */
const LASTING = new Set(['EBADF', 'ENOTSOCK', 'EINVAL', 'EFAULT', 'ENOTCONN']);

export abstract class PacketSocketConn<S extends Addr | null> extends NativeConn implements PacketConn<S> {
  /** @internal */
  readonly family: number;
  /** @internal */
  readonly connected: boolean;
  readonly localAddr: NonNullable<S>;
  readonly remoteAddr: NonNullable<S> | null;
  /** @internal */
  declare flow: PacketFlow | null;
  private used = false;
  private poll: NodeJS.Timeout | null = null;

  /** @internal */
  constructor({ id, net, family, local, remote, connected }: SocketState<NonNullable<S>>) {
    super(id, net);
    this.family = family;
    this.localAddr = local;
    this.remoteAddr = remote;
    this.connected = connected;
  }

  /** @internal */
  get id(): number {
    return this.handleRef.id;
  }

  readFrom(options?: CallOptions): Promise<Packet<S>>;
  readFrom(p: Uint8Array, options?: CallOptions): Promise<{ n: number; addr: S }>;
  readFrom(first?: Uint8Array | CallOptions, second?: CallOptions): Promise<Packet<S> | { n: number; addr: S }> {
    try {
      return isMemory(first) ? readFromInto<S>(this, first, second) : readFrom<S>(this, first as CallOptions);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  read(options?: CallOptions): Promise<Buffer>;
  read(p: Uint8Array, options?: CallOptions): Promise<number>;
  read(first?: Uint8Array | CallOptions, second?: CallOptions): Promise<Buffer | number> {
    try {
      return isMemory(first) ? readInto(this, first, second) : read(this, first as CallOptions);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  readMsg(options?: ReadMessageOptions): Promise<{ data: Buffer; oob: Buffer } & PacketInfo<S>>;
  readMsg(p: Uint8Array, oob?: Uint8Array | null, options?: CallOptions): Promise<{ n: number } & PacketInfo<S>>;
  readMsg(
    first?: Uint8Array | ReadMessageOptions,
    oob?: Uint8Array | null,
    options?: CallOptions,
  ): Promise<{ n: number; data: Buffer; oob: Buffer } & PacketInfo<S>> {
    return rejecting(() =>
      isMemory(first)
        ? readMessageInto<S>(this, first, oob, options)
        : readMessage<S>(this, first as ReadMessageOptions | undefined),
    );
  }

  readBatch(max?: number, options?: CallOptions): Promise<Packet<S>[]> {
    return rejecting(() => readBatch<S>(this, max, options));
  }

  writeTo(p: Uint8Array | string, addr: Addr | string | null, options?: CallOptions): Promise<number> {
    try {
      return writeTo(this, p, addr, options);
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
    return rejecting(() => writev(this, list, options));
  }

  writeMsg(
    p: Uint8Array | string,
    oob?: Uint8Array | null,
    addr?: Addr | string | null,
    options?: CallOptions,
  ): Promise<number> {
    return rejecting(() => writeMessage(this, p, oob, addr, options));
  }

  writeBatch(packets: readonly OutgoingPacket[], options?: CallOptions): Promise<number> {
    return rejecting(() => writeBatch(this, packets, options));
  }

  handle(handlers: PacketHandlers<S>): void {
    checkHandlers(handlers);
    this.startFlow(new PacketFlow(handlers));
    native.setCoalescing(this.id, true);
  }

  tryWriteTo(p: Uint8Array | string, addr: Addr): boolean {
    const bytes = toBytes(p);
    const refused = this.refusedTarget(addr);
    if (refused !== null) return this.tryFailed(new OpError('write', this.net, this.localAddr, addr, refused));
    const status = this.maySend() ? trySend(this, bytes, addr) : AGAIN;
    return status >= 0 || this.tryRefused(status, 'sendto', addr);
  }

  tryWrite(p: Uint8Array | string): number {
    const bytes = toBytes(p);
    const status = this.maySend() ? trySend(this, bytes, null) : AGAIN;
    if (status < 0) this.tryRefused(status, 'write', this.remoteAddr);
    return Math.max(status, 0);
  }

  tryWriteBatch(packets: readonly OutgoingPacket[]): number {
    const prepared = prepare(packets);
    const refused = refusedBatch(this, prepared);
    if (refused !== null) this.tryFailed(refused);
    if (refused !== null || !this.maySend()) return 0;
    const status = tryBatch(this, prepared);
    if (status < 0) this.tryRefused(status, 'sendmmsg', prepared[0]?.to ?? this.remoteAddr);
    else if (status < prepared.length) this.wantDrain();
    return Math.max(status, 0);
  }

  private maySend(): boolean {
    this.used = true;
    return this.id >= 0 && this.closing === null;
  }

  private tryRefused(status: number, syscall: string, to: Addr | null): false {
    if (status !== AGAIN && status !== EXPIRED) return this.tryFailed(this.failure('write', syscall, status, to));
    if (this.id >= 0) this.wantDrain();
    return false;
  }

  /** @internal What was sent without waiting has failed. */
  tryFailed(error: OpError): false {
    const { flow } = this;
    if (flow === null) this.unreported = error;
    // Not now: the caller is in the middle of its own work, perhaps inside message().
    else if (flow.handlers.error !== undefined) process.nextTick(() => this.tellError(flow, error));
    return false;
  }

  packets(): AsyncGenerator<Packet<S>, undefined> {
    return untilClosed(
      () => this.readFrom(),
      () => this.id < 0,
    );
  }

  /** read() in a loop, until the socket is closed. */
  [Symbol.asyncIterator](): AsyncGenerator<Buffer, undefined> {
    return untilClosed(
      () => this.read(),
      () => this.id < 0,
    );
  }

  override file(): number {
    this.stopCoalescing();
    return super.file();
  }

  override detach(): number {
    this.stopCoalescing();
    return super.detach();
  }

  /** Whoever reads from the descriptor next expects datagrams one by one. */
  private stopCoalescing(): void {
    if (this.flow !== null) native.setCoalescing(this.id, false);
  }

  // From here on: for the files beside this one.

  /** @internal From the reactor. */
  notice(bits: number): void {
    if ((bits & READABLE) !== 0) {
      if (this.flow !== null) pumpFlow(this, this.flow);
      else pumpReads(this);
    }
    if ((bits & WRITABLE) !== 0) pumpWrites(this, true);
    if ((bits & READ_EXPIRED) !== 0) this.readExpired();
    if ((bits & WRITE_EXPIRED) !== 0) failWrites(this, EXPIRED);
    this.closing?.advance();
  }

  /** @internal */
  protected readExpired(): void {
    const { flow } = this;
    if (flow === null) return failReads(this, EXPIRED);
    flow.expired = true;
    native.awaitNotice(this.id, READ, NOTHING);
    this.tellError(flow, this.failure('read', 'read', EXPIRED));
  }

  /** @internal */
  protected isUsed(): boolean {
    return this.used;
  }

  /** @internal */
  protected resumeFlow(flow: PacketFlow): void {
    resumeFlow(this, flow);
  }

  /** @internal One peer that cannot be reached is no reason to leave the others. */
  protected callFailed(error: OpError): void {
    const { flow } = this;
    if (LASTING.has(error.code)) this.close();
    if (flow !== null) this.tellError(flow, error);
  }

  /** @internal */
  protected startClosing(timeout: number): PacketClosing {
    return new PacketClosing(this, timeout);
  }

  /** @internal */
  override end<T>(release: () => T): T {
    uncork(this);
    if (this.poll !== null) clearTimeout(this.poll);
    return super.end(release);
  }

  /** @internal Go names the local address alone in what it sets. */
  override set(apply: () => void): void {
    this.setAtLocal(apply);
  }

  /** @internal Why a new call must not begin; null if it may. */
  refusal(op: string, to: Addr | null = this.remoteAddr): OpError | null {
    if (this.id < 0) return this.error(op, ErrClosed, to);
    this.used = true;
    const reads = op === 'read' || op === 'raw-read';
    if (reads && this.flow !== null) return this.error(op, ErrBusy, to);
    if (!reads && this.closing !== null) return this.error(op, ErrClosed, to);
    const { unreported } = this;
    if (unreported === null || reads) return null;
    this.unreported = null;
    return unreported;
  }

  /** @internal */
  error(op: string, cause: Error, to: Addr | null = this.remoteAddr): OpError {
    return new OpError(op, this.net, this.localAddr, to, cause);
  }

  /** @internal The error that a negative status stands for. */
  failure(op: string, syscall: string, status: number, to: Addr | null = this.remoteAddr): OpError {
    return this.error(op, causeOf(status, syscall), to);
  }

  /** @internal A write waits for room. */
  override awaitWritable(): void {
    super.awaitWritable();
    // The queue that is full may be one of another socket's, and nobody tells when it has room.
    if (this.family === UNIX) this.poll ??= setTimeout(() => this.retryWrites(), POLL_EVERY);
  }

  private retryWrites(): void {
    this.poll = null;
    if (this.id >= 0 && (this.writes !== null || this.flow?.wantsDrain === true)) native.wakeUp(this.id, WRITE);
  }

  /** @internal A read in handler style failed. What passes is told, and reading goes on. */
  receiveFailed(flow: PacketFlow, status: number): void {
    this.callFailed(this.failure('read', 'recvmmsg', status));
    if (this.flow === flow) resumeFlow(this, flow);
  }

  private tellError(flow: PacketFlow, error: OpError): void {
    if (flow.handlers.error !== undefined) tell(this, flow, flow.handlers.error, error);
  }

  // What differs from one kind of socket to the next.

  /** @internal The sender that stands in a slot. */
  abstract senderAt(slot: number): S;
  /** @internal Why writeTo() cannot send there; null if it can. */
  abstract refusedTarget(to: Addr | null): Error | null;
  /** @internal The same for writeMsg(), where an address may be missing. */
  abstract refusedMessage(to: Addr | null): Error | null;
  /** @internal The address that a text stands for. */
  abstract resolve(text: string, signal: AbortSignal | undefined): Promise<Addr>;
  /** @internal Takes off what the caller of readFrom() does not want: the length of what is left. */
  strip(_p: Uint8Array, n: number): number {
    return n;
  }
}

function isMemory(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) || (value !== undefined && types.isAnyArrayBuffer(value));
}

/** For mistakes of the caller's: functions that return promises always reject. */
function rejecting<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call();
  } catch (error) {
    return Promise.reject(error);
  }
}
