// The way down to a descriptor, for what this package has no function for (Go's syscall.RawConn).

import { native, READ, WRITE } from './binding';
import { checkFunction, signalOf } from './check';
import type { CallOptions } from './conn';
import { ErrClosed, OpError } from './errors';
import { rejected } from './pending';

/** Tries a system call of the caller's: false where it found nothing to do, and is to be asked again. */
export type RawCall = (fd: number) => boolean;

/** What a RawConn stands on: a connection, a listener, a socket that is neither yet. */
export interface RawSource {
  /** @internal The native handle; -1 once closed. */
  readonly id: number;
  /** @internal Why a call must not begin; null if it may. */
  rawRefusal(op: string): OpError | null;
  /** @internal Takes its place in the line of that direction, and asks `call` until it answers with true. */
  rawWait(side: number, op: string, call: RawCall, signal: AbortSignal | undefined): Promise<void>;
}

/**
 * The descriptor of a socket, lent for the length of a callback (Go's syscall.RawConn).
 *
 * The number is the socket's only while the callback runs: keep a duplicate (`file()`), not the number.
 * The descriptor is non-blocking; closing it, or making it blocking, breaks the connection it belongs to.
 */
export class RawConn {
  /** @internal */
  constructor(private readonly source: RawSource) {}

  /**
   * Calls fn with the descriptor, at once. What fn throws is thrown.
   * @throws OpError `op: 'raw-control'` when the socket is closed; fn is not called then
   */
  control(fn: (fd: number) => void): void {
    checkFunction('fn', fn);
    const refused = this.source.rawRefusal('raw-control');
    if (refused !== null) throw refused;
    fn(native.descriptor(this.source.id));
  }

  /**
   * Calls fn with the descriptor, and again each time there is something new to read, until it answers
   * with true. It stands in the connection's line of reads: calls made before come first, those made
   * later wait, and the read deadline ends it.
   * @param fn answers false after a system call said EAGAIN; what it throws rejects the promise
   * @throws OpError `op: 'raw-read'` (as a rejection)
   */
  read(fn: RawCall, options?: CallOptions): Promise<void> {
    return this.wait(READ, 'raw-read', fn, options);
  }

  /**
   * The same in the line of writes, each time there is room. Bytes that fn sends come between those of
   * the writes before and after it.
   * @throws OpError `op: 'raw-write'` (as a rejection)
   */
  write(fn: RawCall, options?: CallOptions): Promise<void> {
    return this.wait(WRITE, 'raw-write', fn, options);
  }

  private wait(side: number, op: string, fn: RawCall, options: CallOptions | undefined): Promise<void> {
    let signal: AbortSignal | undefined;
    try {
      checkFunction('fn', fn);
      signal = signalOf(options);
    } catch (error) {
      return Promise.reject(error);
    }
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const refused = this.source.rawRefusal(op);
    return refused === null ? this.source.rawWait(side, op, fn, signal) : rejected(refused);
  }
}

/** @internal For what has no direction to wait in. */
export function cannotWait(op: string, net: string, error: (cause: Error) => OpError): Promise<never> {
  const cause = new Error(`${op} needs a stream: a ${net} socket that is none has control() alone`);
  return rejected(error(Object.assign(cause, { code: 'EINVAL' })));
}

/**
 * @internal The descriptor of a native handle that is no Conn or Listener yet: for hooks that run
 * between a socket's making and its use.
 */
export function rawConnOf(id: number, net: string): RawConn {
  const error = (op: string, cause: Error) => new OpError(op, net, null, null, cause);
  return new RawConn({
    id,
    rawRefusal: (op) => (native.descriptor(id) < 0 ? error(op, ErrClosed) : null),
    rawWait: (_side, op) => cannotWait(op, net, (cause) => error(op, cause)),
  });
}
