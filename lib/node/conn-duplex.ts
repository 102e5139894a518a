// What toDuplex() gives. idle-timer.ts has its setTimeout().

import { Duplex } from 'node:stream';
import { checkBoolean } from '../check';
import type { Conn } from '../conn';
import type { Deadline } from '../deadline';
import { asOpError, ErrClosed, isClosedPipe } from '../errors';
import { isWrapped } from '../net/wrapper';
import { SocketConn } from '../stream/socket-conn';
import { TCPConn } from '../tcp-conn';
import { whenClosed } from '../when-closed';
import { type AddressInfo, infoOf } from './address';
import { IdleTimer } from './idle-timer';

type Callback = (error?: Error | null) => void;

/** Ends one direction, where the connection can: else it is told when both are over. */
interface HalfClosing {
  closeWrite?(): void;
}

// TLS may have more to say when the peer has ended, and ends the stream then. No closure of the constructor's:
// what is weak there would be held by it.
function leaveOpen(this: Duplex): void {
  this.allowHalfOpen ||= isWrapped(this);
}

/** A stream over a connection, with the surface of net.Socket; see {@link toDuplex}. */
export class ConnDuplex<C extends Conn = Conn> extends Duplex {
  /** What was read of the connection here, in bytes. */
  bytesRead = 0;
  readonly connecting = false;
  /** @internal Set by http, which reads on it when the socket is its own. */
  declare server: unknown;
  private readonly idle = new IdleTimer(() => this.emit('timeout'));
  private written = 0;
  private reading = false;
  private failed = false;

  /** @internal */
  constructor(
    /** The connection beneath. */
    readonly conn: C,
    options: { allowHalfOpen?: boolean | undefined; highWaterMark?: number | undefined },
  ) {
    super({
      allowHalfOpen: options.allowHalfOpen ?? false,
      readableHighWaterMark: options.highWaterMark,
      writableHighWaterMark: options.highWaterMark,
      emitClose: false,
    });
    this.once('end', leaveOpen);
    // Weakly: a connection that nobody has any more can still be collected, and is closed then.
    const stream = new WeakRef(this);
    whenClosed(conn, () => void stream.deref()?.destroy());
  }

  override _read(): void {
    if (this.reading) return;
    this.reading = true;
    this.conn.read().then(
      (chunk) => this.received(chunk),
      (error: unknown) => this.fail('read', error),
    );
  }

  private received(chunk: Buffer | null): void {
    this.reading = false;
    this.idle.refresh();
    if (chunk !== null) this.bytesRead += chunk.length;
    this.push(chunk);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.settle(this.conn.write(chunk), chunk.length, callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    const list = chunks.map(({ chunk }) => chunk);
    const length = list.reduce((sum, chunk) => sum + chunk.length, 0);
    this.settle(this.conn.writev(list), length, callback);
  }

  private settle(write: Promise<number>, length: number, callback: Callback): void {
    write.then(
      () => {
        this.written += length;
        this.idle.refresh();
        callback();
      },
      (error: unknown) => callback(this.isOurClose(error) ? null : asOpError('write', this.conn, error)),
    );
  }

  override _final(callback: Callback): void {
    try {
      (this.conn as HalfClosing).closeWrite?.();
    } catch {
      // Reset, or closed: there is nobody to tell, and reading says why.
    }
    callback();
  }

  private fail(op: string, error: unknown): void {
    this.reading = false;
    this.destroy(this.isOurClose(error) ? undefined : asOpError(op, this.conn, error));
  }

  // Closing the connection on this side is an end like destroy(), and no error.
  private isOurClose(error: unknown): boolean {
    return this.conn.state === 'closed' && ((error as Error | null)?.cause === ErrClosed || isClosedPipe(error));
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.idle.set(0);
    this.failed = error !== null;
    this.conn.close();
    callback(error);
    process.nextTick(() => this.emit('close', this.failed));
  }

  /** Ends writing, and destroys the stream once all is written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Closes a TCP connection with a reset; any other as destroy() does. */
  resetAndDestroy(): this {
    if (this.conn instanceof TCPConn && !this.destroyed) this.conn.setLinger(0);
    return this.destroy();
  }

  /** @param milliseconds without traffic after which 'timeout' is emitted; 0: never, the default */
  setTimeout(milliseconds: number, callback?: () => void): this {
    if (this.destroyed) return this;
    this.idle.set(milliseconds);
    if (callback === undefined) return this;
    return milliseconds === 0 ? this.off('timeout', callback) : this.once('timeout', callback);
  }

  /** Milliseconds, as setTimeout() set them; 0 for none. */
  get timeout(): number {
    return this.idle.milliseconds;
  }

  /** On TCP as TCPConn.setNoDelay(); elsewhere without effect. */
  setNoDelay(on = true): this {
    checkBoolean('on', on);
    if (this.conn instanceof TCPConn && !this.destroyed) this.conn.setNoDelay(on);
    return this;
  }

  /**
   * On TCP as TCPConn.setKeepAlive(); elsewhere without effect.
   * @param initialDelay milliseconds of quiet before the first probe; 0 keeps what is set
   */
  setKeepAlive(on = false, initialDelay = 0): this {
    checkBoolean('on', on);
    if (!(this.conn instanceof TCPConn) || this.destroyed) return this;
    this.conn.setKeepAlive(on);
    if (on && initialDelay > 0) this.conn.setKeepAlivePeriod(initialDelay);
    return this;
  }

  /** See {@link Conn.setDeadline}. One that passes while the stream reads or writes destroys it. */
  setDeadline(t: Deadline): this {
    this.conn.setDeadline(t);
    return this;
  }

  setReadDeadline(t: Deadline): this {
    this.conn.setReadDeadline(t);
    return this;
  }

  setWriteDeadline(t: Deadline): this {
    this.conn.setWriteDeadline(t);
    return this;
  }

  ref(): this {
    if (this.conn instanceof SocketConn && !this.destroyed) this.conn.ref();
    return this;
  }

  unref(): this {
    if (this.conn instanceof SocketConn && !this.destroyed) this.conn.unref();
    return this;
  }

  /** This end's address; empty where it is none of IP. */
  address(): AddressInfo | Record<string, never> {
    return infoOf(this.conn.localAddr) as AddressInfo;
  }

  get localAddress(): string | undefined {
    return infoOf(this.conn.localAddr).address;
  }

  get localPort(): number | undefined {
    return infoOf(this.conn.localAddr).port;
  }

  get localFamily(): string | undefined {
    return infoOf(this.conn.localAddr).family;
  }

  get remoteAddress(): string | undefined {
    return infoOf(this.conn.remoteAddr).address;
  }

  get remotePort(): number | undefined {
    return infoOf(this.conn.remoteAddr).port;
  }

  get remoteFamily(): string | undefined {
    return infoOf(this.conn.remoteAddr).family;
  }

  /** Bytes that write() was given, those that still wait included. */
  get bytesWritten(): number {
    return this.written + this.writableLength;
  }

  get bufferSize(): number {
    return this.writableLength;
  }

  get pending(): boolean {
    return this.destroyed;
  }

  get readyState(): 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }
}
