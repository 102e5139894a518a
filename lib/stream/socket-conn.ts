// What TCP and Unix connections share beyond Conn: half-closing, buffers, and the way down to the
// descriptor.

import { EXPIRED, LENT, native, READ, READ_SIDE, WRITE, WRITE_SIDE } from '../binding';
import { checkInteger } from '../check';
import type { CallOptions } from '../conn';
import { causeOf, ErrBusy, ErrClosed, OpError } from '../errors';
import { rejected } from '../pending';
import { type RawCall, RawConn, type RawSource } from '../raw-conn';
import { optionGetter, optionSetter } from '../socket-option';
import { peek, takeFrontBytes, unread } from './front';
import { rawWait } from './raw';
import { asOp, StreamConn } from './stream-conn';

const MAX_INT = 2 ** 31 - 1;

export abstract class SocketConn extends StreamConn implements RawSource {
  /**
   * Ends reading: waiting and later reads resolve to null once what the kernel holds is read. A TCP
   * peer is not told (Go's CloseRead).
   * @throws OpError `op: 'close'`
   */
  closeRead(): void {
    this.halfClose(READ);
  }

  /**
   * Sends FIN: the peer reads to the end of the stream; reading goes on. A waiting write fails with
   * EPIPE, as does every later one (Go's CloseWrite).
   * @throws OpError `op: 'close'`; `ENOTCONN` when the connection was reset
   */
  closeWrite(): void {
    this.halfClose(WRITE);
  }

