// Listeners: connections, taken from the kernel's queue one call at a time.

import { constants } from 'node:os';
import { inspect } from 'node:util';
import type { Addr } from './addr';
import { TCPAddr } from './addr';
import {
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
  scratchIds,
} from './binding';
import { checkBoolean, checkObject, checkSignal } from './check';
import type { CallOptions, Conn } from './conn';
import { type Deadline, toEpoch } from './deadline';
import { unwatch, type Waiter, watch } from './dispatch';
import { errnoText } from './errno';
import { causeOf, ErrBusy, ErrClosed, OpError, thrownCause } from './errors';
import { closeWithOwner, Handle } from './handle';
import { type ListenerInfo, listenerInfo } from './info';
import { connOn } from './network';
import { advanced, joined, Pending, rejected, without } from './pending';
import { cannotWait, RawConn, type RawSource } from './raw-conn';
import { SocketFile } from './socket-file';
import { optionGetter, optionSetter } from './socket-option';
import type { TCPConn } from './tcp-conn';
import { ACCEPT, exhausted, spend } from './turn';
import type { UnixConn } from './unix-conn';

/**
 * A listening socket (Go's net.Listener).
 *
 * The kernel completes connections and queues them, up to the backlog; accept() takes one for each
 * call and none ahead, so closing the listener resets what still queues. When the process runs out of
 * descriptors accepting pauses instead of failing, and goes on by itself.
 */
export interface Listener<C extends Conn = Conn> extends AsyncIterable<C>, AsyncDisposable, Disposable {
  /**
   * Resolves to the next connection. Calls that wait are served in their order.
   * @throws OpError `op: 'accept'` (as a rejection): closed, deadline, or the system's error
   */
  accept(options?: CallOptions): Promise<C>;
  /** Stops listening; waiting accepts reject. Connections accepted before live on. True for the call that closed it. */
  close(): boolean;
  /** The address it listens on, with the real port; still there after close. */
  readonly addr: Addr;
  /** An instant after which accept() fails; see {@link Conn.setDeadline}. @throws when it is closed */
  setDeadline(t: Deadline): void;
  /** Waiting accepts keep the process alive (the default). */
  ref(): this;
  /** Waiting accepts no longer keep the process alive. */
  unref(): this;
  /** accept() in a loop, until the listener is closed; `break` closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<C, undefined>;
  /** close() */
  [Symbol.asyncDispose](): Promise<void>;
  /** close() */
  [Symbol.dispose](): void;
}

/** @internal Who takes all connections of a listener. */
export interface Acceptor<C> {
  accepted(conn: C): void;
  /** The listening socket broke; it is closed. */
  failed(error: OpError): void;
}

/** @internal A listener that can be emptied before it is closed. */
export interface Drainable<C> {
  /**
   * Hands over what queues. With a promise more may follow, after close() too, until that settles; a
   * second close() ends it.
   */
  drainQueue(acceptor: Acceptor<C>): Promise<void> | void;
}

/** @internal */
export function isDrainable<C extends Conn>(listener: Listener<C>): listener is Listener<C> & Drainable<C> {
  return typeof (listener as Partial<Drainable<C>>).drainQueue === 'function';
}

class PendingAccept extends Pending<SocketConnection> {}

type SocketConnection = TCPConn | UnixConn;

// Connections handed to a server in one go, at most: native/binding/listener.cc has the reason.
const BATCH = 64;

/** A listener on a socket of the kernel's: what listen() gives for TCP and Unix. */
export class SocketListener<C extends SocketConnection = SocketConnection> implements Listener<C>, Waiter, RawSource {
  /** @internal */
  readonly net: string;
  readonly addr: Addr;
  private readonly handleRef: Handle;
  private readonly local: Addr | null;
  private accepts: PendingAccept | null = null;
  private server: Acceptor<C> | null = null;
  private socketFile: SocketFile | null = null;
  private unlinks = true;
  private refusedBeforeClose = 0;

  /** @internal */
  constructor(id: number, net: string, addr: Addr) {
    this.net = net;
    this.addr = addr;
    // A connection to a wildcard address has a local address of its own, which the kernel is asked.
    this.local = addr instanceof TCPAddr && isWildcard(addr.ip) ? null : addr;
    this.handleRef = new Handle(id);
    closeWithOwner(this, this.handleRef);
  }

  /** @internal The native handle; -1 once closed. */
  get id(): number {
    return this.handleRef.id;
  }

