// What a stream gives its handle to write.

import { invalidBuffer } from './errors';

/** Chunks as Writable gives them to _writev(). */
export type Chunks = { chunk: Uint8Array | string; encoding: BufferEncoding }[] & { allBuffers?: boolean };
export type Data = Uint8Array | string | Chunks;
/** Of text; bytes come with `buffer`. */
export type Encoding = BufferEncoding | 'buffer' | '';

export function bytesOf({ chunk, encoding }: Chunks[number]): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
}

/** @throws TypeError for text that came as if it were bytes */
export function encodingOfText(encoding: Encoding): BufferEncoding {
  if (encoding === 'buffer') throw invalidBuffer();
  return encoding === '' ? 'utf8' : encoding;
}

/** How many bytes there are in it. */
export function byteLength(data: Data, encoding: Encoding): number {
  if (typeof data === 'string') return Buffer.byteLength(data, encoding as BufferEncoding);
  if (!Array.isArray(data)) return data.length;
  return data.reduce((sum, each) => sum + byteLength(each.chunk, each.encoding), 0);
}
