// Where a Scanner has its bytes from.

import type { Conn } from '../conn';
import { invalidType } from '../errors';
import { ErrBadReadCount } from './split';
import type { TokenBuffer } from './token-buffer';

type Bytes = Uint8Array | string;

/**
 * What can be scanned: a Conn, anything that is iterated (a stream of Node's, an async generator, an
 * array of chunks), a function that answers the next bytes and null at the end, or all bytes at once.
 */
export type ByteSource =
  | Conn
  | AsyncIterable<Bytes>
  | Iterable<Bytes>
  | (() => Bytes | null | Promise<Bytes | null>)
  | Bytes;

/** Feeds a buffer once: how many bytes that were, or null at the end. */
export type Filler = (tokens: TokenBuffer, signal: AbortSignal | undefined) => Promise<number | null>;

export function fillerOf(source: unknown): Filler {
  if (typeof source === 'string' || source instanceof Uint8Array) return feeding(once(source));
  if (typeof source === 'function') return feeding(source as () => Bytes | null);
  if (isConn(source)) return isOfPackets(source) ? byChunk(source) : intoRoom(source);
  const iterator = iteratorOf(source);
  if (iterator === null) {
    throw invalidType('source', 'a Conn, an iterable of bytes, a function, a string or a Uint8Array', source);
  }
  return feeding(async () => {
    const { done, value } = await iterator.next();
    return done === true ? null : value;
  });
}

function isConn(source: unknown): source is Conn {
  const { read, setReadDeadline } = (source ?? {}) as Partial<Conn>;
  return typeof read === 'function' && typeof setReadDeadline === 'function';
}

// What does not fit into the room for a packet would be lost.
function isOfPackets(conn: Conn): boolean {
  return conn.localAddr.network === 'unixpacket';
}

function intoRoom(conn: Conn): Filler {
  return async (tokens, signal) => {
    const room = tokens.room();
    const n = await conn.read(room, { signal });
    if (n === null) return null;
    if (!(n >= 0 && n <= room.length)) throw ErrBadReadCount;
    tokens.filled(n);
    return n;
  };
}

function byChunk(conn: Conn): Filler {
  return async (tokens, signal) => {
    const chunk = await conn.read({ signal });
    if (chunk !== null) tokens.feed(chunk);
    return chunk?.length ?? null;
  };
}

function feeding(next: () => Bytes | null | Promise<Bytes | null>): Filler {
  return async (tokens, signal) => {
    signal?.throwIfAborted();
    const chunk = await next();
    if (chunk === null || chunk === undefined) return null;
    tokens.feed(chunk);
    return chunk.length;
  };
}

function once(bytes: Bytes): () => Bytes | null {
  let left: Bytes | null = bytes;
  return () => {
    const all = left;
    left = null;
    return all;
  };
}

function iteratorOf(source: unknown): AsyncIterator<Bytes> | Iterator<Bytes> | null {
  const iterable = (source ?? {}) as Partial<AsyncIterable<Bytes> & Iterable<Bytes>>;
  return iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]?.() ?? null;
}
