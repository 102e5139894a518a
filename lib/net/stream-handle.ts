// What a Socket has in place of libuv's handle: one connection of our reactor. It moves bytes and says
// what happened; what that means for streams and events is the Socket's.
//
// As with libuv the process lives while it reads and is referenced, and while a request (a connect, a
// write, a shutdown) is under way; requests that close() cuts short end in the closing phase.

import { AsyncResource } from 'node:async_hooks';
import {
  type AddressTuple,
  AGAIN,
  ALWAYS,
  COUNT,
  EXPIRED,
  MORE,
  NOTHING,
  native,
  ONCE,
  READ,
  READ_EXPIRED,
  READ_SIDE,
  READABLE,
  STREAM,
  scratch,
  UNIX,
  WRITABLE,
  WRITE,
  WRITE_EXPIRED,
  WRITE_SIDE,
} from '../binding';
import { type ChunkReader, readChunk, takeChunk } from '../chunk';
import { unwatch, type Waiter, watch } from '../dispatch';
import { type AddressInfo, type Family, infoOf, nativeOf, nativePath } from './address';
import { bytesOf, type Data, type Encoding, encodingOfText } from './data';
import { type Done, type Handle, PENDING, type StreamOwner } from './handle';
import { kOnMoved, kOnRead, kOnReadEnd, kOnWriteFailed, kSpliceTarget, kUserBuffer } from './internals';
import { inClosingPhase, inPendingPhase } from './phases';
import { Splice } from './splice';
import { EALREADY, EBADF, ECANCELED, ECONNREFUSED, EINVAL, ENOTCONN, statusOf } from './status';
import { runTicks } from './ticks';
import { type Callback, WriteRequest } from './write-request';

// A connection that always has more goes to the end of the line after this many chunks.
const CHUNKS_AT_ONCE = 4;
// A peer that reads as fast as we write must not keep one write going for ever.
const WRITES_AT_ONCE = 16;
// Up to here copying bytes to the scratch buffer is cheaper than looking up a typed array's memory.
const SMALL = 1024;

/** A connect or a shutdown under way. */
class Request extends AsyncResource {
  constructor(
    type: string,
    triggerAsyncId: number,
    private readonly done: Done,
  ) {
    super(type, { triggerAsyncId, requireManualDestroy: true });
  }

  finish(status: number): void {
    this.runInAsyncScope(this.done, null, status);
    this.emitDestroy();
  }
}

/** When its destroy hook runs. */
const BY_HAND = { requireManualDestroy: true };

export class StreamHandle extends AsyncResource implements Waiter, ChunkReader, Handle {
  /** The native handle: a socket, and once connected a stream. -1 before it is opened, and once closed. */
  id = -1;
  owner: StreamOwner | null = null;
  /** As libuv's: set by whoever starts and stops reading. */
  reading = false;
  bytesRead = 0;
  /** Of all bytes given to write(), as libuv counts them. */
  bytesWritten = 0;
  /** As a ChunkReader. */
  plenty = false;
  private flowing = false;
  private refed = true;
  private requests = 0;
  private connecting: Request | null = null;
  private writing: WriteRequest | null = null;
  private shutting: Request | null = null;
  private onClosed: (() => void) | null = null;
  private isClosed = false;
  private hasDeadline = false;
  private splice: Splice | null = null;
  /** The splice that ends here. */
  splicedBy: Splice | null = null;
  /** One end of a pipe, which is no socket. */
  isFifo = false;

  /** @param family of its addresses; 0 for a Unix socket. A new socket gets it with its address */
  constructor(
    readonly isTCP: boolean,
    public family: Family | 0,
    triggerAsyncId?: number,
  ) {
    super(
      isTCP ? 'TCPWRAP' : 'PIPEWRAP',
      triggerAsyncId === undefined ? BY_HAND : { requireManualDestroy: true, triggerAsyncId },
    );
  }

