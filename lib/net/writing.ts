// From what a stream is given to what a handle takes.

import type { Done, StreamHandle } from './stream-handle';

/** Chunks as Writable gives them to _writev(). */
export type Chunks = { chunk: Uint8Array | string; encoding: BufferEncoding }[] & { allBuffers?: boolean };

/** 0: taken whole; PENDING: `done` will be called; or a negative errno. */
export function writeTo(
  handle: StreamHandle,
  data: Uint8Array | string | Chunks,
  encoding: BufferEncoding | 'buffer',
  done: Done,
): number {
  if (typeof data === 'string') return handle.writeText(data, encoding as BufferEncoding, done);
  if (Array.isArray(data)) return handle.writeList(data.map(bytesOf), done);
  return handle.writeBytes(data, done);
}

function bytesOf({ chunk, encoding }: Chunks[number]): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
}

/** How many bytes there are in it. */
export function byteLength(data: Uint8Array | string | Chunks, encoding: BufferEncoding): number {
  if (typeof data === 'string') return Buffer.byteLength(data, encoding);
  if (!Array.isArray(data)) return data.length;
  return data.reduce((sum, each) => sum + byteLength(each.chunk, each.encoding), 0);
}
