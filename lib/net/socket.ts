// Socket: a stream.Duplex on a connection of our reactor, with the properties, methods and events of
// node:net's. How it connects is in connect.ts and attempts.ts.

import { addAbortListener } from 'node:events';
import * as node from 'node:net';
import { Duplex } from 'node:stream';
import { EXPIRED, READ_SIDE, WRITE_SIDE } from '../binding';
import type { Deadline } from '../deadline';
import { type TCPInfo, tcpInfo } from '../info';
import type { AddressInfo } from './address';
import { isNormalized, type Normalized, normalizeArgs } from './arguments';
import { constructs, countsAlso, enumerateAs } from './callable';
import { type ConnectOptions, connectTo } from './connect';
import { byteLength, type Chunks, type Data, type Encoding } from './data';
import { Deadlines, deadlineError } from './deadlines';
import {
  closedBeforeConnection,
  errnoException,
  invalidHandleType,
  missingArgs,
  networkException,
  socketClosed,
} from './errors';
import { type Handle, PENDING, type StreamOwner } from './handle';
import {
  kBytesRead,
  kBytesWritten,
  kDeadlines,
  kKeepAlive,
  kKeepAliveDelay,
  kLastQueueSize,
  kNoDelay,
  kOnMoved,
  kOnRead,
  kOnReadEnd,
  kOnWriteFailed,
  kOnWritten,
  kPiped,
  kReads,
  kSignal,
  kSplice,
  kSpliceTarget,
  kTakeHandle,
  kTimer,
  kUserBuffer,
} from './internals';
import { readingOf, type UserReads } from './onread';
import type { Server } from './server';
import {
  AcceptedOptions,
  checkSocketOptions,
  duplexOptions,
  handleOf,
  type SocketConstructorOptions,
} from './socket-options';
import { timerDuration, validateFunction, validateSignal } from './validate';
import { isCalledByWrapper, isWrapped } from './wrapper';
import type { Callback } from './write-request';

class SocketMethods extends Duplex implements StreamOwner {
  declare connecting: boolean;
  declare timeout: number | undefined;
  declare autoSelectFamilyAttemptedAddresses: string[] | undefined;
  declare server: Server | null;
  declare resetAndClosing: boolean | undefined;
  /** @internal */
  declare _handle: Handle | null;
  /** @internal Whose timers run on for what happens here: a stream that this one lies in. */
  declare _parent: SocketMethods | null;
  /** @internal */
  declare _host: string | null;
  /** @internal */
  declare _hadError: boolean;
  /** @internal */
  declare _server: Server | null;
  /** @internal */
  declare _sockname: AddressInfo | null;
  /** @internal */
  declare _peername: AddressInfo | null;
  /** @internal What waits for the connection. */
  declare _pendingData: Data | null;
  /** @internal */
  declare _pendingEncoding: Encoding;
  /** @internal */
  declare [kTimer]: NodeJS.Timeout | null;
  /** @internal */
  declare [kReads]: UserReads | null;
  /** @internal */
  declare [kBytesRead]: number;
  /** @internal */
  declare [kBytesWritten]: number;
  /** @internal */
  declare [kLastQueueSize]: number;
  /** @internal */
  declare [kNoDelay]: boolean;
  /** @internal */
  declare [kKeepAlive]: boolean;
  /** @internal */
  declare [kKeepAliveDelay]: number;
  /** @internal */
  declare [kDeadlines]: Deadlines | null;
  /** @internal */
  declare [kSplice]: boolean;
  /** @internal pipe() was called: its bookkeeping is the stream's. */
  declare [kPiped]: boolean;
  /** @internal The signal that ends connecting was aborted. */
  declare [kSignal]: boolean;

  connect(...args: unknown[]): this {
    const [options, callback] = (isNormalized(args[0]) ? args[0] : normalizeArgs(args)) as Normalized<ConnectOptions>;
    if (callback !== null) this.once('connect', callback);
    if (this._parent?.connecting === true) return this;
    if (options.port === undefined && options.path == null) throw missingArgs(['options', 'port', 'path']);
    // The end of an earlier connection may have left another in its place.
    if (this.write !== SocketMethods.prototype.write) this.write = SocketMethods.prototype.write;
    connectTo(this, options);
    return this;
  }

  /** @internal A handle of its own, for a connection that is to be made or is there. */
  [kTakeHandle](handle: Handle | null): void {
    (this as unknown as { _undestroy(): void })._undestroy();
    this._sockname = null;
    this._handle = handle;
    if (handle !== null) handle.owner = this;
  }

