// What a Socket asks of what it lies on, and is told by it. There are two such: a connection of our reactor
// (stream-handle.ts), and somebody else's stream (foreign-handle.ts).

import type { AddressInfo, Family } from './address';
import type { Data, Encoding } from './data';
import type { kOnMoved, kOnRead, kOnReadEnd, kOnWriteFailed, kSpliceTarget, kUserBuffer } from './internals';
import type { Callback, Writer } from './write-request';

/** Called once, with 0 or a negative errno. */
export type Done = (status: number) => void;

/** Whom a handle tells of what arrives: a Socket. */
export interface StreamOwner extends Writer {
  /** Where to read into; null for a chunk of its own. */
  [kUserBuffer](): Uint8Array | null;
  /** Bytes arrived; in `chunk`, or in the user's buffer. */
  [kOnRead](n: number, chunk: Buffer | null): void;
  /** 0 at the end of the stream, or why reading failed. */
  [kOnReadEnd](status: number): void;
  /** The handle that whatever arrives would be written to, and nothing else be done with it; else null. */
  [kSpliceTarget](): object | null;
  /** Bytes came or went without the owner. */
  [kOnMoved](): void;
  /** What came from another socket could not be written. */
  [kOnWriteFailed](status: number): void;
}

/** What a Socket asks of what it lies on. */
export interface Handle {
  readonly id: number;
  readonly isTCP: boolean;
  readonly fd: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly writeQueueSize: number;
  owner: StreamOwner | null;
  reading: boolean;
  getAsyncId(): number;
  bindTo(address: string, port: number, family: Family): number;
  connect(address: string, port: number, family: Family, done: Done): number;
  connectPath(path: string, done: Done): number;
  abandonConnect(): void;
  readStart(): number;
  readStop(): number;
  write(data: Data, encoding: Encoding, callback: Callback): number;
  shutdown(done: Done): void;
  setDeadline(side: number, epoch: number): void;
  setNoDelay(on: boolean): number;
  setKeepAlive(on: boolean, delay: number): number;
  getsockname(): AddressInfo | null;
  getpeername(): AddressInfo | null;
  ref(): void;
  unref(): void;
  hasRef(): boolean;
  reset(onClosed: () => void): number;
  close(onClosed?: () => void): void;
}

/** What write() answers where the kernel has not taken all: the owner's onWritten() will be called. */
export const PENDING = 1;