  accept(options?: CallOptions): Promise<C> {
    try {
      return this.acceptOne(options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  private acceptOne(options: CallOptions | undefined): Promise<C> {
    if (options !== undefined) checkObject('options', options);
    const signal = options?.signal;
    if (signal !== undefined) checkSignal(signal);
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (this.id < 0) return rejected(this.error(ErrClosed));
    if (this.server !== null) return rejected(this.error(ErrBusy));
    if (this.accepts === null && !this.mustWait()) {
      const status = native.accept(this.id, false, 1);
      if (status > 0) {
        spend(ACCEPT);
        return Promise.resolve(this.conn(0));
      }
      if (!isPause(status)) return rejected(this.error(causeOf(status, 'accept4')));
    }
    return this.wait(signal);
  }

  // As for connections: see turn.ts.
  private mustWait(): boolean {
    if (!exhausted() || (native.state(this.id) & READ_SIDE) !== 0) return false;
    native.awaitNotice(this.id, READ, ONCE);
    return true;
  }

  private wait(signal: AbortSignal | undefined): Promise<C> {
    const call = new PendingAccept();
    this.accepts = joined(this.accepts, call);
    watch(this);
    if (signal !== undefined) {
      call.abortOn(signal, () => {
        this.accepts = without(this.accepts, call);
        this.release();
      });
    }
    return call.promise as Promise<C>;
  }

  /** How many connections were closed unseen because the process had no descriptor left for them. */
  get refused(): number {
    return this.id < 0 ? this.refusedBeforeClose : native.refused(this.id);
  }

  /**
   * What the kernel knows of the queue of connections.
   * @throws OpError `op: 'get'`
   */
  info(): ListenerInfo {
    return this.asOp('get', () => listenerInfo(this.id, this.refused));
  }

  close(): boolean {
    if (this.id < 0) return false;
    if (this.unlinks) this.socketFile?.remove();
    this.end(() => this.handleRef.close());
    return true;
  }

  private end<T>(release: () => T): T {
    this.refusedBeforeClose = this.refused;
    unwatch(this.id);
    const released = release();
    this.failAccepts(CLOSED);
    return released;
  }

  /**
   * Whether close() removes the file of a Unix listener (Go's SetUnlinkOnClose): true for one that
   * listen() made, false for one from fileListener(). A file that has taken its place meanwhile stays
   * in any case. Without effect where there is no file: TCP, and Linux's abstract names.
   */
  setUnlinkOnClose(on: boolean): void {
    checkBoolean('on', on);
    this.unlinks = on;
  }

  /**
   * A duplicate of the descriptor, which is the caller's to close (Go's File): the socket listens until
   * both are closed. Non-blocking, close-on-exec.
   * @throws OpError `op: 'file'`: `EMFILE`, …
   */
  file(): number {
    return this.asOp('file', () => native.duplicate(this.id));
  }

  /**
   * Gives up the descriptor, which is the caller's from now on; the socket goes on listening, and the
   * file of a Unix socket stays. This object is closed thereby: waiting accepts reject with
   * `ERR_SPLICEWAY_CLOSED`. Non-blocking, close-on-exec.
   * @throws OpError `op: 'detach'`
   */
  detach(): number {
    return this.asOp('detach', () => this.end(() => this.handleRef.detach()));
  }

  setDeadline(t: Deadline): void {
    const epoch = toEpoch(t);
    if (this.id < 0) throw ErrClosed;
    if (native.setDeadline(this.id, READ_SIDE, epoch) !== 0) this.failAccepts(EXPIRED);
  }

  /**
   * Asks for a socket option by name or by number; see {@link TCPConn.getOption}.
   * @throws OpError `op: 'get'`
   */
  getOption(level: string | number, name: string | number): number;
  /** The same for an option that is no int: up to `length` bytes of it, 1 to 65536. */
  getOption(level: string | number, name: string | number, length: number): Buffer;
  getOption(level: string | number, name: string | number, length?: number): number | Buffer {
    const get = optionGetter(level, name, length);
    return this.asOp('get', () => get(this.id));
  }

  /**
   * Sets a socket option by name or by number. Connections accepted later inherit most of them.
   * @throws OpError `op: 'set'`
   */
  setOption(level: string | number, name: string | number, value: number | Uint8Array): void {
    const set = optionSetter(level, name, value);
    this.asOp('set', () => set(this.id));
  }

  /**
   * The descriptor, for system calls that this package has no function for (Go's SyscallConn). A
   * listener's has control() alone.
   */
  syscallConn(): RawConn {
    return new RawConn(this);
  }

  /** @internal */
  rawRefusal(op: string): OpError | null {
    return this.id < 0 ? this.error(ErrClosed, op) : null;
  }

  /** @internal */
  rawWait(_side: number, op: string): Promise<void> {
    return cannotWait(op, this.net, (cause) => this.error(cause, op));
  }

  ref(): this {
    native.setRef(this.id, true);
    return this;
  }

  unref(): this {
    native.setRef(this.id, false);
    return this;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<C, undefined> {
    for (;;) {
      const conn = await this.accept().catch((error: unknown) => {
        if (this.id < 0 && (error as OpError).cause === ErrClosed) return null;
        throw error;
      });
      if (conn === null) return;
      yield conn;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return `Listener { ${this.addr}, ${this.id < 0 ? 'closed' : 'listening'} }`;
  }

  /** @internal From the reactor. */
  notice(bits: number): void {
    if ((bits & READABLE) !== 0) {
      if (this.server !== null) this.serveBatch(this.server);
      else this.pump();
    }
    if ((bits & READ_EXPIRED) !== 0) this.failAccepts(EXPIRED);
  }

  private pump(): void {
    while (this.accepts !== null) {
      const call = this.accepts;
      const status = native.accept(this.id, true, 1);
      if (isPause(status)) return;
      this.accepts = advanced(call);
      if (status > 0) call.resolve(this.conn(0));
      else call.fail(this.error(causeOf(status, 'accept4')));
    }
    this.release();
  }

  /** @internal Hands every connection to the acceptor from now on; serve.ts only. */
  startServing(acceptor: Acceptor<C>): void {
    if (this.id < 0) throw this.error(ErrClosed);
    if (this.server !== null || this.accepts !== null) throw this.error(ErrBusy);
    this.server = acceptor;
    watch(this);
    this.serveBatch(acceptor);
  }

  /** @internal Hands over what queues now; nothing is lost when the listener closes after this. See Drainable. */
  drainQueue(acceptor: Acceptor<C>): void {
    // Those that came in this very turn have raised no event yet.
    if (this.id >= 0) native.recheck(this.id);
    while (this.id >= 0 && this.takeBatch(acceptor) === BATCH);
  }

  private serveBatch(acceptor: Acceptor<C>): void {
    const status = this.takeBatch(acceptor);
    // There may be more, but other connections have their turn first.
    if (status > 0 && this.id >= 0) native.awaitNotice(this.id, READ, ONCE);
  }

  private takeBatch(acceptor: Acceptor<C>): number {
    const status = native.accept(this.id, true, BATCH);
    if (status > 0) {
      const conns = Array.from({ length: status }, (_, i) => this.conn(i));
      for (const conn of conns) acceptor.accepted(conn);
    } else if (!isPause(status)) {
      const error = this.error(causeOf(status, 'accept4'));
      this.close();
      acceptor.failed(error);
    }
    return status;
  }

  private conn(index: number): C {
    return connOn(scratchIds[index] as number, this.net, this.local) as C;
  }

  private failAccepts(status: number): void {
    const first = this.accepts;
    this.accepts = null;
    for (let call = first; call !== null; call = call.next) call.fail(this.error(causeOf(status, 'accept4')));
    this.release();
  }

  private release(): void {
    if (this.id < 0 || this.accepts !== null || this.server !== null) return;
    // A notice that nobody waits for any more would keep the process alive.
    native.awaitNotice(this.id, READ, NOTHING);
    unwatch(this.id);
  }

  /** Runs a native call that throws, and gives its error the listener's words. */
  private asOp<T>(op: string, call: () => T): T {
    if (this.id < 0) throw this.error(ErrClosed, op);
    try {
      return call();
    } catch (error) {
      throw this.error(thrownCause(error), op);
    }
  }

  private error(cause: Error, op = 'accept'): OpError {
    return new OpError(op, this.net, null, this.addr, cause);
  }

  /** @internal close() removes the file at that path, if it is still the one that is there now. */
  unlinkOnClose(path: string): void {
    this.socketFile = new SocketFile(path);
  }
}

/** @internal */
export function isWildcard(ip: string): boolean {
  return ip === '0.0.0.0' || ip === '::' || ip === '';
}

const { EMFILE, ENFILE, ENOBUFS, ENOMEM } = constants.errno;
const SHORTAGES = new Set([-EMFILE, -ENFILE, -ENOBUFS, -ENOMEM]);

// The kernel has none to give now; native code watches, and says when to ask again.
function isPause(status: number): boolean {
  if (status === AGAIN) return true;
  if (!SHORTAGES.has(status)) return false;
  warnOnce(status);
  return true;
}

let warned = false;

function warnOnce(status: number): void {
  if (warned) return;
  warned = true;
  process.emitWarning(`Accepting pauses until there is room again: ${errnoText(status)}`, {
    type: 'SplicewayWarning',
    code: 'SPLICEWAY_ACCEPT_PAUSED',
  });
}
