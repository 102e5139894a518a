// Bytes to send, and ways to send and receive them that suit every kind of Conn.

import { deepStrictEqual, ok } from 'node:assert';
import type { Conn } from '../conn';

// What any transport takes as one piece, those of packets too.
export const CHUNK = 1024;
export const LONG_AGO = 1;

/** n bytes in which every shift shows. */
export function bytes(n: number, seed = 1): Buffer {
  const all = Buffer.alloc(n);
  let x = seed;
  for (let i = 0; i < n; i++) {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    all[i] = x >>> 16;
  }
  return all;
}

/** Writes it in pieces. */
export async function writeChunks(conn: Conn, all: Buffer): Promise<void> {
  for (let at = 0; at < all.length; at += CHUNK) await conn.write(all.subarray(at, at + CHUNK));
}

/** Everything up to the end of the stream. */
export async function readToEnd(conn: Conn): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let chunk = await conn.read(); chunk !== null; chunk = await conn.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Exactly n bytes; null where the stream ends before the first of them. */
export async function readFull(conn: Conn, n: number): Promise<Buffer | null> {
  const all = Buffer.alloc(n);
  for (let got = 0; got < n; ) {
    const more = await conn.read(all.subarray(got));
    if (more === null && got === 0) return null;
    ok(more !== null, `the stream ended after ${got} of ${n} bytes`);
    got += more;
  }
  return all;
}

/** Reads and throws away, until the stream ends or fails. */
export async function drain(conn: Conn): Promise<void> {
  const p = Buffer.alloc(CHUNK);
  while ((await conn.read(p)) !== null);
}

/** Writes for ever, until that fails. */
export async function flood(conn: Conn): Promise<never> {
  const chunk = bytes(CHUNK);
  for (;;) await conn.write(chunk);
}

/** Sends back what comes. */
export async function echo(conn: Conn): Promise<void> {
  const p = Buffer.alloc(CHUNK);
  for (let n = await conn.read(p); n !== null; n = await conn.read(p)) await conn.write(Buffer.from(p.subarray(0, n)));
}

/** That what is written comes back. The other end echoes. */
export async function roundTrip(conn: Conn): Promise<void> {
  conn.setDeadline(null);
  const sent = Buffer.from('Hello, world!');
  const [back] = await Promise.all([readFull(conn, sent.length), conn.write(sent)]);
  deepStrictEqual(back, sent);
}

/** Reads off what is still on its way back, up to a byte that was not in it. The other end echoes. */
export async function resync(conn: Conn): Promise<void> {
  conn.setDeadline(null);
  const writing = conn.write(Buffer.from([0xff]));
  const p = Buffer.alloc(CHUNK);
  for (;;) {
    const n = await conn.read(p);
    ok(n !== null, 'the stream ended');
    if (n > 0 && p[n - 1] === 0xff) break;
  }
  await writing;
}