  /** On a native stream that is connected. */
  attach(id: number): this {
    this.id = id;
    watch(this);
    return this;
  }

  getAsyncId(): number {
    return this.asyncId();
  }

  /** The descriptor; -1 while there is none. */
  get fd(): number {
    return this.id < 0 ? -1 : native.descriptor(this.id);
  }

  /** What of the write under way the kernel has not taken. */
  get writeQueueSize(): number {
    return this.writing?.left ?? 0;
  }

  bindTo(address: string, port: number, family: Family): number {
    const opened = this.open(family);
    if (opened < 0) return opened;
    return statusOf(() => {
      native.setReuseAddr(this.id);
      if (family === 6) native.setV6Only(this.id, 0);
      native.bind(this.id, ...nativeOf(address, port, family));
    });
  }

  /** 0 where the connect has begun: `done` will be called. */
  connect(address: string, port: number, family: Family, done: Done): number {
    if (this.connecting !== null) return EALREADY;
    const status = this.open(family);
    return status < 0 ? status : this.begin(native.connect(this.id, ...nativeOf(address, port, family)), done);
  }

  connectPath(path: string, done: Done): number {
    if (this.connecting !== null) return EALREADY;
    let status = this.open(0);
    if (status === 0) {
      const failed = statusOf(() => {
        status = native.connect(this.id, UNIX, nativePath(path), 0, 0);
      });
      if (failed < 0) status = failed;
    }
    return this.begin(status, done);
  }

  private open(family: Family | 0): number {
    if (this.id >= 0) return 0;
    if (this.isClosed) return EBADF;
    this.family = family;
    return statusOf(() => {
      this.id = native.openSocket(family === 0 ? UNIX : family, STREAM, 0);
    });
  }

  // As in libuv a refusal that is known at once, and all that a path can meet, is told later.
  private begin(status: number, done: Done): number {
    const failed = status < 0 && status !== AGAIN;
    if (failed && this.isTCP && status !== ECONNREFUSED) return status;
    this.connecting = new Request(this.isTCP ? 'TCPCONNECTWRAP' : 'PIPECONNECTWRAP', this.asyncId(), done);
    this.requests++;
    if (failed) {
      inPendingPhase(() => this.connected(status));
      return 0;
    }
    this.syncRef();
    watch(this);
    native.awaitNotice(this.id, WRITE, ONCE);
    return 0;
  }

  /** Whoever began the connect is not told of its outcome any more. */
  abandonConnect(): void {
    if (this.connecting === null) return;
    this.connecting = null;
    this.requests--;
  }

  private connected(status: number): void {
    const { connecting } = this;
    if (connecting === null || this.isClosed) return;
    this.connecting = null;
    this.requests--;
    if (this.id >= 0) this.syncRef();
    connecting.finish(status);
  }

  private finishConnect(): void {
    const status = native.finishConnect(this.id, true);
    if (status === AGAIN) return;
    if (status >= 0) {
      unwatch(this.id);
      this.id = status;
      watch(this);
    }
    this.connected(Math.min(status, 0));
  }

  readStart(): number {
    this.reading = true;
    if (this.id < 0) return this.isClosed ? EBADF : ENOTCONN;
    if (this.flowing) return 0;
    this.flowing = true;
    if (this.hasDeadline && (native.state(this.id) & READ_SIDE) !== 0) {
      process.nextTick(() => this.deadlinePassed(READ_SIDE));
    }
    native.awaitNotice(this.id, READ, ALWAYS);
    return 0;
  }

  readStop(): number {
    this.reading = false;
    if (!this.flowing) return 0;
    this.flowing = false;
    if (this.id >= 0) native.awaitNotice(this.id, READ, NOTHING);
    return 0;
  }

