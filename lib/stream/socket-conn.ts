// What TCP and Unix connections share beyond Conn: half-closing, and bytes in front of the kernel's.

import type { FileHandle } from 'node:fs/promises';
import { LENT, native, READ, WRITE } from '../binding';
import type { CallOptions } from '../conn';
import { ErrBusy, ErrClosed, wrapping } from '../errors';
import type { Heir } from '../handle';
import { peek, takeFrontBytes, unread } from './front';
import { type SendFileOptions, sendFile } from './sending-file';
import { StreamConn } from './stream-conn';

export abstract class SocketConn extends StreamConn {
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

  /**
   * Sends a file, or part of it, and what is to stand around it: by sendfile, on an I/O thread, so that a
   * slow disk holds up neither the event loop nor relays. The file's position does not matter and stays
   * as it is, so one handle serves any number of calls. It stands in the line of writes, and the write
   * deadline ends it. Over TCP, header, file and trailer leave without a short segment between them.
   * @param file an open regular file. It may be closed once this has returned
   * @returns how many bytes were sent, header and trailer included
   * @throws OpError `op: 'sendfile'` (as a rejection) with `bytesWritten`; `ERR_SPLICEWAY_UNEXPECTED_EOF`
   *   where the file ends before `length`: then the trailer was not sent
   */
  sendFile(file: FileHandle, options?: SendFileOptions): Promise<number> {
    return sendFile(this, file, options);
  }

  override detach(): number {
    const cause = this.blocked() ?? (this.front === null && !this.isLent() ? null : ErrBusy);
    if (cause !== null) throw this.error('detach', cause);
    return super.detach();
  }

  private isLent(): boolean {
    return (native.state(this.id) & LENT) !== 0;
  }

  /**
   * @internal Gives up the descriptor, with the bytes that were put back, to an heir, who has the connection's
   * place with whoever counts it. Only where nobody uses the connection.
   */
  bequeath(heir: Heir): { fd: number; front: Buffer | null } {
    const inUse = this.reads !== null || this.writes !== null || this.flow !== null || this.closing !== null;
    const cause = this.blocked() ?? (inUse || this.guard !== null || this.isLent() ? ErrBusy : null);
    if (cause !== null) throw this.error('detach', cause);
    const { front } = this;
    return { fd: this.asOp('detach', () => this.end(() => this.handleRef.bequeath(heir))), front };
  }

  /** @internal closeWrite() for a relay, which owns the connection. False when it has nobody to tell. */
  sendFin(): boolean {
    return native.shutdown(this.id, WRITE) === 0;
  }

  private halfClose(side: number): void {
    const cause = this.blocked();
    if (cause !== null) throw this.error('close', cause);
    const status = native.shutdown(this.id, side);
    if (status < 0) throw this.failure('close', status);
    (side === READ ? this.reads : this.writes)?.shutDown?.();
  }

  /** @internal Something that a relay does not forbid. */
  ask<T>(call: () => T): T {
    if (this.id < 0) throw this.error('get', ErrClosed);
    return wrapping(call, (cause) => this.error('get', cause));
  }
}
