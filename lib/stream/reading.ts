// read(): tried at once, and once more each time the kernel says that there is something.

import { AGAIN, COUNT, EXPIRED, native, READ, scratch } from '../binding';
import { checkBytes, detachedWhileWaiting, isDetached, signalOf } from '../check';
import { marked, readChunk, takeChunk } from '../chunk';
import type { CallOptions } from '../conn';
import { joinReads, leaveReads, type Turn } from '../lines';
import { Pending, rejected } from '../pending';
import { spend } from '../turn';
import { takeFront } from './front';
import type { StreamConn } from './stream-conn';

type Outcome = Buffer | number | null;

/** Whatever waits in a connection's line of reads: a read(), or a copy that takes all there is. */
export type ReadTurn = Turn<StreamConn>;

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

/** One system call. `resumed` tells a call that waited from a new one: see Pollable::Check. */
function attempt(conn: StreamConn, into: Uint8Array | null, resumed: boolean): number {
  if (conn.front !== null && into?.length !== 0) {
    conn.plenty = false;
    return takeFront(conn, into ?? scratch, resumed);
  }
  if (into === null) return readChunk(conn, resumed);
  // Go's order: an empty read needs no bytes, no deadline and no end of stream, only an open connection.
  if (into.length === 0) return 0;
  return native.readInto(conn.id, resumed, into);
}

function outcomeOf(conn: StreamConn, into: Uint8Array | null, status: number): Outcome {
  const n = status & COUNT;
  if (n > 0) return into === null ? marked(takeChunk(conn, n)) : n;
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

/** Takes up to a chunk off the connection and forgets it. */
export function discard(conn: StreamConn): number {
  conn.front = null;
  return native.read(conn.id, true, scratch.length);
}