  /** From the reactor. */
  notice(bits: number): void {
    if ((bits & READABLE) !== 0) this.pump();
    if ((bits & WRITABLE) !== 0 && this.id >= 0) this.writable();
    if ((bits & READ_EXPIRED) !== 0) this.deadlinePassed(READ_SIDE);
    if ((bits & WRITE_EXPIRED) !== 0) this.deadlinePassed(WRITE_SIDE);
    runTicks();
  }

  /** @param epoch milliseconds; NaN for none */
  setDeadline(side: number, epoch: number): void {
    this.hasDeadline = true;
    if (native.setDeadline(this.id, side, epoch) > 0) process.nextTick(() => this.deadlinePassed(side));
  }

  // It concerns who reads or writes now; whoever begins later meets it then.
  private deadlinePassed(side: number): void {
    if (this.id < 0 || (native.state(this.id) & side) === 0) return;
    if (side === READ_SIDE && this.flowing) {
      this.stop();
      this.runInAsyncScope(this.tellExpired, this);
    } else if (side === WRITE_SIDE && this.splicedBy?.inFlight === true) {
      this.splicedBy.end();
      this.writeFailed(EXPIRED);
    } else if (side === WRITE_SIDE && this.writing !== null) {
      this.finishWrite(EXPIRED);
    }
  }

  private tellExpired(): void {
    this.owner?.[kOnReadEnd](EXPIRED);
  }

  private pump(): void {
    if (this.splices()) return;
    let more = true;
    try {
      for (let i = 0; more && i < CHUNKS_AT_ONCE; i++) {
        if (i > 0) runTicks();
        more = this.flowing && this.runInAsyncScope(this.readOnce, this);
      }
    } finally {
      // There may be more, but the others have their turn first: also after what a listener threw.
      if (more && this.flowing && this.id >= 0) native.awaitNotice(this.id, READ, ALWAYS);
    }
  }

  // Whether the bytes that are there go to another socket in the kernel.
  private splices(): boolean {
    if (!this.flowing) return false;
    const target = this.spliceTarget();
    if (target === null) return this.splice !== null && !this.splice.finish();
    const splice = this.splice ?? Splice.open(this, target);
    if (splice === null) return false;
    this.runInAsyncScope(splice.run, splice);
    return true;
  }

  /** Where the bytes of this connection may go in the kernel; null where they may not. */
  spliceTarget(): StreamHandle | null {
    if (this.splice === null && (this.id < 0 || this.isFifo)) return null;
    const target = this.owner?.[kSpliceTarget]() ?? null;
    if (!(target instanceof StreamHandle) || target.isFifo || target.id < 0 || target.hasWaitingWrite()) return null;
    return this.splice === target.splicedBy ? target : null;
  }

  /** From the splice that it is the source of, or no longer is. */
  spliceBy(splice: Splice | null): void {
    this.splice = splice;
  }

  /** Whether arrivals are told of from now on. */
  awaitRead(mode: number): void {
    if (this.id >= 0) native.awaitNotice(this.id, READ, this.flowing ? mode : NOTHING);
  }

  /** A write of the owner's waits for room. */
  hasWaitingWrite(): boolean {
    return this.writing !== null;
  }

  awaitWaitingWrite(): void {
    if (this.writing !== null && this.id >= 0) native.awaitNotice(this.id, WRITE, ONCE);
  }

  /** So many bytes of it went to another socket. */
  movedIn(n: number): void {
    this.bytesRead += n;
    this.owner?.[kOnMoved]();
  }

  /** So many bytes of another socket went out here. */
  movedOut(n: number): void {
    this.bytesWritten += n;
    this.owner?.[kOnMoved]();
  }

  /** 0 at the end of the stream, or an errno. */
  readFailed(status: number): void {
    this.stop();
    this.owner?.[kOnReadEnd](status);
  }

  writeFailed(status: number): void {
    this.owner?.[kOnWriteFailed](status);
  }

