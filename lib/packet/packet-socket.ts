// A packet conn on a socket of the kernel's. This class keeps the state; receiving.ts, sending.ts and
// flowing.ts say what happens to it. As with streams, it is in the dispatcher's table exactly while
// something waits, so that one that nobody waits on can be collected.

import { inspect, types } from 'node:util';
import type { Addr } from '../addr';
import {
  AGAIN,
  ALWAYS,
  CLOSED,
  EXPIRED,
  NOTHING,
  native,
  ONCE,
  READ,
  READ_EXPIRED,
  READ_SIDE,
  READABLE,
  UNIX,
  WRITABLE,
  WRITE,
  WRITE_EXPIRED,
  WRITE_SIDE,
} from '../binding';
import { isOfNetwork, reportMistake, tell } from '../calling';
import { checkDuration, checkInteger, checkObject } from '../check';
import type { CallOptions, ConnState, ShutdownOptions } from '../conn';
import { type Deadline, MAX_TIMER, toEpoch } from '../deadline';
import { unwatch, type Waiter, watch } from '../dispatch';
import { causeOf, ErrBusy, ErrClosed, OpError, type SyscallError, thrownCause } from '../errors';
import { closeWithOwner, Handle, type HandleOwner, ownedBy } from '../handle';
import { rejected } from '../pending';
import { type RawCall, RawConn, type RawSource } from '../raw-conn';
import { optionGetter, optionSetter } from '../socket-option';
import { toBytes } from '../stream/writing';
import { exhausted } from '../turn';
import { checkHandlers, PacketFlow, pumpFlow, resumeFlow } from './flowing';
import type { OutgoingPacket, Packet, PacketConn, PacketHandlers, PacketInfo, ReadMessageOptions } from './packet-conn';
import { rawWait } from './raw';
import {
  failReceives,
  pumpReceives,
  type ReceiveTurn,
  read,
  readBatch,
  readFrom,
  readFromInto,
  readInto,
  readMessage,
  readMessageInto,
} from './receiving';
import {
  failSends,
  prepare,
  pumpSends,
  refusedBatch,
  type SendTurn,
  tryBatch,
  trySend,
  uncork,
  write,
  writeBatch,
  writeMessage,
  writeTo,
  writev,
} from './sending';

const DEFAULT_SHUTDOWN_TIMEOUT = 5000;
const MAX_INT = 2 ** 31 - 1;
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

export abstract class PacketSocketConn<S extends Addr | null> implements PacketConn<S>, Waiter, RawSource {
  /** @internal */
  readonly handleRef: Handle;
  /** @internal */
  readonly net: string;
  /** @internal */
  readonly family: number;
  /** @internal */
  readonly connected: boolean;
  readonly localAddr: NonNullable<S>;
  readonly remoteAddr: NonNullable<S> | null;
  /** @internal */
  reads: ReceiveTurn | null = null;
  /** @internal */
  writes: SendTurn | null = null;
  /** @internal */
  flow: PacketFlow | null = null;
  private used = false;
  private closing: { promise: Promise<void>; resolve: () => void; timer: NodeJS.Timeout } | null = null;
  /** What a tryWrite… met while nobody listened: the next call reports it. */
  private unreported: OpError | null = null;
  private poll: NodeJS.Timeout | null = null;

  /** @internal */
  constructor({ id, net, family, local, remote, connected }: SocketState<NonNullable<S>>) {
    this.net = net;
    this.family = family;
    this.localAddr = local;
    this.remoteAddr = remote;
    this.connected = connected;
    this.handleRef = new Handle(id);
    closeWithOwner(this, this.handleRef);
  }

