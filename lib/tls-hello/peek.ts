// Looking at the ClientHello of a connection, which goes on as if nobody had.

import { CHUNK } from '../binding';
import { checkDuration, checkInteger, checkMethods, signalOf } from '../check';
import type { CallOptions, Conn } from '../conn';
import { MAX_TIMER } from '../deadline';
import { ErrDeadlineExceeded, OpError } from '../errors';
import { checked } from '../pending';
import { type ClientHello, parseClientHello } from './client-hello';

export interface ClientHelloOptions extends CallOptions {
  /** How long it may take, in milliseconds. Default 5000. */
  timeout?: number | undefined;
  /** How many bytes are looked at for it: 1 to 65536. Default 16384. */
  maxBytes?: number | undefined;
}

/** A connection that can be looked into: a TCPConn, a UnixConn, or a wrapper of one. */
export interface PeekableConn extends Conn {
  peek(n: number, options?: CallOptions): Promise<Buffer | null>;
  unread(bytes: Uint8Array): void;
}

const DEFAULT_TIMEOUT = 5000;
const DEFAULT_MAX = 16384;

/**
 * Resolves to what the ClientHello of a TLS client says, or to null where the connection begins
 * otherwise, ends before, or needs more than `maxBytes` for it. All bytes are still to be read, by
 * whoever reads next: a handshake, or a relay. Call it before anything else reads.
 *
 * They stay in the kernel where the hello is there as a whole, or the connection begins otherwise. Of
 * one that comes in pieces, those that came before the last are put back as unread() does.
 * @throws OpError `op: 'peek'` (as a rejection): `ERR_SPLICEWAY_DEADLINE_EXCEEDED`, …
 */
export function peekClientHello(conn: PeekableConn, options: ClientHelloOptions = {}): Promise<ClientHello | null> {
  return checked(
    () => {
      checkMethods('conn', conn, 'peek', 'unread');
      const signal = signalOf(options);
      const { timeout = DEFAULT_TIMEOUT, maxBytes = DEFAULT_MAX } = options;
      checkDuration('options.timeout', timeout);
      checkInteger('options.maxBytes', maxBytes, 1, CHUNK);
      return { signal, timeout, maxBytes };
    },
    ({ signal, timeout, maxBytes }) => inTime(conn, timeout, signal, (limited) => look(conn, maxBytes, limited)),
  );
}

/** The same with a signal that aborts when the time is up: deadlines are the caller's. */
async function inTime<T>(
  conn: Conn,
  timeout: number,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const { localAddr, remoteAddr } = conn;
  const late = () => new OpError('peek', localAddr.network, localAddr, remoteAddr, ErrDeadlineExceeded);
  const timer = setTimeout(() => controller.abort(late()), Math.min(timeout, MAX_TIMER));
  const onAbort = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await run(controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

async function look(conn: PeekableConn, max: number, signal: AbortSignal): Promise<ClientHello | null> {
  let taken: Buffer = Buffer.alloc(0);
  try {
    for (;;) {
      const seen = await conn.peek(max - taken.length, { signal });
      if (seen === null) return null;
      const bytes = Buffer.concat([taken, seen]);
      const hello = parseClientHello(bytes);
      if (hello !== undefined) return hello;
      if (bytes.length === max) return null;
      // A look waits for a first byte, and never for one more: what was seen must go.
      const n = await conn.read(seen);
      taken = Buffer.concat([taken, seen.subarray(0, n ?? 0)]);
    }
  } finally {
    if (taken.length > 0 && conn.state !== 'closed') conn.unread(taken);
  }
}