  override _read(n: number): void {
    const { _handle } = this;
    if (this.connecting || _handle === null) this.once('connect', () => this._read(n));
    else if (!_handle.reading) startReading(this, _handle);
  }

  override pause(): this {
    if (this[kReads] !== null && !this.connecting && this._handle?.reading === true) this._handle.readStop();
    return super.pause();
  }

  override resume(): this {
    resumeUserReads(this);
    return super.resume();
  }

  // biome-ignore lint/suspicious/noExplicitAny: Readable's own type
  override read(n?: number): any {
    resumeUserReads(this);
    return super.read(n);
  }

  /** From the handle. */
  [kUserBuffer](): Uint8Array | null {
    return this[kReads] === null ? null : this[kReads].next();
  }

  /** From the handle. */
  [kOnRead](n: number, chunk: Buffer | null): void {
    if (this[kTimer] !== null || this._parent !== null) this._unrefTimer();
    if (this.destroyed) return;
    if (chunk !== null && flowsFreely(this)) {
      this.emit('data', chunk);
      return;
    }
    const goesOn = chunk === null ? this[kReads]?.deliver(this, n) : this.push(chunk);
    if (goesOn === false) this._handle?.readStop();
  }

  /** From the handle. */
  [kSpliceTarget](): object | null {
    if (!this[kPiped] || !this[kSplice]) return null;
    const { pipes } = (this as unknown as { _readableState: { pipes: unknown } })._readableState;
    const [target] = Array.isArray(pipes) && pipes.length === 1 ? pipes : [];
    if (!(target instanceof SocketMethods) || !onlyPipes(this)) return null;
    return takesSplices(target) ? target._handle : null;
  }

  /** From the handle. */
  [kOnMoved](): void {
    this._unrefTimer();
  }

  /** From the handle. */
  [kOnWriteFailed](status: number): void {
    this.destroy(failure(this, status, 'write'));
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T, options?: { end?: boolean }): T {
    this[kPiped] = true;
    return super.pipe(destination, options);
  }

  /** From the handle. */
  [kOnReadEnd](status: number): void {
    this._unrefTimer();
    if (status !== 0) {
      this.destroy(failure(this, status, 'read'));
    } else if (!this.readableEnded) {
      this.push(null);
      this.read(0);
    }
  }

  override _write(data: Uint8Array | string, encoding: BufferEncoding, callback: Callback): void {
    this._writeGeneric(data, encoding, callback);
  }

  override _writev(chunks: Chunks, callback: Callback): void {
    this._writeGeneric(chunks, '', callback);
  }

  /** @internal */
  _writeGeneric(data: Data, encoding: Encoding, callback: Callback): void {
    if (this.connecting) return writeOnceConnected(this, data, encoding, callback);
    this._pendingData = null;
    this._pendingEncoding = '';
    const { _handle } = this;
    if (_handle === null) return writeWithoutHandle(this, data, encoding, callback);
    if (this[kTimer] !== null || this._parent !== null) this._unrefTimer();
    const status = _handle.write(data, encoding, callback);
    if (status === 0) callback();
    else if (status === PENDING) this[kLastQueueSize] = _handle.writeQueueSize;
    else callback(failure(this, status, 'write'));
  }

  /** From the handle. */
  [kOnWritten](status: number, callback: Callback): void {
    if (status < 0) return callback(failure(this, status, 'write'));
    this._unrefTimer();
    this[kLastQueueSize] = 0;
    callback(null);
  }

  override _final(callback: Callback): void {
    if (this.pending) return void this.once('connect', () => this._final(callback));
    if (this._handle === null) callback();
    else this._handle.shutdown(() => callback());
  }

  // biome-ignore lint/suspicious/noExplicitAny: Writable's own type
  override end(...args: any[]): this {
    super.end(...args);
    return this;
  }

  /** Ends writing, and destroys the socket once all is written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', this.destroy);
  }

  /** Closes a TCP connection with a reset. */
  resetAndDestroy(): this {
    if (this._handle === null) return this.destroy(socketClosed());
    if (!this._handle.isTCP) throw invalidHandleType();
    if (this.connecting) this.once('connect', () => this._reset());
    else this._reset();
    return this;
  }