  /** @internal The native handle; -1 once closed. */
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
    const refused = this.refusal('read');
    if (refused !== null) throw refused;
    if (this.reads !== null) throw this.error('read', ErrBusy);
    this.flow = new PacketFlow(handlers);
    this.hold();
    native.setCoalescing(this.id, true);
    if ((native.state(this.id) & READ_SIDE) === 0) native.awaitNotice(this.id, READ, ALWAYS);
    else this.tellExpired(this.flow);
  }

  // Not now: handle() has yet to return.
  private tellExpired(flow: PacketFlow): void {
    flow.expired = true;
    process.nextTick(() => {
      if (this.flow === flow && flow.expired) this.readExpired();
    });
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

  async *packets(): AsyncGenerator<Packet<S>, undefined> {
    for (;;) {
      const packet = await this.readFrom().catch((error: unknown) => this.endOrThrow(error));
      if (packet === null) return;
      yield packet;
    }
  }

  /** read() in a loop, until the socket is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, undefined> {
    for (;;) {
      const data = await this.read().catch((error: unknown) => this.endOrThrow(error));
      if (data === null) return;
      yield data;
    }
  }

  private endOrThrow(error: unknown): null {
    if (this.id < 0 && (error as OpError).cause === ErrClosed) return null;
    throw error;
  }

  close(): boolean {
    if (this.id < 0) return false;
    uncork(this);
    unwatch(this.id);
    this.handleRef.close();
    this.ended();
    return true;
  }

  /** The descriptor is no longer ours. */
  private ended(): void {
    if (this.poll !== null) clearTimeout(this.poll);
    this.flow?.emitDestroy();
    this.flow = null;
    failReceives(this, CLOSED);
    failSends(this, CLOSED);
    if (this.closing !== null) clearTimeout(this.closing.timer);
    this.closing?.resolve();
  }

  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    checkObject('options', options);
    const { timeout = DEFAULT_SHUTDOWN_TIMEOUT } = options;
    checkDuration('options.timeout', timeout);
    if (this.id < 0) return;
    if (this.closing === null) {
      let resolve = () => {};
      const promise = new Promise<void>((resolvePromise) => {
        resolve = resolvePromise;
      });
      const timer = setTimeout(() => this.close(), Math.min(timeout, MAX_TIMER));
      this.closing = { promise, resolve, timer };
      this.linesChanged();
    }
    return this.closing?.promise;
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
    this.mustBeOpen();
    const past = native.setDeadline(this.id, sides, epoch);
    if ((past & WRITE_SIDE) !== 0) failSends(this, EXPIRED);
    else this.awaitDrain();
    if ((past & READ_SIDE) !== 0) this.readExpired();
    else if ((sides & READ_SIDE) !== 0 && this.flow?.expired === true) {
      this.flow.expired = false;
      resumeFlow(this, this.flow);
    }
  }

  get state(): ConnState {
    if (this.id < 0) return 'closed';
    if (this.closing !== null) return 'closing';
    const bits = native.state(this.id);
    if ((bits & READ_SIDE) !== 0) return 'readExpired';
    if ((bits & WRITE_SIDE) !== 0) return 'writeExpired';
    return this.used || this.flow !== null ? 'active' : 'new';
  }

  setReadBuffer(bytes: number): void {
    checkInteger('bytes', bytes, 1, MAX_INT);
    this.set(() => native.setReadBuffer(this.id, bytes));
  }

  setWriteBuffer(bytes: number): void {
    checkInteger('bytes', bytes, 1, MAX_INT);
    this.set(() => native.setWriteBuffer(this.id, bytes));
  }

  getOption(level: string | number, name: string | number): number;
  getOption(level: string | number, name: string | number, length: number): Buffer;
  getOption(level: string | number, name: string | number, length?: number): number | Buffer {
    const get = optionGetter(level, name, length);
    return this.asOp('get', () => get(this.id));
  }

  setOption(level: string | number, name: string | number, value: number | Uint8Array): void {
    const set = optionSetter(level, name, value);
    this.set(() => set(this.id));
  }

  syscallConn(): RawConn {
    return new RawConn(this);
  }

  file(): number {
    return this.asOp('file', () => {
      this.stopCoalescing();
      return native.duplicate(this.id);
    });
  }

  detach(): number {
    if (this.id < 0) throw this.error('detach', ErrClosed);
    uncork(this);
    this.stopCoalescing();
    unwatch(this.id);
    const fd = this.handleRef.detach();
    this.ended();
    return fd;
  }

  /** Runs a native call that throws, and gives its error this conn's words. */
  private asOp<T>(op: string, call: () => T): T {
    if (this.id < 0) throw this.error(op, ErrClosed);
    try {
      return call();
    } catch (error) {
      throw this.error(op, thrownCause(error));
    }
  }

  /** Whoever reads from the descriptor next expects datagrams one by one. */
  private stopCoalescing(): void {
    if (this.flow !== null) native.setCoalescing(this.id, false);
  }

  ref(): this {
    native.setRef(this.id, true);
    return this;
  }

  unref(): this {
    native.setRef(this.id, false);
    return this;
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
  rawRefusal(op: string): OpError | null {
    if (op !== 'raw-control') return this.refusal(op);
    return this.id < 0 ? new OpError(op, this.net, null, this.localAddr, ErrClosed) : null;
  }

  /** @internal */
  rawWait(side: number, op: string, call: RawCall, signal: AbortSignal | undefined): Promise<void> {
    if (this.expired(side)) return rejected(this.failure(op, op, EXPIRED));
    return rawWait(this, side, op, call, signal);
  }

  /** @internal */
  [inspect.custom](): string {
    const remote = this.remoteAddr === null ? '' : ` -> ${this.remoteAddr}`;
    return `${this.constructor.name} { ${this.localAddr}${remote}, ${this.state} }`;
  }

  // From here on: for the files beside this one.

  /** @internal From the reactor. */
  notice(bits: number): void {
    if ((bits & READABLE) !== 0) {
      if (this.flow !== null) pumpFlow(this, this.flow);
      else pumpReceives(this);
    }
    if ((bits & WRITABLE) !== 0) pumpSends(this, true);
    if ((bits & READ_EXPIRED) !== 0) this.readExpired();
    if ((bits & WRITE_EXPIRED) !== 0) failSends(this, EXPIRED);
  }

  private readExpired(): void {
    const { flow } = this;
    if (flow === null) return failReceives(this, EXPIRED);
    flow.expired = true;
    native.awaitNotice(this.id, READ, NOTHING);
    this.tellError(flow, this.failure('read', 'read', EXPIRED));
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

  /** @internal In the dispatcher's table from now on. */
  hold(): void {
    watch(this);
  }

  /** @internal Out of it again, if nothing waits. */
  release(): void {
    if (this.id < 0 || this.reads !== null || this.writes !== null) return;
    if (this.flow === null) unwatch(this.id);
  }

  /** @internal Whether a new call waits for the next turn, whatever is there. One past its deadline fails at once. */
  mustWait(side: number): boolean {
    if (!exhausted() || this.expired(side)) return false;
    native.awaitNotice(this.id, side, ONCE);
    return true;
  }

  /** @internal Whether new calls of that direction fail for their deadline. */
  expired(side: number): boolean {
    return (native.state(this.id) & (side === READ ? READ_SIDE : WRITE_SIDE)) !== 0;
  }

  /** @internal A write waits for room. */
  awaitWritable(): void {
    native.awaitNotice(this.id, WRITE, ONCE);
    // The queue that is full may be one of another socket's, and nobody tells when it has room.
    if (this.family === UNIX) this.poll ??= setTimeout(() => this.retryWrites(), POLL_EVERY);
  }

  private retryWrites(): void {
    this.poll = null;
    if (this.id >= 0 && (this.writes !== null || this.flow?.wantsDrain === true)) native.wakeUp(this.id, WRITE);
  }

  /** @internal The line of writes is empty. */
  drained(): void {
    const { flow } = this;
    if (flow === null || !flow.wantsDrain) return;
    flow.wantsDrain = false;
    if (flow.handlers.drain !== undefined) tell(this, flow, flow.handlers.drain);
  }

  /** @internal The line of writes has changed: a shutdown() may be through. */
  linesChanged(): void {
    if (this.closing !== null && this.writes === null) this.close();
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

  /** @internal A read in handler style failed. What passes is told, and reading goes on. */
  receiveFailed(flow: PacketFlow, status: number): void {
    this.callFailed(flow, this.failure('read', 'recvmmsg', status));
    if (this.flow === flow) resumeFlow(this, flow);
  }

  private tellError(flow: PacketFlow, error: OpError): void {
    if (flow.handlers.error !== undefined) tell(this, flow, flow.handlers.error, error);
  }

  /** @internal A handler threw, or its promise rejected. */
  handlerFailed(error: unknown): void {
    const { flow } = this;
    const { owner } = this.handleRef;
    // What the network did to a datagram sent in there is told as what it does outside.
    if (owner?.handlerFailed === undefined && isOfNetwork(error)) return this.callFailed(flow, error);
    this.close();
    reportMistake(this, owner, error);
  }

  // One peer that cannot be reached is no reason to leave the others.
  private callFailed(flow: PacketFlow | null, error: OpError): void {
    if (LASTING.has(error.code)) this.close();
    if (flow !== null) this.tellError(flow, error);
  }

  private mustBeOpen(): void {
    if (this.id < 0) throw new OpError('set', this.net, null, this.localAddr, ErrClosed);
  }

  /** @internal A socket option. Go names the local address alone in its errors. */
  set(apply: () => void): void {
    this.mustBeOpen();
    try {
      apply();
    } catch (error) {
      throw new OpError('set', this.net, null, this.localAddr, thrownCause(error) as SyscallError);
    }
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
