// What every connection offers, whatever carries it: TCP, a Unix socket, an in-memory pipe, a wrapper.

import type { Addr } from './addr';
import type { Deadline } from './deadline';
import type { ProxyHeader } from './proxy-protocol/header';

export interface CallOptions {
  /**
   * Ends the wait: the call rejects with `signal.reason`. A signal that is aborted already makes the
   * call reject before it touches the connection. A write that was under way stops where it is.
   */
  signal?: AbortSignal | undefined;
}

export interface ShutdownOptions {
  /** How long to wait for pending writes and for the peer's FIN, in milliseconds. Default 5000. */
  timeout?: number | undefined;
}

/**
 * - `new`: open, nothing read or written yet
 * - `active`: in use
 * - `readExpired`, `writeExpired`: the deadline of that direction has passed; set a new one to go on
 * - `closing`: shutdown() is under way
 * - `closed`: the descriptor is released
 */
export type ConnState = 'new' | 'active' | 'readExpired' | 'writeExpired' | 'closing' | 'closed';

/** The functions that a connection calls in handler style; see {@link Conn.handle}. */
export interface ConnHandlers {
  /**
   * Bytes arrived. The chunk is lent: it is valid until this returns, or until the promise it returns
   * settles, and no more bytes are read meanwhile. Copy what you want to keep.
   */
  data(chunk: Buffer): unknown;
  /** The peer sent FIN: no more data will come. Without this function the connection is shut down. */
  end?(): unknown;
  /**
   * The connection failed, or a read deadline passed (`error.timeout`). After a failure it is closed
   * and nothing else is called; after a deadline, reading goes on once a new one is set.
   */
  error?(error: Error): unknown;
  /** After a tryWrite() that took less than it was given: there is room again. */
  drain?(): unknown;
}

/**
 * A stream of bytes between two ends (Go's net.Conn).
 *
 * Several calls may wait in each direction; they are served in the order in which they were made, and
 * reading and writing do not wait for each other. What ends a waiting call: its bytes, the end of the
 * stream, an error of the connection, the deadline of its direction, its signal, and close().
 * Rejections that the peer, a deadline or close() caused never raise `unhandledRejection`.
 */
export interface Conn extends AsyncIterable<Buffer>, AsyncDisposable, Disposable {
  /**
   * Resolves to the next bytes there are, 1 B to 64 KiB, in a chunk of your own, or to null at the
   * end of the stream. The kernel is asked anew each time, so null can be followed by null only.
   * @throws OpError `op: 'read'` (as a rejection)
   */
  read(options?: CallOptions): Promise<Buffer | null>;
  /**
   * Reads into p (Go's Read): resolves to how many bytes were put at its start, which may be fewer
   * than it has room for, or to null at the end of the stream. An empty p resolves to 0 at once.
   */
  read(p: Uint8Array, options?: CallOptions): Promise<number | null>;
  /**
   * Writes all of p and resolves to its length once the kernel has taken the last byte; a string is
   * written as UTF-8. p must not change until then. Concurrent writes never mix.
   * @throws OpError `op: 'write'` with `bytesWritten` (as a rejection)
   */
  write(p: Uint8Array | string, options?: CallOptions): Promise<number>;
  /** Writes the members of the list one after the other, as a single write. `op: 'writev'` */
  writev(list: readonly Uint8Array[], options?: CallOptions): Promise<number>;
  /**
   * Handler style, the fastest: the functions are called as things happen. At most once for a
   * connection, with no read waiting; read() rejects from then on with `ERR_SPLICEWAY_BUSY`.
   */
  handle(handlers: ConnHandlers): void;
  /**
   * Writes without waiting: how many bytes the kernel took now; 0 when it has no room, when a write
   * waits, when the write deadline has passed and when the connection has failed or is closed. What
   * failed is told to handle()'s error(), or else by the next call. Never throws for the network.
   */
  tryWrite(p: Uint8Array | string): number;

  /**
   * Releases the connection at once (Go's Close): waiting calls reject with `ERR_SPLICEWAY_CLOSED`.
   * Bytes that the kernel has taken are still delivered. True for the call that closed it, false
   * where it was closed already. Never throws.
   */
  close(): boolean;
  /**
   * Closes gracefully: no new writes, waiting ones finish, then FIN; what arrives goes to waiting
   * reads, the rest is discarded, until the peer's FIN or the timeout; then close(). Never rejects for
   * what the peer does.
   */
  shutdown(options?: ShutdownOptions): Promise<void>;

  /**
   * Sets both deadlines: an instant, not a duration, after which calls fail with
   * `ERR_SPLICEWAY_DEADLINE_EXCEEDED` until another is set. Past: waiting and later calls fail at
   * once. null: never. Bytes are not lost; the connection stays usable.
   * @param t a Date, milliseconds since the epoch, or null
   * @throws OpError `op: 'set'` when the connection is closed
   */
  setDeadline(t: Deadline): void;
  /** The same for reads alone. */
  setReadDeadline(t: Deadline): void;
  /** The same for writes alone. A write that fails half-way says so in `bytesWritten`. */
  setWriteDeadline(t: Deadline): void;

  /** This end's address, or what the client had connected to, where a PROXY header tells; still there after close. */
  readonly localAddr: Addr;
  /** The other end's address, or the client's, where a PROXY header tells; still there after close. */
  readonly remoteAddr: Addr;
  /**
   * Who is connected here, where that is not who `remoteAddr` says: a balancer that told of its client
   * in a PROXY header. Else `remoteAddr`. Absent where a Conn of another make knows of no headers.
   */
  readonly peerAddr?: Addr;
  /** The PROXY header that the connection began with, where its listener reads them; else null or absent. */
  readonly proxyHeader?: ProxyHeader | null;
  readonly state: ConnState;

  /** read() until the end of the stream; closing the connection ends it without an error. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined>;
  /** shutdown() */
  [Symbol.asyncDispose](): Promise<void>;
  /** close() */
  [Symbol.dispose](): void;
}