  /** Whether another read is worth trying. */
  private readOnce(): boolean {
    const { owner } = this;
    if (owner === null) return false;
    const into = owner[kUserBuffer]();
    const status = into === null ? readChunk(this, true) : native.readInto(this.id, true, into);
    if (status > 0) {
      const n = status & COUNT;
      this.bytesRead += n;
      owner[kOnRead](n, into === null ? takeChunk(this, n) : null);
      return (status & MORE) !== 0;
    }
    if (status === AGAIN) return false;
    // After an error the owner lets go of the descriptor.
    if (status === 0) this.stop();
    else this.flowing = false;
    owner[kOnReadEnd](status);
    return false;
  }

  // Nothing comes any more; `reading` stays as it is, so that nobody begins again.
  private stop(): void {
    if (!this.flowing) return;
    this.flowing = false;
    native.awaitNotice(this.id, READ, NOTHING);
  }

  /** 0: taken whole; PENDING: the owner's onWritten() will be called; or a negative errno. */
  write(data: Data, encoding: Encoding, callback: Callback): number {
    if (typeof data === 'string') return this.writeText(data, encodingOfText(encoding), callback);
    return Array.isArray(data) ? this.writeList(data.map(bytesOf), callback) : this.writeBytes(data, callback);
  }

  private writeBytes(bytes: Uint8Array, callback: Callback): number {
    const { length } = bytes;
    if (this.splicedBy?.inFlight === true) return this.account(AGAIN, length, [bytes], callback);
    if (length > SMALL) return this.account(native.write(this.id, false, bytes, 0), length, [bytes], callback);
    scratch.set(bytes);
    return this.account(native.writeScratch(this.id, false, length), length, [bytes], callback);
  }

  private writeText(text: string, encoding: BufferEncoding, callback: Callback): number {
    // No encoding takes more than three bytes for a unit of UTF-16.
    if (text.length * 3 > scratch.length || this.splicedBy?.inFlight === true)
      return this.writeBytes(Buffer.from(text, encoding), callback);
    const length = scratch.write(text, encoding);
    return this.account(native.writeScratch(this.id, false, length), length, null, callback);
  }

  private writeList(list: readonly Uint8Array[], callback: Callback): number {
    let length = 0;
    for (const { length: n } of list) length += n;
    if (this.splicedBy?.inFlight === true) return this.account(AGAIN, length, list, callback);
    if (length > SMALL) return this.account(native.writeVector(this.id, false, list, 0, 0), length, list, callback);
    let at = 0;
    for (const bytes of list) {
      scratch.set(bytes, at);
      at += bytes.length;
    }
    return this.account(native.writeScratch(this.id, false, length), length, list, callback);
  }

  /** @param list null for what stands in the scratch buffer, which is copied if it must wait */
  private account(status: number, length: number, list: readonly Uint8Array[] | null, callback: Callback): number {
    if (status < 0 && status !== AGAIN) return this.id < 0 ? EBADF : status;
    const sent = Math.max(status, 0);
    this.bytesWritten += length;
    if (sent === length) return 0;
    this.writing =
      list === null
        ? new WriteRequest(this.asyncId(), [Buffer.from(scratch.subarray(sent, length))], 0, length - sent, callback)
        : new WriteRequest(this.asyncId(), list, sent, length - sent, callback);
    this.requests++;
    this.syncRef();
    native.awaitNotice(this.id, WRITE, ONCE);
    return PENDING;
  }

  /** Half-closes: the peer reads to the end. `done` will be called. */
  shutdown(done: Done): void {
    if (this.splicedBy?.inFlight === true) {
      this.splicedBy.onDrained = () => this.shutdown(done);
      return;
    }
    this.shutting = new Request('SHUTDOWNWRAP', this.asyncId(), done);
    // It fails for a connection that is reset already, which is as good as done.
    native.shutdown(this.id, WRITE);
    inPendingPhase(() => this.finishShutdown());
  }

  private writable(): void {
    if (this.connecting !== null) this.finishConnect();
    else if (this.splicedBy?.inFlight === true) this.runInAsyncScope(this.splicedBy.resume, this.splicedBy);
    else if (this.writing !== null) this.continueWrite(this.writing);
  }

