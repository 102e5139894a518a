// relay(): two connections joined, until both directions are over.

import { checkObject, checkSignal } from './check';
import type { Conn } from './conn';
import {
  asOpError,
  ErrBusy,
  ErrClosed,
  ErrClosedPipe,
  invalidType,
  invalidValue,
  type OpError,
  SyscallError,
} from './errors';
import { checked } from './pending';
import { PumpCopy } from './stream/pumping';
import { readNow } from './stream/reading';
import { SocketConn } from './stream/socket-conn';
import { writeNow } from './stream/writing';

export interface RelayOptions {
  /** Ends the relay: it rejects with `signal.reason`, and both connections are closed. */
  signal?: AbortSignal | undefined;
}

export interface RelayResult {
  /**
   * - `end`: both sides have sent FIN, and everything was passed on
   * - `error`: a connection failed; see `error`
   * - `closed`: close() was called on one of them here
   */
  reason: 'end' | 'error' | 'closed';
  /** The side that ended first: sent FIN, failed or was closed. */
  endedBy: 'a' | 'b';
  /** What went wrong; null where nothing did. */
  error: OpError | null;
  /** Bytes that b took from a. */
  aToB: number;
  /** Bytes that a took from b. */
  bToA: number;
  /** Milliseconds from the call to the end. */
  duration: number;
}

/**
 * Passes bytes between a and b, both ways, until both have ended; a FIN is passed on as soon as the
 * bytes before it are. Between sockets the kernel moves them (splice). It resolves for everything that
 * the network does, also where one was closed before, and rejects only for wrong arguments, for a
 * connection that is in use, and for an abort. While it runs close(), addresses and state work on both, other calls fail with
 * `ERR_SPLICEWAY_BUSY`; afterwards both are closed.
 */
export function relay(a: Conn, b: Conn, options: RelayOptions = {}): Promise<RelayResult> {
  return checked(
    () => {
      checkConn('a', a);
      checkConn('b', b);
      if (a === b) throw invalidValue('b', 'must be another Conn than a', b);
      checkObject('options', options);
      if (options.signal !== undefined) checkSignal(options.signal);
    },
    async () => {
      options.signal?.throwIfAborted();
      return new Relay(a, b, options.signal).run();
    },
  );
}

function checkConn(name: string, conn: unknown): void {
  const { read, write, close } = (conn ?? {}) as Partial<Conn>;
  if (typeof read === 'function' && typeof write === 'function' && typeof close === 'function') return;
  throw invalidType(name, 'a Conn', conn);
}

type Side = 'a' | 'b';

/** One direction's bytes, and how to stop it. */
interface Flow {
  readonly done: Promise<unknown>;
  readonly progress: number;
  /** Once it has failed: at which end. */
  readonly failedAt: 'source' | 'sink';
  cancel(): void;
}

class Relay {
  private readonly started = performance.now();
  private readonly conns: Readonly<Record<Side, Conn>>;
  private flows!: Record<Side, Flow>;
  private over = 0;
  private endedBy: Side | null = null;
  private error: OpError | null = null;
  private closedHere = false;
  private resolve!: (result: RelayResult) => void;
  private reject!: (reason: unknown) => void;
  private readonly onAbort = () => this.abort();

  constructor(
    a: Conn,
    b: Conn,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.conns = { a, b };
  }

  run(): Promise<RelayResult> {
    const promise = new Promise<RelayResult>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    const closed = this.closedBefore();
    for (const side of ['a', 'b'] as const) if (side !== closed) this.claim(side);
    if (closed !== null) this.endBefore(closed);
    else this.begin();
    return promise;
  }

  private begin(): void {
    this.signal?.addEventListener('abort', this.onAbort, { once: true });
    this.flows = { a: this.flow('a', 'b'), b: this.flow('b', 'a') };
    this.follow('a', 'b');
    this.follow('b', 'a');
  }

  // Such as a client that a server's shutdown has closed while its upstream was being dialed.
  private closedBefore(): Side | null {
    return (['a', 'b'] as const).find((side) => this.conns[side].state === 'closed') ?? null;
  }

  private endBefore(side: Side): void {
    const conn = this.conns[side];
    this.conns[side === 'a' ? 'b' : 'a'].close();
    const error = asOpError('read', conn, conn instanceof SocketConn ? conn.error('read', ErrClosed) : ErrClosed);
    const duration = performance.now() - this.started;
    this.resolve({ reason: 'closed', endedBy: side, error, aToB: 0, bToA: 0, duration });
  }

  /** No other call may have, or get, the connection. */
  private claim(side: Side): void {
    const conn = this.conns[side];
    if (!(conn instanceof SocketConn)) return;
    const refused = conn.refusal('read') ?? (conn.reads === null ? null : conn.error('read', ErrBusy));
    if (refused === null) {
      conn.busy = true;
      return;
    }
    if (side === 'b' && this.conns.a instanceof SocketConn) this.conns.a.busy = false;
    throw refused;
  }

  private flow(from: Side, to: Side): Flow {
    const source = this.conns[from];
    const sink = this.conns[to];
    const sockets = source instanceof SocketConn && sink instanceof SocketConn;
    return sockets ? new PumpFlow(source, sink) : new HandFlow(source, sink);
  }