  /** @internal */
  _reset(): this {
    this.resetAndClosing = true;
    return this.destroy();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.connecting = false;
    for (let s: SocketMethods | null = this; s !== null; s = s._parent) clearTimeout(s[kTimer] ?? undefined);
    if (this._handle === null) {
      callback(error);
      process.nextTick(() => this.emit('close'));
    } else {
      closeHandle(this, this._handle, Boolean(error));
      callback(error);
    }
    leaveServer(this);
  }

  /** Milliseconds without traffic after which 'timeout' is told; 0: never. */
  setTimeout(milliseconds: number, callback?: () => void): this {
    if (this.destroyed) return this;
    this.timeout = milliseconds;
    const duration = timerDuration(milliseconds, 'msecs');
    clearTimeout(this[kTimer] ?? undefined);
    if (callback !== undefined) validateFunction(callback, 'callback');
    if (duration === 0) {
      this[kTimer] = null;
      if (callback !== undefined) this.removeListener('timeout', callback);
    } else {
      this[kTimer] = setTimeout(() => this._onTimeout(), duration).unref();
      if (callback !== undefined) this.once('timeout', callback);
    }
    return this;
  }

  /** @internal Traffic: the time begins anew. */
  _unrefTimer(): void {
    for (let s: SocketMethods | null = this; s !== null; s = s._parent) s[kTimer]?.refresh();
  }

  /** @internal */
  _onTimeout(): void {
    const last = this[kLastQueueSize];
    const left = this._handle?.writeQueueSize ?? last;
    // A write that makes progress is traffic.
    if (last > 0 && left !== last) {
      this[kLastQueueSize] = left;
      return this._unrefTimer();
    }
    this.emit('timeout');
  }

  setNoDelay(enable?: boolean): this {
    const on = enable === undefined ? true : Boolean(enable);
    const changes = on !== this[kNoDelay];
    this[kNoDelay] = on;
    if (changes) this._handle?.setNoDelay(on);
    return this;
  }

  /** @param initialDelay milliseconds of quiet before the first probe; 0 keeps what is set */
  setKeepAlive(enable?: boolean, initialDelay = 0): this {
    const on = Boolean(enable);
    const delay = Math.trunc(initialDelay / 1000) | 0;
    const changes = on !== this[kKeepAlive] || (on && delay !== this[kKeepAliveDelay]);
    this[kKeepAlive] = on;
    this[kKeepAliveDelay] = delay;
    if (changes) this._handle?.setKeepAlive(on, delay);
    return this;
  }

  /** Reading past this instant ends the socket with an error whose `timeout` is true. Null: no deadline. */
  setReadDeadline(deadline: Deadline): this {
    setDeadline(this, READ_SIDE, deadline);
    return this;
  }

  /** The same for a write that is not done by then. */
  setWriteDeadline(deadline: Deadline): this {
    setDeadline(this, WRITE_SIDE, deadline);
    return this;
  }

  /** What the kernel knows of a TCP connection; null while there is none. */
  info(): TCPInfo | null {
    const { _handle } = this;
    return _handle === null || this.connecting || !_handle.isTCP ? null : tcpInfo(_handle.id);
  }

  ref(): this {
    if (this._handle === null) this.once('connect', this.ref);
    else this._handle.ref();
    return this;
  }

  unref(): this {
    if (this._handle === null) this.once('connect', this.unref);
    else this._handle.unref();
    return this;
  }

  address(): AddressInfo | Record<string, never> {
    return this._getsockname();
  }

  /** @internal */
  _getsockname(): AddressInfo | Record<string, never> {
    this._sockname ??= this._handle?.getsockname() ?? null;
    return this._sockname ?? {};
  }

  /** @internal */
  _getpeername(): AddressInfo | Record<string, never> {
    if (!this.connecting) this._peername ??= this._handle?.getpeername() ?? null;
    return this._peername ?? {};
  }

  get localAddress(): string | undefined {
    return this._getsockname().address;
  }

  get localPort(): number | undefined {
    return this._getsockname().port;
  }

  get localFamily(): string | undefined {
    return this._getsockname().family;
  }

  get remoteAddress(): string | undefined {
    return this._getpeername().address;
  }

  get remotePort(): number | undefined {
    return this._getpeername().port;
  }

  get remoteFamily(): string | undefined {
    return this._getpeername().family;
  }

  get bytesRead(): number {
    return this._handle?.bytesRead ?? this[kBytesRead];
  }

  /** @internal */
  get _bytesDispatched(): number {
    return this._handle?.bytesWritten ?? this[kBytesWritten];
  }

