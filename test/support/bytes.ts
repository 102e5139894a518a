// Bytes to send, and what became of them.

import { createHash } from 'node:crypto';
import type { Conn } from 'spliceway';

export const KiB = 1024;
export const MiB = 1024 * KiB;

/** n bytes without a period, another sequence for each seed: a lost, doubled or moved byte shows. */
export function bytes(n: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(n / 4));
  let x = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x;
  }
  return Buffer.from(words.buffer, 0, n);
}

export function sha256(p: Uint8Array): string {
  return createHash('sha256').update(p).digest('hex');
}

/** Everything up to the end of the stream. */
export async function readAll(conn: Conn): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let chunk = await conn.read(); chunk !== null; chunk = await conn.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Exactly n bytes. */
export async function readExactly(conn: Conn, n: number): Promise<Buffer> {
  const all = Buffer.alloc(n);
  for (let got = 0; got < n; ) {
    const more = await conn.read(all.subarray(got));
    if (more === null) throw new Error(`the stream ended after ${got} of ${n} bytes`);
    got += more;
  }
  return all;
}
