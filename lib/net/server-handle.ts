// What a Server has in place of libuv's handle: a socket of our reactor that is bound, then listens.

import { AsyncResource } from 'node:async_hooks';
import { chmodSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { AGAIN, NOTHING as NO_NOTICE, native, ONCE, READ, READABLE, STREAM, scratchIds, UNIX } from '../binding';
import { rethrowLater, unwatch, type Waiter, watch } from '../dispatch';
import { SocketFile } from '../socket-file';
import { type AddressInfo, type Family, infoOf, nativeOf, nativePath } from './address';
import { inClosingPhase } from './phases';
import { EACCES, EBADF, EMFILE, ENFILE, ENOBUFS, ENOENT, ENOMEM, statusOf } from './status';
import { StreamHandle, setKeepAlive } from './stream-handle';
import { runTicks } from './ticks';

/** What a handle is bound with. */
export interface BindOptions {
  ipv6Only?: boolean | undefined;
  reusePort?: boolean | undefined;
}

/** What a Server asks of what it listens with. */
export interface Listening extends AsyncResource {
  readonly isTCP: boolean;
  readonly inherited: Inherited;
  /** The Server. */
  owner: object | null;
  /** Called in the handle's async context. */
  onconnection: ((handle: StreamHandle) => void) | null;
  /** The listening socket broke. */
  onerror: ((status: number) => void) | null;
  giveOptions(options: Inherited): void;
  listen(backlog: number): number;
  getsockname(): AddressInfo | null;
  ref(): void;
  unref(): void;
  close(onClosed?: () => void): void;
}

/** What a listening socket hands on to its connections, which saves each of them the calls. */
export interface Inherited {
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
  /** Seconds. */
  readonly keepAliveInitialDelay: number;
}

export const NOTHING: Inherited = { noDelay: false, keepAlive: false, keepAliveInitialDelay: 0 };

// Connections taken in one go: native/binding/listener.cc has the reason.
const BATCH = 64;
const SHORTAGES = new Set([EMFILE, ENFILE, ENOBUFS, ENOMEM]);
const CAN_READ = 0o444;
const CAN_WRITE = 0o222;

export class ServerHandle extends AsyncResource implements Waiter, Listening {
  id = -1;
  owner: object | null = null;
  onconnection: ((handle: StreamHandle) => void) | null = null;
  onerror: ((status: number) => void) | null = null;
  inherited = NOTHING;
  private onClosed: (() => void) | null = null;
  private path: string | null = null;
  private file: SocketFile | null = null;
  private listening = false;
  private refed = true;

  constructor(
    readonly isTCP: boolean,
    private readonly family: Family | 0,
  ) {
    super(isTCP ? 'TCPSERVERWRAP' : 'PIPESERVERWRAP', { requireManualDestroy: true });
  }

  /** On a native listener. */
  adopted(id: number): this {
    this.id = id;
    this.listening = true;
    return this;
  }

  getAsyncId(): number {
    return this.asyncId();
  }

  get fd(): number {
    return this.id < 0 ? -1 : native.descriptor(this.id);
  }

  /** 0, or a negative errno. */
  bindTo(address: string, port: number, family: Family, options: BindOptions): number {
    return statusOf(() => {
      this.id = native.openSocket(family, STREAM, 0);
      native.setReuseAddr(this.id);
      if (options.reusePort === true) native.setReusePort(this.id);
      if (family === 6) native.setV6Only(this.id, options.ipv6Only === true ? 1 : 0);
      native.bind(this.id, ...nativeOf(address, port, family));
    });
  }

  bindPath(path: string): number {
    const status = statusOf(() => {
      this.id = native.openSocket(UNIX, STREAM, 0);
      native.bind(this.id, UNIX, nativePath(path), 0, 0);
    });
    // libuv's word for a folder that is not there.
    if (status < 0) return status === ENOENT ? EACCES : status;
    if (!path.startsWith('\0')) {
      this.path = resolve(path);
      this.file = new SocketFile(this.path);
    }
    return 0;
  }

  /** Lets others connect, by the file's permissions. */
  allow(readable: boolean, writable: boolean): number {
    const { path } = this;
    if (path === null) return EBADF;
    const mode = (readable ? CAN_READ : 0) | (writable ? CAN_WRITE : 0);
    return statusOf(() => chmodSync(path, statSync(path).mode | mode));
  }

  /** Before listen(): connections take it over when they are made. */
  giveOptions({ noDelay, keepAlive, keepAliveInitialDelay }: Inherited): void {
    if (!this.isTCP || this.listening || !(noDelay || keepAlive)) return;
    const given = statusOf(() => {
      if (noDelay) native.setNoDelay(this.id, 1);
      if (keepAlive) setKeepAlive(this.id, keepAliveInitialDelay);
    });
    if (given === 0) this.inherited = { noDelay, keepAlive, keepAliveInitialDelay };
  }

  listen(backlog: number): number {
    if (!this.listening) {
      const status = statusOf(() => {
        this.id = native.listen(this.id, backlog);
      });
      if (status < 0) return status;
      this.listening = true;
    }
    watch(this);
    native.awaitNotice(this.id, READ, ONCE);
    return 0;
  }

  /** From the reactor. */
  notice(bits: number): void {
    if ((bits & READABLE) === 0) return;
    const status = native.accept(this.id, true, BATCH);
    if (status < 0) {
      // For want of descriptors accepting pauses, and native code says when to ask again.
      if (status !== AGAIN && !SHORTAGES.has(status)) this.onerror?.(status);
      return;
    }
    for (const id of scratchIds.slice(0, status)) this.accepted(id);
    // There may be more, but other connections have their turn first.
    if (this.id >= 0) native.awaitNotice(this.id, READ, ONCE);
  }

  // The connection's async context is none of the server's, as in Node: only its trigger is.
  private accepted(id: number): void {
    if (this.id < 0) return refuse(id);
    const handle = new StreamHandle(this.isTCP, this.family, this.asyncId()).attach(id);
    try {
      this.runInAsyncScope(this.hand, this, handle);
      runTicks();
    } catch (error) {
      rethrowLater(error);
    }
  }

  private hand(handle: StreamHandle): void {
    this.onconnection?.(handle);
  }

  getsockname(): AddressInfo | null {
    const { family } = this;
    const tuple = this.id < 0 ? undefined : native.localAddr(this.id);
    return tuple === undefined || family === 0 ? null : infoOf(tuple, family);
  }

  ref(): void {
    this.refed = true;
    native.setRef(this.id, true);
  }

  unref(): void {
    this.refed = false;
    native.setRef(this.id, false);
  }

  hasRef(): boolean {
    return this.refed && this.id >= 0;
  }

  /** Stops listening at once; `onClosed` is called in the closing phase. */
  close(onClosed?: () => void): void {
    if (this.id < 0) return;
    this.file?.remove();
    unwatch(this.id);
    native.awaitNotice(this.id, READ, NO_NOTICE);
    native.close(this.id);
    this.id = -1;
    this.onClosed = onClosed ?? null;
    inClosingPhase(() => this.closed());
  }

  private closed(): void {
    const { onClosed } = this;
    if (onClosed !== null) this.runInAsyncScope(onClosed);
    this.emitDestroy();
  }
}

// What queued when the server closed is reset, as by the kernel.
function refuse(id: number): void {
  statusOf(() => native.setLinger(id, 0));
  native.close(id);
}
