// relay(): two connections joined, until both directions are over.

import { checkObject, checkSignal } from './check';
import type { Conn } from './conn';
import { ErrBusy, ErrClosed, invalidType, invalidValue, type OpError } from './errors';
import { checked } from './pending';
import { PumpCopy } from './stream/pumping';
import { SocketConn } from './stream/socket-conn';

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
 * the network does and rejects only for wrong arguments, for a connection that is in use, and for an
 * abort. While it runs close(), addresses and state work on both, other calls fail with
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
  readonly done: Promise<number>;
  readonly progress: number;
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
    this.claim('a');
    this.claim('b');
    this.signal?.addEventListener('abort', this.onAbort, { once: true });
    this.flows = { a: this.flow('a', 'b'), b: this.flow('b', 'a') };
    this.follow('a', 'b');
    this.follow('b', 'a');
    return promise;
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
    if (source instanceof SocketConn && sink instanceof SocketConn) {
      const pump = new PumpCopy(source, sink, -1, (end, cause) =>
        end === 'source' ? source.error('read', cause) : sink.error('write', cause),
      );
      const done = pump.start();
      return {
        done,
        get progress() {
          return pump.progress;
        },
        cancel: () => pump.cancel(),
      };
    }
    return flowByHand(source, sink);
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
    // A source that failed has nothing more to give, and takes nothing more. A sink that takes nothing
    // may still have sent bytes for the other side: that direction goes on until it has ended too.
    const closedHere = error.cause === ErrClosed || this.conns.a.state === 'closed' || this.conns.b.state === 'closed';
    const sinkFailed = error.op === 'write' && !closedHere;
    this.closedHere ||= closedHere && this.error === null;
    this.endedBy ??= error.op === 'write' ? to : from;
    this.error ??= error;
    if (!sinkFailed || ++this.over === 2) this.finish();
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
  if (conn instanceof SocketConn) return conn.sendFin();
  const { closeWrite } = conn as { closeWrite?: () => void };
  if (typeof closeWrite !== 'function') return false;
  try {
    closeWrite.call(conn);
    return true;
  } catch {
    return false; // it is over already
  }
}

/** A call on a connection that is busy for everybody but the relay. */
function asOwner<T>(conn: Conn, call: () => T): T {
  if (!(conn instanceof SocketConn)) return call();
  const { busy } = conn;
  conn.busy = false;
  try {
    return call();
  } finally {
    conn.busy = busy;
  }
}

/** For a Conn that is no socket: the bytes go through JavaScript. */
function flowByHand(source: Conn, sink: Conn): Flow {
  const stopped = new AbortController();
  const flow = { done: Promise.resolve(0), progress: 0, cancel: () => stopped.abort() };
  const pass = async () => {
    for await (const chunk of chunksOf(source, stopped.signal)) {
      await asOwner(sink, () => sink.write(chunk, { signal: stopped.signal }));
      flow.progress += chunk.length;
    }
    return flow.progress;
  };
  flow.done = pass();
  return flow;
}

async function* chunksOf(source: Conn, signal: AbortSignal): AsyncGenerator<Buffer> {
  for (;;) {
    const chunk = await asOwner(source, () => source.read({ signal }));
    if (chunk === null) return;
    yield chunk;
  }
}
