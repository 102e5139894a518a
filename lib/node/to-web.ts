// toWeb(): a connection as two streams of the web's.

import {
  type ReadableByteStreamController,
  ReadableStream,
  WritableStream,
  type WritableStreamDefaultController,
} from 'node:stream/web';
import { checkFunction, checkObject } from '../check';
import type { Conn } from '../conn';
import { invalidType } from '../errors';

export interface ConnWebStreams {
  /** Bytes that arrive: a byte stream, so that a BYOB reader reads into memory of its own. */
  readable: ReadableStream<Uint8Array>;
  /** Takes Uint8Array, ArrayBuffer, views of one, and strings, which are written as UTF-8. */
  writable: WritableStream<Uint8Array | string>;
}

/**
 * A connection as a ReadableStream and a WritableStream. The connection is read when somebody reads, and
 * not ahead; a write's promise resolves once the kernel has taken all of it.
 *
 * Closing the writable ends writing, and the connection is closed once both directions are over, at once where
 * it cannot be half-closed. Cancelling the readable ends reading, aborting the writable closes the connection.
 * What the connection fails with, its deadlines included, errors the streams.
 */
export function toWeb(conn: Conn): ConnWebStreams {
  checkObject('conn', conn);
  checkFunction('conn.read', (conn as Partial<Conn>).read);
  const ends = new Ends(conn);
  const readable = new ReadableStream(new Incoming(conn, ends), { highWaterMark: 0 });
  const writable = new WritableStream<Uint8Array | string>(new Outgoing(conn, ends));
  return { readable: readable as ReadableStream<Uint8Array>, writable };
}

/** Closes the connection when neither direction is needed any more. */
class Ends {
  private reading = true;
  private writing = true;

  constructor(private readonly conn: Conn) {}

  readingOver(): void {
    this.reading = false;
    this.closeIfOver();
  }

  writingOver(): void {
    this.writing = false;
    this.closeIfOver();
  }

  private closeIfOver(): void {
    if (!this.reading && !this.writing) this.conn.close();
  }
}

class Incoming {
  readonly type = 'bytes';
  private readonly cancelling = new AbortController();

  constructor(
    private readonly conn: Conn,
    private readonly ends: Ends,
  ) {}

  async pull(controller: ReadableByteStreamController): Promise<void> {
    try {
      const { byobRequest } = controller;
      if (byobRequest === null) await this.enqueue(controller);
      else await this.fill(controller, byobRequest as unknown as ByobRequest);
    } catch (error) {
      if (this.cancelling.signal.aborted) return;
      this.ends.readingOver();
      // After a deadline there is still somebody to write to.
      if ((error as { timeout?: boolean }).timeout !== true) this.conn.close();
      throw error;
    }
  }

  private async enqueue(controller: ReadableByteStreamController): Promise<void> {
    const chunk = await this.conn.read(this.options);
    if (chunk === null) this.end(controller);
    else controller.enqueue(chunk);
  }

  private async fill(controller: ReadableByteStreamController, request: ByobRequest): Promise<void> {
    const { buffer, byteOffset, byteLength } = request.view;
    const n = await this.conn.read(new Uint8Array(buffer, byteOffset, byteLength), this.options);
    if (n === null) this.end(controller);
    request.respond(n ?? 0);
  }

  private get options(): { signal: AbortSignal } {
    return { signal: this.cancelling.signal };
  }

  private end(controller: ReadableByteStreamController): void {
    controller.close();
    this.ends.readingOver();
  }

  cancel(): void {
    this.cancelling.abort();
    this.ends.readingOver();
  }
}

/** What Node's types have as `any`. */
interface ByobRequest {
  readonly view: ArrayBufferView<ArrayBuffer>;
  respond(bytesWritten: number): void;
}

class Outgoing {
  constructor(
    private readonly conn: Conn,
    private readonly ends: Ends,
  ) {}

  // abort() itself is called once the write under way has settled, which may be never.
  start(controller: WritableStreamDefaultController): void {
    (controller as WritableStreamDefaultController & { signal: AbortSignal }).signal.addEventListener('abort', () =>
      this.conn.close(),
    );
  }

  async write(chunk: unknown): Promise<void> {
    try {
      await this.conn.write(bytesOf(chunk));
    } catch (error) {
      this.ends.writingOver();
      throw error;
    }
  }

  close(): void {
    const { closeWrite } = this.conn as { closeWrite?: () => void };
    if (closeWrite === undefined) return void this.conn.close();
    try {
      closeWrite.call(this.conn);
    } finally {
      this.ends.writingOver();
    }
  }
}

function bytesOf(chunk: unknown): Uint8Array | string {
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) return chunk;
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
  throw invalidType('chunk', 'of type string or an instance of ArrayBuffer or a view of one', chunk);
}
