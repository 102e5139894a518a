// write() and writev(): given to the kernel at once; what it has no room for waits in line.

import { AGAIN, native, scratch } from '../binding';
import { checkBytes, detachedWhileWaiting } from '../check';
import type { CallOptions } from '../conn';
import { invalidType, type OpError } from '../errors';
import { advanced, joined, Pending, rejected, without } from '../pending';
import { signalOf } from './reading';
import type { StreamConn } from './stream-conn';

// Up to here copying bytes to the scratch buffer is cheaper than looking up a typed array's memory.
const SMALL = 1024;
// A peer that reads as fast as we write must not keep one call going for ever: after this many
// system calls the rest waits for the next turn.
const CALLS_AT_ONCE = 16;

export class PendingWrite extends Pending<number> {
  written = 0;
  // Where `written` lies in a list: the member, and the offset inside it.
  member = 0;
  offset = 0;

  constructor(
    readonly op: 'write' | 'writev',
    readonly bytes: Uint8Array | null,
    readonly list: readonly Uint8Array[],
    readonly length: number,
  ) {
    super();
  }
}

export function write(
  conn: StreamConn,
  p: Uint8Array | string,
  options: CallOptions | undefined,
): Promise<number> {
  const signal = signalOf(options);
  const bytes = toBytes(p);
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  const refused = conn.refusal('write');
  if (refused !== null) return rejected(withCount(refused, 0));
  if (conn.writes === null) {
    const status = send(conn, bytes);
    if (status === bytes.length) return Promise.resolve(status);
    if (status < 0 && status !== AGAIN) return rejected(withCount(conn.failure('write', status), 0));
    return wait(conn, new PendingWrite('write', bytes, [], bytes.length), Math.max(status, 0), signal);
  }
  return wait(conn, new PendingWrite('write', bytes, [], bytes.length), 0, signal);
}

export function writev(
  conn: StreamConn,
  list: readonly Uint8Array[],
  options: CallOptions | undefined,
): Promise<number> {
  const signal = signalOf(options);
  const length = checkList(list);
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  const refused = conn.refusal('writev');
  if (refused !== null) return rejected(withCount(refused, 0));
  const call = new PendingWrite('writev', null, [...list], length);
  if (conn.writes === null && carryOn(conn, call, false)) return call.promise;
  return wait(conn, call, 0, signal);
}

export function toBytes(p: unknown): Uint8Array {
  if (typeof p === 'string') return Buffer.from(p);
  if (!(p instanceof Uint8Array)) throw invalidType('p', 'of type string or an instance of Buffer or Uint8Array', p);
  checkBytes('p', p);
  return p;
}

function checkList(list: unknown): number {
  if (!Array.isArray(list)) throw invalidType('list', 'an array of Uint8Array', list);
  let length = 0;
  for (let i = 0; i < list.length; i++) {
    checkBytes(`list[${i}]`, list[i]);
    length += list[i].length;
  }
  return length;
}

/** One system call with all of the bytes: how many the kernel took, or a negative status. */
export function send(conn: StreamConn, bytes: Uint8Array): number {
  if (bytes.length > SMALL) return native.write(conn.id, false, bytes, 0);
  scratch.set(bytes);
  return native.writeScratch(conn.id, false, bytes.length);
}

function wait(
  conn: StreamConn,
  call: PendingWrite,
  written: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  call.written += written;
  const alone = conn.writes === null;
  conn.writes = joined(conn.writes, call);
  conn.hold();
  if (signal !== undefined) call.abortOn(signal, () => leave(conn, call));
  // Also what was taken in part: only EAGAIN proves that there is no room.
  if (alone) pumpWrites(conn, false);
  return call.promise;
}

function leave(conn: StreamConn, call: PendingWrite): void {
  const first = conn.writes === call;
  conn.writes = without(conn.writes, call);
  conn.release();
  if (first && conn.writes !== null) pumpWrites(conn, true);
}

/** Goes on with the writes in line for as long as the kernel has room. */
export function pumpWrites(conn: StreamConn, resumed: boolean): void {
  while (conn.writes !== null) {
    const call = conn.writes;
    if (!carryOn(conn, call, resumed)) return;
    // Only now does it leave the line, so that what its callers do meanwhile waits behind it.
    conn.writes = advanced(call);
  }
  conn.release();
  conn.drained();
}

/** Writes until the call is done, one way or the other; false when it must wait. */
function carryOn(conn: StreamConn, call: PendingWrite, resumed: boolean): boolean {
  let attempts = 0;
  do {
    const status = sendRest(conn, call, resumed);
    if (status === AGAIN) break;
    if (status < 0) {
      call.fail(withCount(conn.failure(call.op, status), call.written));
      return true;
    }
    advance(call, status);
    if (call.written === call.length) {
      call.resolve(call.length);
      return true;
    }
    if (status === 0) {
      call.abort(detachedWhileWaiting('write'));
      return true;
    }
  } while (++attempts < CALLS_AT_ONCE);
  conn.awaitWritable();
  return false;
}

function sendRest(conn: StreamConn, call: PendingWrite, resumed: boolean): number {
  if (call.bytes !== null) return native.write(conn.id, resumed, call.bytes, call.written);
  return native.writeVector(conn.id, resumed, call.list, call.member, call.offset);
}

function advance(call: PendingWrite, n: number): void {
  call.written += n;
  if (call.bytes !== null) return;
  let left = call.offset + n;
  while (call.member < call.list.length && left >= (call.list[call.member] as Uint8Array).length) {
    left -= (call.list[call.member] as Uint8Array).length;
    call.member += 1;
  }
  call.offset = left;
}

/** Ends every waiting write. */
export function failWrites(conn: StreamConn, status: number): void {
  const first = conn.writes;
  conn.writes = null;
  for (let call = first; call !== null; call = call.next) {
    call.fail(withCount(conn.failure(call.op, status), call.written));
  }
  conn.release();
}

function withCount(error: OpError, n: number): OpError {
  error.bytesWritten = n;
  return error;
}