  get bytesWritten(): number | undefined {
    const { writableBuffer } = this as unknown as { writableBuffer?: Chunks };
    if (writableBuffer === undefined) return undefined;
    const waiting = this._pendingData === null ? 0 : byteLength(this._pendingData, this._pendingEncoding);
    return this._bytesDispatched + waiting + byteLength(writableBuffer, 'utf8');
  }

  get bufferSize(): number | undefined {
    return this._handle === null ? undefined : this.writableLength;
  }

  /** The descriptor; undefined while there is none. Child processes are given it by `stdio: [socket]`. */
  get fd(): number | undefined {
    const fd = this._handle?.fd ?? -1;
    return fd < 0 ? undefined : fd;
  }

  get pending(): boolean {
    return this._handle === null || this.connecting;
  }

  /** @internal */
  get _connecting(): boolean {
    return this.connecting;
  }

  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }
}

/** The stream's own, which nobody has put another in place of. */
const streamPush = Duplex.prototype.push;

function startReading(self: SocketMethods, handle: Handle): void {
  const status = handle.readStart();
  if (status < 0) self.destroy(errnoException(status, 'read'));
}

// What goes to memory of the caller's has no buffer of the stream's to wait in: pausing stops reading.
function resumeUserReads(self: SocketMethods): void {
  const { _handle } = self;
  if (self[kReads] === null || self.connecting || _handle === null || _handle.reading) return;
  startReading(self, _handle);
}

// Whether push() would do no more than tell the listeners: nothing is buffered, nothing decoded, and the
// stream has told of data before. What it would do besides (to see whether more should be read) is known
// here: the handle reads.
function flowsFreely(self: SocketMethods): boolean {
  return (
    self.readableFlowing === true &&
    self.readableLength === 0 &&
    self.readableDidRead &&
    self.readableEncoding === null &&
    !self[kPiped] &&
    self.push === streamPush &&
    self.listenerCount('data') > 0
  );
}

// Nothing is buffered, and nobody else listens. The stream itself has to have told of data once.
function onlyPipes(self: SocketMethods): boolean {
  return (
    self.readableFlowing === true &&
    self.readableLength === 0 &&
    self.readableDidRead &&
    self.readableEncoding === null &&
    self.listenerCount('data') === 1 &&
    self.push === streamPush
  );
}

// What is written goes to the kernel at once, and nobody would be told of more than that.
function takesSplices(self: SocketMethods): boolean {
  return (
    self[kSplice] &&
    !self.connecting &&
    !self.destroyed &&
    !self.writableEnded &&
    self.writableLength === 0 &&
    self.writableCorked === 0 &&
    self.write === SocketMethods.prototype.write &&
    self._write === SocketMethods.prototype._write &&
    self.listeners('drain').every(({ name }) => name === PIPE_DRAINS)
  );
}

function failure(self: SocketMethods, status: number, op: 'read' | 'write'): Error {
  return status === EXPIRED && self._handle !== null ? deadlineError(op, self._handle) : networkException(status, op);
}

// Of a socket that is yet to be connected, TLS may be begun: what it says waits.
function writeWithoutHandle(self: SocketMethods, data: Data, encoding: Encoding, callback: Callback): void {
  if (!self.destroyed && isCalledByWrapper()) writeOnceConnected(self, data, encoding, callback);
  else callback(socketClosed());
}

function writeOnceConnected(self: SocketMethods, data: Data, encoding: Encoding, callback: Callback): void {
  self._pendingData = data;
  self._pendingEncoding = encoding;
  const onClose = () => callback(closedBeforeConnection());
  self.once('connect', () => {
    self.off('close', onClose);
    self._writeGeneric(data, encoding, callback);
  });
  self.once('close', onClose);
}

function closeHandle(self: SocketMethods, handle: Handle, hadError: boolean): void {
  self[kBytesRead] = handle.bytesRead;
  self[kBytesWritten] = handle.bytesWritten;
  const onClosed = () => void self.emit('close', hadError);
  if (self.resetAndClosing === true) {
    self.resetAndClosing = false;
    const status = handle.reset(onClosed);
    if (status < 0) self.emit('error', errnoException(status, 'reset'));
  } else {
    handle.close(onClosed);
  }
  handle.owner = null;
  self._handle = null;
  self._sockname = null;
}

function leaveServer(self: SocketMethods): void {
  if (self._server === null) return;
  self._server._connections--;
  self._server._emitCloseIfDrained();
}

