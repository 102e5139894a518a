// read(): tried at once, and once more each time the kernel says that there is something.

import { AGAIN, CHUNK, COUNT, EXPIRED, NOTHING, native, ONCE, READ, scratch } from '../binding';
import { checkBytes, checkObject, checkSignal, detachedWhileWaiting, isDetached } from '../check';
import { ownChunk } from '../chunk';
import type { CallOptions } from '../conn';
import { advanced, joined, Pending, rejected, without } from '../pending';
import { spend } from '../turn';
import { takeFront } from './front';
import { GuardTurn } from './guard';
import type { StreamConn } from './stream-conn';

type Outcome = Buffer | number | null;

/** Whatever waits in a connection's line of reads: a read(), or a copy that takes all there is. */
export interface ReadTurn {
  next: ReadTurn | null;
  last: ReadTurn;
  /** At the head of the line, and there may be something to read: whether it is done. */
  run(conn: StreamConn): boolean;
  /** The connection, or its read deadline, ends it. */
  endWith(conn: StreamConn, status: number): void;
}

/** A read() that waits. */
class PendingRead extends Pending<Outcome> implements ReadTurn {
  /** @param into the caller's memory; null for a chunk of its own */
  constructor(private readonly into: Uint8Array | null) {
    super();
  }

  run(conn: StreamConn): boolean {
    const { into } = this;
    if (into !== null && isDetached(into)) {
      this.abort(detachedWhileWaiting('read'));
      return true;
    }
    const status = attempt(conn, into, true);
    if (status === AGAIN) return false;
    if (status < 0) this.endWith(conn, status);
    else this.resolve(outcomeOf(conn, into, status));
    return true;
  }

  endWith(conn: StreamConn, status: number): void {
    // An empty read asks for no deadline, even one that has waited for its turn.
    const { into } = this;
    if (status === EXPIRED && into?.length === 0 && !isDetached(into)) this.resolve(0);
    else this.fail(conn.failure('read', status));
  }
}

const END = Promise.resolve(null);

export function read(conn: StreamConn, into: Uint8Array | null, options: CallOptions | undefined): Promise<Outcome> {
  const signal = signalOf(options);
  if (into !== null) checkBytes('p', into);
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  const refused = conn.refusal('read');
  if (refused !== null) return rejected(refused);
  return readNow(conn, into, signal);
}

/** A read() that was let in; or the relay's, which keeps the others out. */
export function readNow(conn: StreamConn, into: Uint8Array | null, signal: AbortSignal | undefined): Promise<Outcome> {
  if (conn.reads !== null || (into?.length !== 0 && conn.mustWait(READ))) return wait(conn, into, signal);
  const status = attempt(conn, into, false);
  if (status === AGAIN) return wait(conn, into, signal);
  if (status < 0) return rejected(conn.failure('read', status));
  spend(status & COUNT);
  const outcome = outcomeOf(conn, into, status);
  return outcome === null ? END : Promise.resolve(outcome);
}

/** Checks a call's options and returns their signal. */
export function signalOf(options: CallOptions | undefined): AbortSignal | undefined {
  if (options === undefined) return undefined;
  checkObject('options', options);
  const { signal } = options;
  if (signal !== undefined) checkSignal(signal);
  return signal;
}

/** One system call. `resumed` tells a call that waited from a new one: see Pollable::Check. */
function attempt(conn: StreamConn, into: Uint8Array | null, resumed: boolean): number {
  if (conn.front !== null && into?.length !== 0) return takeFront(conn, into ?? scratch, resumed);
  if (into === null) return native.read(conn.id, resumed, CHUNK);
  // Go's order: an empty read needs no bytes, no deadline and no end of stream, only an open connection.
  if (into.length === 0) return 0;
  return native.readInto(conn.id, resumed, into);
}

function outcomeOf(conn: StreamConn, into: Uint8Array | null, status: number): Outcome {
  const n = status & COUNT;
  if (n > 0) return into === null ? ownChunk(n) : n;
  if (into !== null && into.length === 0) return 0;
  conn.ended = true;
  return null;
}

function wait(conn: StreamConn, into: Uint8Array | null, signal: AbortSignal | undefined): Promise<Outcome> {
  const call = new PendingRead(into);
  joinReads(conn, call);
  if (signal !== undefined) call.abortOn(signal, () => leaveReads(conn, call));
  return call.promise;
}

export function joinReads(conn: StreamConn, call: ReadTurn): void {
  if (conn.guard !== null && conn.reads === null) {
    conn.reads = new GuardTurn();
    native.awaitNotice(conn.id, READ, ONCE);
    // No event tells of bytes that were put back.
    if (conn.front !== null) native.wakeUp(conn.id, READ);
  }
  conn.reads = joined(conn.reads, call);
  conn.hold();
}

export function leaveReads(conn: StreamConn, call: ReadTurn): void {
  const wasFirst = conn.reads === call;
  conn.reads = without(conn.reads, call);
  // A guard with nobody behind it leaves as well.
  if (conn.reads instanceof GuardTurn && conn.reads.next === null) conn.reads = null;
  if (conn.reads === null) gaveUp(conn);
  else if (wasFirst) pumpReads(conn);
}

// The line is empty before the kernel had an answer. A notice that nobody waits for any more would
// keep the process alive.
function gaveUp(conn: StreamConn): void {
  if (conn.id < 0) return;
  native.awaitNotice(conn.id, READ, NOTHING);
  conn.release();
  conn.closing?.advance();
}

/** Serves waiting reads for as long as the kernel has something for them. */
export function pumpReads(conn: StreamConn): void {
  while (conn.reads !== null) {
    const call = conn.reads;
    if (!call.run(conn)) return;
    // Closed meanwhile: the line was emptied then.
    if (conn.reads !== call) return;
    conn.reads = advanced(call);
  }
  conn.release();
}

/** Ends every waiting read. */
export function failReads(conn: StreamConn, status: number): void {
  const first = conn.reads;
  conn.reads = null;
  for (let call = first; call !== null; call = call.next) call.endWith(conn, status);
  gaveUp(conn);
}

/** Takes up to a chunk off the connection and forgets it. */
export function discard(conn: StreamConn): number {
  conn.front = null;
  return native.read(conn.id, true, scratch.length);
}
