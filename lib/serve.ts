// serve(): the accept loop that every server needs.

import { AsyncResource } from 'node:async_hooks';
import { inspect } from 'node:util';
import { checkFunction, checkObject, checkSignal } from './check';
import { shutdownTimeout } from './closing';
import type { Conn } from './conn';
import { MAX_TIMER } from './deadline';
import { rethrowLater, waiterOf } from './dispatch';
import { ErrBusy, ErrClosed, OpError } from './errors';
import { Handle, type HandleOwner, ownedBy } from './handle';
import { topOf } from './layer';
import { type Acceptor, isDrainable, type Listener, SocketListener, takenByServer } from './listener';
import { StreamConn } from './stream/stream-conn';

export interface ServeOptions<C extends Conn = Conn> {
  /**
   * A handler threw, or its promise rejected, and its connection was closed; or, without a connection,
   * the listener broke. Default: an OpError, which is what the network did, is dropped; anything else
   * becomes a process warning.
   */
  onError?: ((error: unknown, conn: C | null) => void) | undefined;
  /** Aborting it calls close(). */
  signal?: AbortSignal | undefined;
}

/** What came of the connections that were open when a shutdown began. */
export interface ShutdownResult {
  /** Ended by themselves in time. */
  finished: number;
  /** Closed when the time was up. */
  forced: number;
}

/** A running accept loop; see {@link serve}. */
export interface Server extends AsyncDisposable {
  /** How many connections are open. */
  readonly connections: number;
  /** Aborted when shutdown() or close() begins: for handlers that should come to an end. */
  readonly signal: AbortSignal;
  /**
   * Accepts what queues, closes the listener, and waits for the connections to end. Those that are
   * open after `timeout` milliseconds (default 5000) are closed.
   */
  shutdown(options?: { timeout?: number | undefined }): Promise<ShutdownResult>;
  /** Closes the listener and every connection at once. True for the call that closed the listener. */
  close(): boolean;
  /** shutdown() */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Accepts connections and calls the handler with each. A handler that throws, or whose promise
 * rejects, ends its own connection only. A handler whose promise fulfils after read() came to the end
 * of the stream is done with its connection, which is then shut down; otherwise closing is up to the
 * handler.
 *
 * Handlers run in the async context (AsyncLocalStorage) in which serve() was called.
 */
export function serve<C extends Conn>(
  listener: Listener<C>,
  handler: (conn: C) => unknown,
  options: ServeOptions<C> = {},
): Server {
  checkObject('listener', listener);
  checkFunction('listener.accept', (listener as Partial<Listener>).accept);
  checkFunction('handler', handler);
  checkObject('options', options);
  if (options.onError !== undefined) checkFunction('options.onError', options.onError);
  if (options.signal !== undefined) checkSignal(options.signal);
  return new ConnServer(listener, handler, options);
}

/** Listeners of another make that a Server has. */
const served = new WeakSet<object>();

class ConnServer<C extends Conn> extends AsyncResource implements Server, HandleOwner, Acceptor<C> {
  // Handles, not connections: one that its handler has forgotten can still be collected.
  private readonly open = new Set<Handle | C>();
  private readonly stopping = new AbortController();
  private whenEmpty: (() => void) | null = null;
  private accepts = 0;
  /** Connections that were closed here, whoever had them. */
  private forced = 0;
  private ending: Promise<ShutdownResult> | null = null;

  constructor(
    private readonly listener: Listener<C>,
    private readonly handler: (conn: C) => unknown,
    private readonly options: ServeOptions<C>,
  ) {
    super('SPLICEWAYSERVER', { requireManualDestroy: true });
    const { signal } = options;
    if (signal?.aborted === true) {
      this.close();
      return;
    }
    signal?.addEventListener('abort', () => this.close(), { once: true, signal: this.signal });
    if (listener instanceof SocketListener) listener.startServing(this as unknown as Acceptor<never>);
    else this.acceptFrom(listener);
  }

  get connections(): number {
    return this.open.size;
  }

  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  // What SocketListener.startServing() sees to for its own.
  private acceptFrom(listener: Listener<C>): void {
    if (served.has(listener)) throw new OpError('accept', listener.addr.network, null, listener.addr, ErrBusy);
    const { [takenByServer]: taken } = listener as { [takenByServer]?: () => AsyncIterable<C> };
    const conns = taken === undefined ? listener : taken.call(listener);
    served.add(listener);
    void this.acceptLoop(conns).finally(() => served.delete(listener));
  }

