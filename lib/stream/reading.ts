// read(): tried at once, and once more each time the kernel says that there is something.

import { AGAIN, CHUNK, COUNT, native, scratch } from '../binding';
import { checkBytes, checkObject, checkSignal, detachedWhileWaiting, isDetached } from '../check';
import { ownChunk } from '../chunk';
import type { CallOptions } from '../conn';
import { advanced, joined, Pending, rejected, without } from '../pending';
import type { StreamConn } from './stream-conn';

type Outcome = Buffer | number | null;

export class PendingRead extends Pending<Outcome> {
  /** @param into the caller's memory; null for a chunk of its own */
  constructor(readonly into: Uint8Array | null) {
    super();
  }
}

const END = Promise.resolve(null);

export function read(conn: StreamConn, into: Uint8Array | null, options: CallOptions | undefined): Promise<Outcome> {
  const signal = signalOf(options);
  if (into !== null) checkBytes('p', into);
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  const refused = conn.refusal('read');
  if (refused !== null) return rejected(refused);
  if (conn.reads !== null) return wait(conn, into, signal);
  const status = attempt(conn, into, false);
  if (status === AGAIN) return wait(conn, into, signal);
  if (status < 0) return rejected(conn.failure('read', status));
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
  conn.reads = joined(conn.reads, call);
  conn.hold();
  if (signal !== undefined) {
    call.abortOn(signal, () => {
      conn.reads = without(conn.reads, call);
      conn.release();
    });
  }
  return call.promise;
}

/** Serves waiting reads for as long as the kernel has something for them. */
export function pumpReads(conn: StreamConn): void {
  while (conn.reads !== null) {
    const call = conn.reads;
    if (call.into !== null && isDetached(call.into)) {
      conn.reads = advanced(call);
      call.abort(detachedWhileWaiting('read'));
      continue;
    }
    const status = attempt(conn, call.into, true);
    if (status === AGAIN) return;
    conn.reads = advanced(call);
    if (status < 0) call.fail(conn.failure('read', status));
    else call.resolve(outcomeOf(conn, call.into, status));
  }
  conn.release();
}

/** Ends every waiting read. */
export function failReads(conn: StreamConn, status: number): void {
  const first = conn.reads;
  conn.reads = null;
  for (let call = first; call !== null; call = call.next) call.fail(conn.failure('read', status));
  conn.release();
}

/** Takes up to a chunk off the connection and forgets it. */
export function discard(conn: StreamConn): number {
  return native.read(conn.id, true, scratch.length);
}
