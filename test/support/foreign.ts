// A Conn that is no socket: two ends in memory, written by hand against the interface alone.

import type { Addr, CallOptions, Conn, ConnState } from 'spliceway';
import { UnixAddr } from 'spliceway';

class Pipe {
  private chunks: Buffer[] = [];
  private ended = false;
  private wake = () => {};

  write(p: Uint8Array): void {
    if (this.ended) throw new Error('the pipe is closed');
    if (p.length > 0) this.chunks.push(Buffer.from(p));
    this.wake();
  }

  end(): void {
    this.ended = true;
    this.wake();
  }

  async read(signal?: AbortSignal): Promise<Buffer | null> {
    while (this.chunks.length === 0 && !this.ended) {
      signal?.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    signal?.throwIfAborted();
    return this.chunks.shift() ?? null;
  }

  unread(rest: Buffer): void {
    if (rest.length > 0) this.chunks.unshift(rest);
  }
}

export class ForeignConn implements Conn {
  readonly localAddr: Addr = new UnixAddr('foreign');
  readonly remoteAddr: Addr = new UnixAddr('foreign');
  state: ConnState = 'active';

  constructor(
    private readonly incoming: Pipe,
    private readonly outgoing: Pipe,
  ) {}

  read(options?: CallOptions): Promise<Buffer | null>;
  read(p: Uint8Array, options?: CallOptions): Promise<number | null>;
  async read(first?: Uint8Array | CallOptions, second?: CallOptions): Promise<Buffer | number | null> {
    if (!ArrayBuffer.isView(first)) return this.incoming.read(first?.signal);
    const chunk = await this.incoming.read(second?.signal);
    if (chunk === null) return null;
    const n = Math.min(chunk.length, first.length);
    first.set(chunk.subarray(0, n));
    this.incoming.unread(chunk.subarray(n));
    return n;
  }

  async write(p: Uint8Array | string): Promise<number> {
    const bytes = Buffer.from(p as Uint8Array);
    this.outgoing.write(bytes);
    return bytes.length;
  }

  async writev(list: readonly Uint8Array[]): Promise<number> {
    return this.write(Buffer.concat(list));
  }

  tryWrite(): number {
    return 0;
  }

  handle(): void {
    throw new Error('not here');
  }

  close(): boolean {
    if (this.state === 'closed') return false;
    this.state = 'closed';
    this.outgoing.end();
    this.incoming.end();
    return true;
  }

  async shutdown(): Promise<void> {
    this.close();
  }

  setDeadline(): void {}
  setReadDeadline(): void {}
  setWriteDeadline(): void {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, undefined> {
    for (let chunk = await this.read(); chunk !== null; chunk = await this.read()) yield chunk;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** One that can end its own direction, as sockets do. */
export class HalfClosingConn extends ForeignConn {
  constructor(
    incoming: Pipe,
    private readonly out: Pipe,
  ) {
    super(incoming, out);
  }

  closeWrite(): void {
    this.out.end();
  }
}

/** Two ends of one connection. */
export function foreignPair<C extends ForeignConn = ForeignConn>(
  make: new (incoming: Pipe, outgoing: Pipe) => C = ForeignConn as never,
): { client: C; server: C } {
  const [up, down] = [new Pipe(), new Pipe()];
  return { client: new make(down, up), server: new make(up, down) };
}
