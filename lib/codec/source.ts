// Where a Scanner and a Reader have their bytes from.

import { isThenable } from '../calling';
import type { CallOptions, Conn } from '../conn';
import { invalidType } from '../errors';
import { Pending } from '../pending';
import { ErrBadReadCount } from './split';

type Bytes = Uint8Array | string;
type Answer = Bytes | null | undefined;

/**
 * Whatever reads as Go's io.Reader does, a Conn above all: it fills part of p, and answers with how much, or
 * with null at the end.
 */
export interface ByteReader {
  read(p: Uint8Array, options?: CallOptions): number | null | Promise<number | null>;
}

/**
 * Where bytes can come from: a Conn, anything that is iterated (a stream of Node's, an async generator,
 * an array of chunks), a function that answers the next bytes and null at the end, an object with
 * `read(p)`, or all bytes at once.
 */
export type ByteSource =
  | AsyncIterable<Bytes>
  | Iterable<Bytes>
  | ByteReader
  | (() => Bytes | null | Promise<Bytes | null>)
  | Bytes;

/** What a source is read into. */
export interface ByteSink {
  /** Memory to read into; never empty. */
  room(): Buffer;
  /** How many bytes of it were filled. */
  filled(n: number): void;
  /** Adds bytes, which are copied, or text as UTF-8. */
  feed(chunk: Bytes): void;
}

/** Feeds a sink once: how many bytes that were, or null at the end. */
export type Filler = (sink: ByteSink, signal: AbortSignal | undefined) => Promise<number | null>;

/** How often a source may answer with nothing at all (Go's maxConsecutiveEmptyReads). */
export const EMPTY_AT_MOST = 100;

class Waiting<T> extends Pending<T> {}

export function fillerOf(source: unknown): Filler {
  if (typeof source === 'string' || source instanceof Uint8Array) return feeding(once(source));
  if (typeof source === 'function') return feeding(source as () => Bytes | null);
  if (isConn(source)) return isOfPackets(source) ? byChunk(source) : intoRoom(source);
  const iterator = iteratorOf(source);
  if (iterator !== null) return feeding(() => nextOf(iterator));
  if (isReader(source)) return intoRoom(source);
  throw invalidType('source', 'a Conn, an iterable of bytes, a function, a string or a Uint8Array', source);
}

function isConn(source: unknown): source is Conn {
  const { read, setReadDeadline } = (source ?? {}) as Partial<Conn>;
  return typeof read === 'function' && typeof setReadDeadline === 'function';
}

function isReader(source: unknown): source is ByteReader {
  return typeof (source as Partial<ByteReader> | null)?.read === 'function';
}

// What does not fit into the room for a packet would be lost.
function isOfPackets(conn: Conn): boolean {
  return conn.localAddr.network === 'unixpacket';
}

function intoRoom(reader: ByteReader): Filler {
  return async (sink, signal) => {
    const room = sink.room();
    const n = await reader.read(room, { signal });
    if (n === null) return null;
    if (!Number.isInteger(n) || n < 0 || n > room.length) throw ErrBadReadCount;
    sink.filled(n);
    return n;
  };
}

function byChunk(conn: Conn): Filler {
  return async (sink, signal) => {
    const chunk = await conn.read({ signal });
    if (chunk !== null) sink.feed(chunk);
    return chunk?.length ?? null;
  };
}

function feeding(next: () => Answer | Promise<Answer>): Filler {
  // Of a wait that was given up: what comes of it is for the next one.
  let left: Answer | Promise<Answer>;
  return async (sink, signal) => {
    signal?.throwIfAborted();
    const answer = left ?? next();
    left = undefined;
    const chunk = await unlessAborted(answer, signal, () => {
      left = answer;
    });
    if (chunk === null || chunk === undefined) return null;
    sink.feed(chunk);
    return chunk.length;
  };
}

function unlessAborted<T>(answer: T | Promise<T>, signal: AbortSignal | undefined, leave: () => void): T | Promise<T> {
  if (signal === undefined || !isThenable(answer)) return answer;
  const call = new Waiting<T>();
  call.abortOn(signal, leave);
  answer.then(
    (value) => call.resolve(value),
    (error: unknown) => call.abort(error),
  );
  return call.promise;
}

async function nextOf(iterator: AsyncIterator<Bytes> | Iterator<Bytes>): Promise<Answer> {
  const { done, value } = await iterator.next();
  return done === true ? null : value;
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
