// A FramedConn as a Conn of packets: a write is a frame, a read is a body.

import {
  type Addr,
  type CallOptions,
  type Conn,
  type ConnHandlers,
  type ConnState,
  type Deadline,
  ErrDeadlineExceeded,
  OpError,
  type ShutdownOptions,
} from 'spliceway';
import type { FramedConn } from 'spliceway/codec';

const COMMAND = 1;

export class FramedView implements Conn {
  readonly localAddr: Addr;
  readonly remoteAddr: Addr;
  private readonly writing = new WriteDeadline(this);
  private closing = false;

  constructor(private readonly framed: FramedConn) {
    this.localAddr = framed.localAddr;
    this.remoteAddr = framed.remoteAddr;
  }

  read(options?: CallOptions): Promise<Buffer | null>;
  read(p: Uint8Array, options?: CallOptions): Promise<number | null>;
  read(first?: Uint8Array | CallOptions, second?: CallOptions): Promise<never> {
    return quietly(this.readBody(first, second)) as Promise<never>;
  }

  private async readBody(first?: Uint8Array | CallOptions, second?: CallOptions): Promise<Buffer | number | null> {
    if (!ArrayBuffer.isView(first)) return (await this.framed.receive(first))?.body ?? null;
    const frame = await this.framed.receive(second);
    return frame === null ? null : frame.body.copy(first);
  }

  write(p: Uint8Array | string, options?: CallOptions): Promise<number> {
    return quietly(this.sendBody(p, options));
  }

  private async sendBody(p: Uint8Array | string, options?: CallOptions): Promise<number> {
    options?.signal?.throwIfAborted();
    const signals = [this.writing.signal, ...(options?.signal === undefined ? [] : [options.signal])];
    await this.framed.send(COMMAND, p, { signal: AbortSignal.any(signals) }).catch((error: unknown) => {
      throw error instanceof OpError ? Object.assign(error, { bytesWritten: 0 }) : error;
    });
    return Buffer.byteLength(p);
  }

  writev(list: readonly Uint8Array[], options?: CallOptions): Promise<number> {
    return quietly((async () => this.sendBody(Buffer.concat(list), options))());
  }

  /** Frames are never sent in part: nothing is taken without a wait. */
  tryWrite(): number {
    return 0;
  }

  handle({ data, end, error }: ConnHandlers): void {
    const take = async (bodies: Iterable<{ body: Buffer }>) => {
      for (const { body } of bodies) await data(body);
    };
    this.framed.onFrames(take, { ...(end && { end }), ...(error && { error }) });
  }

  close(): boolean {
    return this.framed.close();
  }

  shutdown(options?: ShutdownOptions): Promise<void> {
    this.closing = true;
    return this.framed.shutdown(options);
  }

  setDeadline(t: Deadline): void {
    this.setReadDeadline(t);
    this.setWriteDeadline(t);
  }

  setReadDeadline(t: Deadline): void {
    this.framed.conn.setReadDeadline(t);
  }

  // Not the connection's own: a frame that it cuts in two is the connection's end.
  setWriteDeadline(t: Deadline): void {
    this.writing.set(t);
  }

  get state(): ConnState {
    const { state } = this.framed.conn;
    return this.closing && state !== 'closed' ? 'closing' : state;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, undefined> {
    for await (const { body } of this.framed) yield body;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Nobody has to await it. */
function quietly<T>(call: Promise<T>): Promise<T> {
  call.catch(() => {});
  return call;
}

/** What ends the writes that wait, and those to come, until it is moved. */
class WriteDeadline {
  private controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly conn: Conn) {}

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  set(t: Deadline): void {
    if (t !== null && typeof t !== 'number' && !(t instanceof Date)) throw new TypeError('no deadline');
    clearTimeout(this.timer);
    if (this.signal.aborted) this.controller = new AbortController();
    if (t === null) return;
    const left = Number(t) - Date.now();
    if (left <= 0) this.expire();
    else this.timer = setTimeout(() => this.expire(), left + 1).unref();
  }

  private expire(): void {
    const { localAddr, remoteAddr } = this.conn;
    const error = new OpError('write', localAddr.network, localAddr, remoteAddr, ErrDeadlineExceeded);
    this.controller.abort(Object.assign(error, { bytesWritten: 0 }));
  }
}