  private follow(from: Side, to: Side): void {
    this.flows[from].done.then(
      () => this.ended(from, to),
      (error: OpError) => this.failed(from, to, error),
    );
  }

  // Everything of `from` has been passed on, up to its FIN, which is passed on in its turn.
  private ended(from: Side, to: Side): void {
    this.endedBy ??= from;
    if (++this.over === 2 || !passFin(this.conns[to])) this.finish();
  }

  private failed(from: Side, to: Side, error: OpError): void {
    if (this.over < 0) return;
    const atSink = this.flows[from].failedAt === 'sink';
    this.endedBy ??= atSink ? to : from;
    this.error ??= error;
    // A pipe that is closed says so at both of its ends, and means the one that was closed here.
    const piped = error.cause === ErrClosedPipe && this.conns[atSink ? to : from].state === 'closed';
    this.closedHere = this.error.cause === ErrClosed || piped;
    // A source that failed has nothing more to give, and takes nothing more. A socket to which the system
    // takes nothing may still hold bytes for the other side: that direction goes on until it has ended too.
    const goesOn = atSink && error.cause instanceof SyscallError && this.conns[to] instanceof SocketConn;
    if (!goesOn || ++this.over === 2) this.finish();
  }

  private finish(): void {
    if (!this.stop()) return;
    const { error } = this;
    this.resolve({
      reason: error === null ? 'end' : this.closedHere ? 'closed' : 'error',
      endedBy: this.endedBy as Side,
      error,
      aToB: this.flows.a.progress,
      bToA: this.flows.b.progress,
      duration: performance.now() - this.started,
    });
  }

  private abort(): void {
    if (this.stop()) this.reject(this.signal?.reason);
  }

  /** False when it was over already. */
  private stop(): boolean {
    if (this.over < 0) return false;
    this.over = Number.NEGATIVE_INFINITY;
    this.signal?.removeEventListener('abort', this.onAbort);
    this.flows.a.cancel();
    this.flows.b.cancel();
    for (const conn of Object.values(this.conns)) {
      if (conn instanceof SocketConn) conn.busy = false;
      conn.close();
    }
    return true;
  }
}

/** False where it cannot be done: then the only way to pass an end on is to end altogether. */
function passFin(conn: Conn): boolean {
  // A socket that was reset refuses. The other direction meets that too, after the last bytes.
  if (conn instanceof SocketConn) conn.sendFin();
  else return closedWrite(conn);
  return true;
}

function closedWrite(conn: Conn & { closeWrite?: unknown }): boolean {
  if (typeof conn.closeWrite !== 'function') return false;
  try {
    conn.closeWrite();
    return true;
  } catch {
    return false;
  }
}

/** Between sockets: the kernel moves the bytes. */
class PumpFlow implements Flow {
  readonly done: Promise<number>;
  failedAt: Flow['failedAt'] = 'source';
  private readonly pump: PumpCopy;

  constructor(source: SocketConn, sink: SocketConn) {
    this.pump = new PumpCopy(source, sink, -1, (end, cause) => {
      this.failedAt = end;
      return end === 'source' ? source.error('read', cause) : sink.error('write', cause);
    });
    this.done = this.pump.start();
  }

  get progress(): number {
    return this.pump.progress;
  }

  cancel(): void {
    this.pump.cancel();
  }
}

/** For a Conn that is no socket: the bytes go through JavaScript. */
class HandFlow implements Flow {
  readonly done: Promise<void>;
  progress = 0;
  failedAt: Flow['failedAt'] = 'source';
  private readonly stopped = new AbortController();

  constructor(source: Conn, sink: Conn) {
    this.done = this.pass(source, sink, this.stopped.signal);
  }

  cancel(): void {
    this.stopped.abort();
  }

  private async pass(source: Conn, sink: Conn, signal: AbortSignal): Promise<void> {
    for (;;) {
      const chunk = await this.at('source', source, () => readFrom(source, signal));
      if (chunk === null) break;
      await this.at('sink', sink, () => writeTo(sink, chunk, signal));
      this.progress += chunk.length;
    }
    await this.at('sink', sink, () => flush(sink, signal));
  }

  private async at<T>(end: Flow['failedAt'], conn: Conn, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (thrown) {
      this.failedAt = end;
      this.progress += (thrown as { bytesWritten?: number } | null)?.bytesWritten ?? 0;
      throw asOpError(end === 'source' ? 'read' : 'write', conn, thrown);
    }
  }
}

// A socket is busy for everybody but the relay.
function readFrom(conn: Conn, signal: AbortSignal): Promise<Buffer | null> {
  if (conn instanceof SocketConn) return readNow(conn, null, signal) as Promise<Buffer | null>;
  return conn.read({ signal });
}

function writeTo(conn: Conn, p: Uint8Array, signal: AbortSignal): Promise<number> {
  return conn instanceof SocketConn ? writeNow(conn, p, signal) : conn.write(p, { signal });
}

const EMPTY = new Uint8Array(0);

/** Resolves once what was written before the relay is on its way, so that a FIN does not cut it off. */
async function flush(conn: Conn, signal: AbortSignal): Promise<void> {
  if (conn instanceof SocketConn && conn.writes !== null) await writeNow(conn, EMPTY, signal);
}