  private continueWrite(request: WriteRequest): void {
    for (let i = 0; i < WRITES_AT_ONCE; i++) {
      const status = request.send(this.id);
      if (status === AGAIN) break;
      if (status < 0) return this.finishWrite(status);
      if (request.left === 0) return this.finishWrite(0);
    }
    native.awaitNotice(this.id, WRITE, ONCE);
  }

  private finishWrite(status: number): void {
    const { writing } = this;
    this.writing = null;
    this.requests--;
    this.syncRef();
    writing?.finish(this.owner, status);
  }

  private finishShutdown(): void {
    const { shutting } = this;
    this.shutting = null;
    shutting?.finish(0);
  }

  ref(): void {
    this.refed = true;
    this.syncRef();
  }

  unref(): void {
    this.refed = false;
    this.syncRef();
  }

  hasRef(): boolean {
    return this.refed && !this.isClosed;
  }

  private syncRef(): void {
    if (this.id >= 0) native.setRef(this.id, this.refed || this.requests > 0);
  }

  setNoDelay(on: boolean): number {
    return this.set(() => native.setNoDelay(this.id, on ? 1 : 0));
  }

  /** @param delay seconds; 0 leaves the system's */
  setKeepAlive(on: boolean, delay: number): number {
    return this.set(() => (on ? setKeepAlive(this.id, delay) : native.setKeepAlive(this.id, 0)));
  }

  private set(apply: () => void): number {
    if (!this.isTCP) return EINVAL;
    return this.id < 0 ? EBADF : statusOf(apply);
  }

  /** @throws where the kernel no longer knows the descriptor as a socket */
  getsockname(): AddressInfo | null {
    return this.describe(native.localAddr);
  }

  getpeername(): AddressInfo | null {
    return this.describe(native.peerAddr);
  }

  private describe(ask: (id: number) => AddressTuple | undefined): AddressInfo | null {
    const { family } = this;
    if (this.id < 0 || family === 0) return null;
    let tuple: AddressTuple | undefined;
    statusOf(() => {
      tuple = ask(this.id);
    });
    return tuple === undefined ? null : infoOf(tuple, family);
  }

  /** The peer sees a reset; a negative errno where that cannot be. */
  reset(onClosed: () => void): number {
    if (this.shutting !== null) return EINVAL;
    if (this.id >= 0) {
      const status = statusOf(() => native.setLinger(this.id, 0));
      if (status < 0) return status;
    }
    this.close(onClosed);
    return 0;
  }

  /** Lets go of the descriptor at once; `onClosed` is called in the closing phase. */
  close(onClosed?: () => void): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClosed = onClosed ?? null;
    this.flowing = false;
    this.splice?.sourceClosed();
    if (this.id >= 0) {
      unwatch(this.id);
      native.close(this.id);
      this.id = -1;
    }
    this.splicedBy?.end();
    inClosingPhase(() => this.closed());
  }

  /** The closing phase: requests that were cut short first. */
  private closed(): void {
    const { connecting, writing, shutting, onClosed } = this;
    this.connecting = this.writing = this.shutting = this.onClosed = null;
    connecting?.finish(ECANCELED);
    writing?.finish(null, ECANCELED);
    shutting?.finish(ECANCELED);
    if (onClosed !== null) this.runInAsyncScope(onClosed);
    this.emitDestroy();
  }
}

// libuv's, in seconds and probes.
const KEEP_ALIVE_INTERVAL = 1;
const KEEP_ALIVE_COUNT = 10;

/** @param delay seconds; 0 leaves the system's times */
export function setKeepAlive(id: number, delay: number): void {
  native.setKeepAlive(id, 1);
  if (delay > 0) native.setKeepAliveConfig(id, delay, KEEP_ALIVE_INTERVAL, KEEP_ALIVE_COUNT);
}
