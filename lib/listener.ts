// Listeners: connections, taken from the kernel's queue one call at a time.

import { constants } from 'node:os';
import { inspect } from 'node:util';
import type { Addr } from './addr';
import { TCPAddr } from './addr';
import { AGAIN, CLOSED, EXPIRED, native, ONCE, READ, READ_EXPIRED, READ_SIDE, READABLE, scratchIds } from './binding';
import { checkBoolean, signalOf } from './check';
import type { CallOptions, Conn } from './conn';
import { type Deadline, toEpoch } from './deadline';
import { unwatch } from './dispatch';
import { errnoText } from './errno';
import { causeOf, ErrBusy, ErrClosed, OpError } from './errors';
import { type ListenerInfo, listenerInfo } from './info';
import { untilClosed } from './iterating';
import { failReads, joinReads, leaveReads, pumpReads, type Turn } from './lines';
import { NativeSocket } from './native-socket';
import { connOn } from './network';
import { Pending, rejected } from './pending';
import { cannotWait } from './raw-conn';
import { SocketFile } from './socket-file';
import type { TCPConn } from './tcp-conn';
import { ACCEPT, spend } from './turn';
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

/**
 * @internal The method by which a listener around another gives all its connections to one server, and
 * refuses accept() from then on; it throws where it cannot. Those without it are iterated.
 */
export const takenByServer: unique symbol = Symbol('spliceway.takenByServer');

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

type SocketConnection = TCPConn | UnixConn;

/** An accept() that waits. */
class PendingAccept<C extends SocketConnection> extends Pending<C> implements Turn<SocketListener<C>> {
  run(listener: SocketListener<C>, resumed: boolean): boolean {
    const status = listener.take(1, resumed);
    if (isPause(status)) return false;
    if (status > 0) this.resolve(listener.conn(0));
    else this.endWith(listener, status);
    return true;
  }

  endWith(listener: SocketListener<C>, status: number): void {
    this.fail(listener.error('accept', causeOf(status, 'accept4')));
  }
}

// Connections handed to a server in one go, at most: native/binding/listener.cc has the reason.
const BATCH = 64;

/** A listener on a socket of the kernel's: what listen() gives for TCP and Unix. */
export class SocketListener<C extends SocketConnection = SocketConnection> extends NativeSocket implements Listener<C> {
  readonly addr: Addr;
  /** @internal */
  reads: Turn<this> | null = null;
  private readonly local: Addr | null;
  private server: Acceptor<C> | null = null;
  private socketFile: SocketFile | null = null;
  private unlinks = true;
  private refusedBeforeClose = 0;

  /** @internal */
  constructor(id: number, net: string, addr: Addr) {
    super(id, net);
    this.addr = addr;
    // A connection to a wildcard address has a local address of its own, which the kernel is asked.
    this.local = addr instanceof TCPAddr && isWildcard(addr.ip) ? null : addr;
  }

  /** @internal */
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
    const signal = signalOf(options);
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const cause = this.blocked() ?? (this.server === null ? null : ErrBusy);
    if (cause !== null) return rejected(this.error('accept', cause));
    if (this.reads === null && !this.mustWait(READ)) {
      const status = this.take(1, false);
      if (status > 0) {
        spend(ACCEPT);
        return Promise.resolve(this.conn(0));
      }
      if (!isPause(status)) return rejected(this.error('accept', causeOf(status, 'accept4')));
    }
    return this.wait(signal);
  }

  private wait(signal: AbortSignal | undefined): Promise<C> {
    const call = new PendingAccept<C>();
    joinReads(this, call);
    if (signal !== undefined) call.abortOn(signal, () => leaveReads(this, call));
    return call.promise;
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

  override close(): boolean {
    if (this.id >= 0 && this.unlinks) this.socketFile?.remove();
    return super.close();
  }

  /** @internal */
  override end<T>(release: () => T): T {
    this.refusedBeforeClose = this.refused;
    const released = super.end(release);
    failReads(this, CLOSED);
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

  setDeadline(t: Deadline): void {
    const epoch = toEpoch(t);
    if (this.id < 0) throw ErrClosed;
    if (native.setDeadline(this.id, READ_SIDE, epoch) !== 0) this.expire();
  }

  /** @internal */
  rawWait(_side: number, op: string): Promise<void> {
    return cannotWait(op, this.net, (cause) => this.error(op, cause));
  }

  [Symbol.asyncIterator](): AsyncGenerator<C, undefined> {
    return untilClosed(
      () => this.accept(),
      () => this.id < 0,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
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
      else pumpReads(this);
    }
    if ((bits & READ_EXPIRED) !== 0) this.expire();
  }

  // A server has no deadline.
  private expire(): void {
    if (this.server === null) failReads(this, EXPIRED);
  }

  /** @internal Hands every connection to the acceptor from now on; serve.ts only. */
  startServing(acceptor: Acceptor<C>): void {
    if (this.id < 0) throw this.error('accept', ErrClosed);
    if (this.server !== null || this.reads !== null) throw this.error('accept', ErrBusy);
    this.server = acceptor;
    this.hold();
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
    const status = this.take(BATCH, true);
    if (status > 0) {
      const conns = Array.from({ length: status }, (_, i) => this.conn(i));
      for (const conn of conns) acceptor.accepted(conn);
    } else if (!isPause(status)) {
      const error = this.error('accept', causeOf(status, 'accept4'));
      this.close();
      acceptor.failed(error);
    }
    return status;
  }

  /** @internal One call to the kernel: how many it gave, or a negative status. */
  take(max: number, resumed: boolean): number {
    return native.accept(this.id, resumed, max);
  }

  /** @internal One of those. */
  conn(index: number): C {
    return connOn(scratchIds[index] as number, this.net, this.local) as C;
  }

  /** @internal */
  release(): void {
    if (this.id >= 0 && this.reads === null && this.server === null) unwatch(this.id);
  }

  /** @internal A listener has no shutdown() that would wait for its accepts. */
  linesChanged(): void {}

  /** @internal */
  error(op: string, cause: Error): OpError {
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
