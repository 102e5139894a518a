// What every socket of the kernel's has, whatever comes through it: a handle, options, the way down to its
// descriptor, and its place in the dispatcher's table, where it is exactly while something waits on it.

import { native, ONCE, READ, READ_SIDE, WRITE_SIDE } from './binding';
import { unwatch, type Waiter, watch } from './dispatch';
import { ErrClosed, type OpError, wrapping } from './errors';
import { closeWithOwner, Handle } from './handle';
import { type RawCall, RawConn, type RawSource } from './raw-conn';
import { optionGetter, optionSetter } from './socket-option';
import { exhausted } from './turn';

export abstract class NativeSocket implements Waiter, RawSource {
  /** @internal */
  readonly handleRef: Handle;
  /** @internal The network as it was given to dial or listen: as Go names it in errors. */
  readonly net: string;

  /** @internal */
  constructor(id: number, net: string) {
    this.net = net;
    this.handleRef = new Handle(id);
    closeWithOwner(this, this.handleRef);
  }

  /**
   * @internal The native handle; -1 once closed. It is asked for on the way of every byte, so each kind
   * of socket has this in code of its own, which V8 then sees few kinds of objects in.
   */
  abstract get id(): number;

  /**
   * Asks for a socket option by name, such as `getOption('IPPROTO_TCP', 'TCP_MAXSEG')`, or by number.
   * @throws OpError `op: 'get'`: `ENOPROTOOPT` where this socket has no such option, …
   */
  getOption(level: string | number, name: string | number): number;
  /** The same for an option that is no int: up to `length` bytes of it, 1 to 65536. */
  getOption(level: string | number, name: string | number, length: number): Buffer;
  getOption(level: string | number, name: string | number, length?: number): number | Buffer {
    const get = optionGetter(level, name, length);
    return this.asOp('get', () => get(this.id));
  }

  /**
   * Sets a socket option by name or by number: to an int, or to bytes for one that is a struct or text.
   * Connections inherit most of those of their listener.
   * @throws OpError `op: 'set'`: `ENOPROTOOPT`, `EINVAL`, `EPERM`, …
   */
  setOption(level: string | number, name: string | number, value: number | Uint8Array): void {
    const set = optionSetter(level, name, value);
    this.set(() => set(this.id));
  }

  /**
   * The descriptor, for system calls that this package has no function for (Go's SyscallConn). A
   * listener's has control() alone.
   */
  syscallConn(): RawConn {
    return new RawConn(this);
  }

  /**
   * A duplicate of the descriptor, which is the caller's to close: another way to the same socket, which
   * ends only when both are closed (Go's File). Non-blocking, close-on-exec.
   * @throws OpError `op: 'file'`: `EMFILE`, …
   */
  file(): number {
    return this.asOp('file', () => native.duplicate(this.id));
  }

  /**
   * Gives up the descriptor, which is the caller's from now on, and the socket lives on with it: to be
   * passed to a child process, or to code of another kind. A Unix listener's file stays. This object is
   * closed thereby: waiting calls reject with `ERR_SPLICEWAY_CLOSED`. Non-blocking, close-on-exec.
   * @throws OpError `op: 'detach'`; `ERR_SPLICEWAY_BUSY` while there are bytes from unread(), which the
   *   descriptor cannot carry: takeUnread() gives them
   */
  detach(): number {
    return this.asOp('detach', () => this.end(() => this.handleRef.detach()));
  }

  /**
   * Releases the descriptor at once: calls that wait reject with `ERR_SPLICEWAY_CLOSED`. True for the call
   * that closed it.
   */
  close(): boolean {
    if (this.id < 0) return false;
    this.end(() => this.handleRef.close());
    return true;
  }

  /** Calls that wait here keep the process alive (the default). */
  ref(): this {
    native.setRef(this.id, true);
    return this;
  }

  /** Calls that wait here no longer keep the process alive. */
  unref(): this {
    native.setRef(this.id, false);
    return this;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  // From here on: for what stands on this.

  /** @internal From the reactor. */
  abstract notice(bits: number): void;
  /** @internal */
  abstract error(op: string, cause: Error): OpError;
  /** @internal A raw call that has to wait for its direction. */
  abstract rawWait(side: number, op: string, call: RawCall, signal: AbortSignal | undefined): Promise<void>;

  /** @internal The socket is no more: `release` lets go of its descriptor, and whatever waits fails. */
  end<T>(release: () => T): T {
    unwatch(this.id);
    return release();
  }

  /** @internal Why nothing can be done with the socket; null if something can. */
  blocked(): Error | null {
    return this.id < 0 ? ErrClosed : null;
  }

  /** @internal Runs a native call that throws, and gives its error this socket's words. */
  asOp<T>(op: string, call: () => T): T {
    const cause = this.blocked();
    if (cause !== null) throw this.error(op, cause);
    return wrapping(call, (thrown) => this.error(op, thrown));
  }

  /** @internal Sets a socket option. */
  set(apply: () => void): void {
    this.asOp('set', apply);
  }

  /** @internal */
  rawRefusal(op: string): OpError | null {
    const cause = this.blocked();
    return cause === null ? null : this.error(op, cause);
  }

  /** @internal In the dispatcher's table from now on. */
  hold(): void {
    watch(this);
  }

  /** @internal Whether a new call waits for the next turn, whatever is there. One past its deadline fails at once. */
  mustWait(side: number): boolean {
    return exhausted() && this.waitATurn(side);
  }

  protected waitATurn(side: number): boolean {
    if (this.expired(side)) return false;
    native.awaitNotice(this.id, side, ONCE);
    return true;
  }

  /** @internal Whether new calls of that direction fail for their deadline. */
  expired(side: number): boolean {
    return (native.state(this.id) & (side === READ ? READ_SIDE : WRITE_SIDE)) !== 0;
  }
}
