// relay(): two connections joined, until both directions are over.

import { checkDuration, checkInteger, checkObject, checkSignal } from './check';
import type { Conn } from './conn';
import { invalidType, invalidValue, type OpError } from './errors';
import { checkProgress, type ProgressOptions } from './progress';
import { HandRelay } from './relaying/by-hand';
import { KernelRelay } from './relaying/by-kernel';
import { claim, type RelayRun, type Settle } from './relaying/run';
import { SocketConn } from './stream/socket-conn';

export interface RelayOptions extends ProgressOptions<RelayProgress> {
  /** Ends the relay: it rejects with `signal.reason`, and both connections are closed. */
  signal?: AbortSignal | undefined;
  /** Ends it when no byte has moved, in either direction, for so many milliseconds. 0 or absent: never. */
  idleTimeout?: number | undefined;
  /**
   * The same, in its place, from when the FIN of one side was passed on, in milliseconds. 0 or absent:
   * `idleTimeout` holds to the end.
   */
  halfCloseTimeout?: number | undefined;
  /** Ends it when so many bytes have moved in one of the directions. 1 to 2^53 - 1; absent: never. */
  maxBytes?: number | undefined;
  /** Bytes a second at most, for each direction; a tenth of them at once. 1 to 2^53 - 1; absent: no limit. */
  rateLimit?: number | undefined;
}

export interface RelayProgress {
  /** Bytes that b has taken from a. */
  readonly aToB: number;
  /** Bytes that a has taken from b. */
  readonly bToA: number;
}

export interface RelayResult {
  /**
   * - `end`: both sides have sent FIN, and everything was passed on
   * - `error`: a connection failed; see `error`
   * - `closed`: close() was called on one of them here
   * - `idle`: no byte moved for `idleTimeout`
   * - `halfClose`: nor for `halfCloseTimeout`, after one side had sent FIN
   * - `limit`: `maxBytes` have moved in one direction
   */
  reason: 'end' | 'error' | 'closed' | 'idle' | 'halfClose' | 'limit';
  /** The side that ended first: sent FIN, failed or was closed. Null where neither did. */
  endedBy: 'a' | 'b' | null;
  /** What went wrong; null where nothing did. */
  error: OpError | null;
  /** Bytes that b took from a. */
  aToB: number;
  /** Bytes that a took from b. */
  bToA: number;
  /** Milliseconds from the call to the end. */
  duration: number;
}

// One for all relays, each of which keeps its options.
const DEFAULTS: RelayOptions = Object.freeze({});

/** A relay that runs: its result to come, and how many bytes it has moved so far. */
export interface Relaying extends Promise<RelayResult>, RelayProgress {}

/**
 * Passes bytes between a and b, both ways, until both have ended; a FIN is passed on as soon as the
 * bytes before it are. Between sockets an I/O thread has the kernel move them (splice), also while
 * JavaScript is busy. It resolves for everything that the network does, also where one was closed
 * before, and rejects only for wrong arguments, for a connection that is in use, and for an abort.
 * While it runs close(), info(), addresses and state work on both, other calls fail with
 * `ERR_SPLICEWAY_BUSY`; afterwards both are closed.
 * @returns the result's promise, which has `aToB` and `bToA` as they stand
 */
export function relay(a: Conn, b: Conn, options: RelayOptions = DEFAULTS): Relaying {
  const relaying = new RelayPromise();
  try {
    checkArguments(a, b, options);
  } catch (error) {
    relaying.fail(error);
    return relaying;
  }
  try {
    options.signal?.throwIfAborted();
    claim(a, b);
    relaying.begin(runOf(a, b, options, relaying));
  } catch (error) {
    relaying.refuse(error);
  }
  return relaying;
}

// A class rather than properties of the one promise: there may be tens of thousands.
class RelayPromise extends Promise<RelayResult> implements Relaying, Settle {
  // Promise to whoever asks, so that then() returns an ordinary one, and await needs none in between.
  static {
    RelayPromise.prototype.constructor = Promise;
  }

  readonly settle!: (result: RelayResult) => void;
  readonly fail!: (reason: unknown) => void;
  private run: RelayRun | null = null;

  constructor() {
    let settle!: RelayPromise['settle'];
    let fail!: RelayPromise['fail'];
    super((resolve, reject) => {
      settle = resolve;
      fail = reject;
    });
    this.settle = settle;
    this.fail = fail;
  }

  begin(run: RelayRun): void {
    this.run = run;
    run.run();
  }

  /** For what is no mistake in the arguments: nobody has to await it. */
  refuse(reason: unknown): void {
    this.catch(() => {});
    this.fail(reason);
  }

  get aToB(): number {
    return this.run?.aToB ?? 0;
  }

  get bToA(): number {
    return this.run?.bToA ?? 0;
  }
}

function runOf(a: Conn, b: Conn, options: RelayOptions, outcome: Settle): RelayRun {
  if (isOfBytes(a) && isOfBytes(b)) {
    try {
      return new KernelRelay(a, b, options, outcome);
    } catch {
      // No descriptors left for an I/O thread: JavaScript needs none.
    }
  }
  return new HandRelay(a, b, options, outcome);
}

// Packets are to stay what they are, which splicing does not see to.
function isOfBytes(conn: Conn): conn is SocketConn {
  return conn instanceof SocketConn && conn.state !== 'closed' && conn.net !== 'unixpacket';
}

function checkArguments(a: Conn, b: Conn, options: RelayOptions): void {
  checkConn('a', a);
  checkConn('b', b);
  if (a === b) throw invalidValue('b', 'must be another Conn than a', b);
  checkObject('options', options);
  const { signal, idleTimeout, halfCloseTimeout, maxBytes, rateLimit } = options;
  if (signal !== undefined) checkSignal(signal);
  if (idleTimeout !== undefined) checkDuration('options.idleTimeout', idleTimeout);
  if (halfCloseTimeout !== undefined) checkDuration('options.halfCloseTimeout', halfCloseTimeout);
  if (maxBytes !== undefined) checkInteger('options.maxBytes', maxBytes, 1, Number.MAX_SAFE_INTEGER);
  if (rateLimit !== undefined) checkInteger('options.rateLimit', rateLimit, 1, Number.MAX_SAFE_INTEGER);
  checkProgress(options);
}

function checkConn(name: string, conn: unknown): void {
  const { read, write, close } = (conn ?? {}) as Partial<Conn>;
  if (typeof read === 'function' && typeof write === 'function' && typeof close === 'function') return;
  throw invalidType(name, 'a Conn', conn);
}