  private async acceptLoop(conns: AsyncIterable<C>): Promise<void> {
    try {
      for await (const conn of conns) this.accepted(conn);
    } catch (error) {
      this.failed(error as OpError);
    }
  }

  accepted(conn: C): void {
    const ref = this.track(conn);
    try {
      const answer = this.runInAsyncScope(this.handler, undefined, conn);
      if (isPromise(answer)) this.follow(conn, ref, answer);
    } catch (error) {
      conn.close();
      this.handlerFailed(error, conn);
    }
  }

  private track(conn: C): Handle | C {
    const owned = (conn as { [ownedBy]?: (owner: HandleOwner) => Handle })[ownedBy];
    const ref = owned === undefined ? conn : owned.call(conn, this);
    this.open.add(ref);
    this.accepts++;
    return ref;
  }

  private follow(conn: C, ref: Handle | C, answer: Promise<unknown>): void {
    answer.then(
      () => {
        if (conn instanceof StreamConn ? conn.ended && conn.flow === null && !conn.busy : ref === conn) {
          void topOf(conn).shutdown();
        }
        // A connection of a foreign make does not say when it closes: its handler's end counts.
        if (ref === conn) this.forget(ref);
      },
      (error: unknown) => {
        conn.close();
        if (ref === conn) this.forget(ref);
        this.handlerFailed(error, conn);
      },
    );
  }

  handleClosed(handle: Handle): void {
    this.forget(handle);
  }

  private forget(ref: Handle | C): void {
    if (!this.open.delete(ref)) return;
    if (this.open.size === 0) this.whenEmpty?.();
  }

  handlerFailed(error: unknown, conn: object): void {
    // A handler that gave `signal` to its calls is ended by shutdown(), and has made no mistake.
    if (this.signal.aborted && error === this.signal.reason) return;
    this.report(error, conn as C);
  }

  failed(error: OpError): void {
    if (error.cause !== ErrClosed) this.report(error, null);
  }

  private report(error: unknown, conn: C | null): void {
    const { onError } = this.options;
    try {
      if (onError !== undefined) this.runInAsyncScope(onError, undefined, error, conn);
      else if (!(error instanceof OpError) || conn === null) warn(error);
    } catch (mistake) {
      // The connections after this one must not be lost for it.
      rethrowLater(mistake);
    }
  }

  async shutdown(options: { timeout?: number | undefined } = {}): Promise<ShutdownResult> {
    const timeout = shutdownTimeout(options);
    this.ending ??= this.end(timeout);
    return this.ending;
  }

  private async end(timeout: number): Promise<ShutdownResult> {
    const began = performance.now();
    const late = isDrainable(this.listener) ? this.listener.drainQueue(this) : undefined;
    const before = this.open.size - this.accepts;
    const forcedBefore = this.forced;
    this.stop();
    if (late !== undefined) await this.lateWithin(late, timeout);
    await this.emptyWithin(Math.max(timeout - (performance.now() - began), 0));
    this.closeAll();
    const forced = this.forced - forcedBefore;
    return { finished: before + this.accepts - forced, forced };
  }

  /** Those that the listener has taken, and cannot hand over yet. */
  private async lateWithin(late: Promise<void>, timeout: number): Promise<void> {
    const timer = setTimeout(() => this.listener.close(), Math.min(timeout, MAX_TIMER));
    await late;
    clearTimeout(timer);
  }

  private emptyWithin(timeout: number): Promise<void> {
    if (this.open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(timeout, MAX_TIMER));
      this.whenEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  close(): boolean {
    const closed = this.stop();
    this.closeAll();
    return closed;
  }

  private stop(): boolean {
    const closed = this.listener.close();
    if (!this.signal.aborted) this.stopping.abort();
    return closed;
  }

  private closeAll(): void {
    this.forced += this.open.size;
    for (const ref of [...this.open]) {
      // Whoever waits for the connection is in the dispatcher's table, and must be told.
      const conn = ref instanceof Handle ? (waiterOf(ref.id) as StreamConn | undefined) : ref;
      if (conn !== undefined) conn.close();
      else (ref as Handle).closeUnseen();
    }
    this.open.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

// Handlers can throw anything, and a warning is text or an Error.
function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : `A handler threw ${inspect(error)}`);
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