function setDeadline(self: SocketMethods, side: number, deadline: Deadline): void {
  self[kDeadlines] ??= new Deadlines();
  self[kDeadlines].set(side, deadline, self.pending ? null : self._handle);
}

/** The name of the listener by which a stream's pipe() goes on when the other end has room again. */
const PIPE_DRAINS = 'pipeOnDrainFunctionResult';

enumerateAs(SocketMethods.prototype, node.Socket.prototype);

// Calls the base's constructor on an object that is there, as Node's own streams do.
const constructDuplex = Duplex as unknown as (this: Duplex, options: object) => void;

function initialize(self: SocketMethods, given: SocketConstructorOptions | number | undefined): void {
  reserve(self);
  if (given instanceof AcceptedOptions) {
    constructDuplex.call(self, given);
    self.on('end', refuseWrites);
    self[kTakeHandle](given.handle);
    return begin(self, given.handle, given);
  }
  const options = typeof given === 'number' ? { fd: given } : (given ?? {});
  checkSocketOptions(options);
  constructDuplex.call(self, duplexOptions(options));
  self[kReads] = readingOf(options.onread);
  self[kNoDelay] = Boolean(options.noDelay);
  self[kKeepAlive] = Boolean(options.keepAlive);
  self[kKeepAliveDelay] = Math.trunc((options.keepAliveInitialDelay ?? 0) / 1000) | 0;
  self[kSplice] = options.splice !== false;
  const handle = handleOf(options);
  self.on('end', refuseWrites);
  self[kTakeHandle](handle);
  if (handle !== null && options.readable !== false) begin(self, handle, options);
  if (options.signal) abortOn(self, options.signal);
}

// In one place and order, so that all sockets have one shape.
function reserve(self: SocketMethods): void {
  self.connecting = false;
  self._hadError = false;
  self._handle = null;
  self._parent = null;
  self._host = null;
  self._peername = null;
  self._sockname = null;
  self._pendingData = null;
  self._pendingEncoding = '';
  self.server = null;
  self._server = null;
  self[kTimer] = null;
  self[kReads] = null;
  self[kBytesRead] = 0;
  self[kBytesWritten] = 0;
  self[kLastQueueSize] = 0;
  self[kDeadlines] = null;
  self[kNoDelay] = self[kKeepAlive] = false;
  self[kKeepAliveDelay] = 0;
  self[kSplice] = true;
  self[kSignal] = false;
  self[kPiped] = false;
}

function begin(self: SocketMethods, handle: Handle, options: SocketConstructorOptions): void {
  if (options.pauseOnCreate === true) {
    handle.readStop();
    (self as { readableFlowing: boolean | null }).readableFlowing = false;
  } else if (options.manualStart !== true) {
    self.read(0);
  }
}

function abortOn(self: SocketMethods, signal: AbortSignal): void {
  validateSignal(signal, 'options.signal');
  const onAbort = () => {
    self[kSignal] = true;
  };
  process.nextTick(() => {
    if (signal.aborted) onAbort();
    else addAbortListener(signal, onAbort);
  });
}

// The other side has ended, and this one ends with it: "write after end" would sound as if whoever
// writes now were to blame. TLS says goodbye then, which nobody waits for any more.
function refuseWrites(this: SocketMethods): void {
  if (this.allowHalfOpen) return;
  // TLS may have more to say, and ends the stream then.
  if (isWrapped(this)) this.allowHalfOpen = true;
  else this.write = writeAfterEnd as SocketMethods['write'];
}

function writeAfterEnd(this: SocketMethods, chunk: unknown, encoding: unknown, callback: unknown): boolean {
  if (!this.writableEnded) {
    return Duplex.prototype.write.call(this, chunk, encoding as BufferEncoding, callback as Callback);
  }
  const told = typeof encoding === 'function' ? encoding : callback;
  if (isCalledByWrapper()) {
    if (typeof told === 'function') process.nextTick(told as Callback, null);
    return true;
  }
  const error = Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' });
  if (typeof told === 'function') process.nextTick(told as Callback, error);
  this.destroy(error);
  return false;
}

export type Socket = SocketMethods;
export const Socket = constructs(
  function Socket(this: SocketMethods, options?: SocketConstructorOptions | number): SocketMethods | undefined {
    if (!(this instanceof SocketMethods)) return new SocketClass(options);
    initialize(this, options);
    return undefined;
  },
  SocketMethods as unknown as { prototype: SocketMethods },
  Duplex,
);
const SocketClass = Socket;
countsAlso(Socket, node.Socket);