  /**
   * Resolves to the next bytes without taking them, at least one and at most n, or to null at the end of
   * the stream. It stands in the line of reads, and the read deadline ends it. Answered with fewer bytes
   * than you need, read() them, wait for more with another read(), and unread() it all.
   * @param n 1 to 65536
   * @throws OpError `op: 'peek'` (as a rejection)
   */
  peek(n: number, options?: CallOptions): Promise<Buffer | null> {
    try {
      return peek(this, n, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Puts bytes back, in front of all that is still to be read: read(), iteration, handle(), peek(),
   * copy() and relay() see them first. They are copied. What is put back later comes first. Over
   * `unixpacket` one packet at a time can be put back.
   * @throws OpError `op: 'unread'`: `ERR_SPLICEWAY_BUSY` in handler style and while reads wait
   */
  unread(bytes: Uint8Array): void {
    unread(this, bytes);
  }

  /** Takes back what unread() has put in front and nobody has read yet; empty where there is none. */
  takeUnread(): Buffer {
    if (this.busy) throw this.error('unread', ErrBusy);
    return takeFrontBytes(this, Number.POSITIVE_INFINITY) ?? Buffer.alloc(0);
  }

  /** Sets SO_RCVBUF. @param bytes 1 to 2^31 - 1; Linux doubles it and has a limit of its own */
  setReadBuffer(bytes: number): void {
    checkInteger('bytes', bytes, 1, MAX_INT);
    this.setAtLocal(() => native.setReadBuffer(this.id, bytes));
  }

  /** Sets SO_SNDBUF. @param bytes 1 to 2^31 - 1; Linux doubles it and has a limit of its own */
  setWriteBuffer(bytes: number): void {
    checkInteger('bytes', bytes, 1, MAX_INT);
    this.setAtLocal(() => native.setWriteBuffer(this.id, bytes));
  }

  /**
   * Asks for a socket option by name, such as `getOption('IPPROTO_TCP', 'TCP_MAXSEG')`, or by number.
   * @throws OpError `op: 'get'`: `ENOPROTOOPT` where this socket has no such option, …
   */
  getOption(level: string | number, name: string | number): number;
  /** The same for an option that is no int: up to `length` bytes of it, 1 to 65536. */
  getOption(level: string | number, name: string | number, length: number): Buffer;
  getOption(level: string | number, name: string | number, length?: number): number | Buffer {
    const get = optionGetter(level, name, length);
    this.mustBeFree('get');
    return asOp(this, 'get', () => get(this.id));
  }

  /**
   * Sets a socket option by name or by number: to an int, or to bytes for one that is a struct or text.
   * @throws OpError `op: 'set'`: `ENOPROTOOPT`, `EINVAL`, `EPERM`, …
   */
  setOption(level: string | number, name: string | number, value: number | Uint8Array): void {
    const set = optionSetter(level, name, value);
    this.set(() => set(this.id));
  }

  /** The descriptor, for system calls that this package has no function for (Go's SyscallConn). */
  syscallConn(): RawConn {
    return new RawConn(this);
  }

  /**
   * A duplicate of the descriptor, which is the caller's to close: another way to the same connection,
   * which the peer sees end only when both are closed (Go's File). Non-blocking, close-on-exec.
   * @throws OpError `op: 'file'`: `EMFILE`, …
   */
  file(): number {
    this.mustBeFree('file');
    return asOp(this, 'file', () => native.duplicate(this.id));
  }

  /**
   * Gives up the descriptor, which is the caller's from now on, and the connection lives on with it:
   * to be passed to a child process, or to code of another kind. This object is closed thereby:
   * waiting calls reject with `ERR_SPLICEWAY_CLOSED`. Non-blocking, close-on-exec.
   * @throws OpError `op: 'detach'`; `ERR_SPLICEWAY_BUSY` while a copy uses it, and while there are bytes
   *   from unread(), which the descriptor cannot carry: takeUnread() gives them
   */
  detach(): number {
    this.mustBeFree('detach');
    if (this.front !== null || (native.state(this.id) & LENT) !== 0) throw this.error('detach', ErrBusy);
    return this.end(() => this.handleRef.detach());
  }

  /** Calls that wait on this connection keep the process alive (the default). */
  ref(): this {
    native.setRef(this.id, true);
    return this;
  }

  /** Calls that wait on this connection no longer keep the process alive. */
  unref(): this {
    native.setRef(this.id, false);
    return this;
  }

  /** @internal closeWrite() for a relay, which owns the connection. False when it has nobody to tell. */
  sendFin(): boolean {
    return native.shutdown(this.id, WRITE) === 0;
  }

  /** @internal */
  rawRefusal(op: string): OpError | null {
    if (op !== 'raw-control') return this.refusal(op);
    const cause = this.id < 0 ? ErrClosed : this.busy ? ErrBusy : null;
    return cause === null ? null : new OpError(op, this.net, null, this.localAddr, cause);
  }

  /** @internal */
  rawWait(side: number, op: string, call: RawCall, signal: AbortSignal | undefined): Promise<void> {
    if (this.expired(side)) return rejected(this.error(op, causeOf(EXPIRED, op)));
    return rawWait(this, side, op, call, signal);
  }

  /** @internal Whether new calls of that direction fail for their deadline. */
  expired(side: number): boolean {
    return (native.state(this.id) & (side === READ ? READ_SIDE : WRITE_SIDE)) !== 0;
  }

  private halfClose(side: number): void {
    this.mustBeFree('close');
    const status = native.shutdown(this.id, side);
    if (status < 0) throw this.failure('close', status);
    (side === READ ? this.reads : this.writes)?.shutDown?.();
  }

  /** @internal Throws where calls on the connection do. */
  mustBeFree(op: string): void {
    if (this.id < 0) throw this.error(op, ErrClosed);
    if (this.busy) throw this.error(op, ErrBusy);
  }

  /** @internal A socket option; Go names both addresses in its errors. */
  set(apply: () => void): void {
    this.mustBeFree('set');
    asOp(this, 'set', apply);
  }

  /** @internal Something that a relay does not forbid. */
  ask<T>(call: () => T): T {
    if (this.id < 0) throw this.error('get', ErrClosed);
    return asOp(this, 'get', call);
  }

  // The options that Go sets below its TCPConn name the local address alone.
  private setAtLocal(apply: () => void): void {
    if (this.id < 0) throw new OpError('set', this.net, null, this.localAddr, ErrClosed);
    this.set(apply);
  }
}
