// Bytes that were put back: they stand in front of what the kernel holds, whoever reads next.
//
// peek() needs none of this: the kernel is asked to leave the bytes where they are (MSG_PEEK), so that
// they stay with the descriptor wherever it goes, and are spliced as any others. A peek takes no edge
// either: only EAGAIN says that there is nothing, so readiness stays as it was.

import { AGAIN, CHUNK, COUNT, EXPIRED, MORE, native, ONCE, READ, READ_SIDE, scratch } from '../binding';
import { checkBytes, checkInteger, signalOf } from '../check';
import { ownChunk } from '../chunk';
import type { CallOptions } from '../conn';
import { ErrBusy, ErrClosed } from '../errors';
import { joinReads, leaveReads } from '../lines';
import { Pending, rejected } from '../pending';
import { spend } from '../turn';
import type { ReadTurn } from './reading';
import type { StreamConn } from './stream-conn';

/** Takes the first bytes in front, as a read of the kernel's would be taken: a count, or EXPIRED. */
export function takeFront(conn: StreamConn, into: Uint8Array, resumed: boolean): number {
  if (!resumed && (native.state(conn.id) & READ_SIDE) !== 0) return EXPIRED;
  const front = conn.front as Buffer;
  const n = Math.min(front.length, into.length, COUNT);
  into.set(front.subarray(0, n));
  // What a read has no room for is lost of a packet, and stays of a stream.
  conn.front = n === front.length || isPackets(conn) ? null : front.subarray(n);
  return n | MORE;
}

/** Takes up to n bytes off the front; null where there are none. */
export function takeFrontBytes(conn: StreamConn, n: number): Buffer | null {
  const { front } = conn;
  if (front === null || n === 0) return null;
  conn.front = front.length <= n ? null : front.subarray(n);
  return front.subarray(0, n);
}

export function putInFront(conn: StreamConn, bytes: Uint8Array): void {
  conn.front = Buffer.concat(conn.front === null ? [bytes] : [bytes, conn.front]);
}

const isPackets = (conn: StreamConn): boolean => conn.net === 'unixpacket';

export function unread(conn: StreamConn, bytes: unknown): void {
  checkBytes('bytes', bytes);
  if (conn.id < 0 || conn.closing !== null) throw conn.error('unread', ErrClosed);
  if (conn.busy || conn.flow !== null || conn.reads !== null) throw conn.error('unread', ErrBusy);
  if (bytes.length === 0) return;
  if (isPackets(conn) && conn.front !== null) throw conn.error('unread', oneAtATime());
  putInFront(conn, bytes);
}

function oneAtATime(): Error {
  return Object.assign(new Error('one packet at a time can be put back'), { code: 'EINVAL' });
}

/** A peek() that waits. */
class PendingPeek extends Pending<Buffer | null> implements ReadTurn {
  constructor(private readonly n: number) {
    super();
  }

  run(conn: StreamConn): boolean {
    const status = look(conn, this.n, true);
    if (status === AGAIN) {
      native.awaitNotice(conn.id, READ, ONCE);
      return false;
    }
    if (status < 0) this.endWith(conn, status);
    else this.resolve(seen(conn, status));
    return true;
  }

  endWith(conn: StreamConn, status: number): void {
    this.fail(conn.failure('peek', status));
  }
}

export function peek(conn: StreamConn, n: number, options: CallOptions | undefined): Promise<Buffer | null> {
  const signal = signalOf(options);
  checkInteger('n', n, 1, CHUNK);
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  const refused = conn.refusal('peek');
  if (refused !== null) return rejected(refused);
  if (conn.reads !== null || conn.mustWait(READ)) return wait(conn, n, signal);
  const status = look(conn, n, false);
  if (status < 0 && status !== AGAIN) return rejected(conn.failure('peek', status));
  if (status !== AGAIN) {
    spend(status);
    return Promise.resolve(seen(conn, status));
  }
  native.awaitNotice(conn.id, READ, ONCE);
  return wait(conn, n, signal);
}

/** How many bytes, of those in front and of the kernel's, now stand in the scratch buffer. */
function look(conn: StreamConn, n: number, resumed: boolean): number {
  const { front } = conn;
  if (front === null) return native.peek(conn.id, resumed, 0, n);
  if (!resumed && (native.state(conn.id) & READ_SIDE) !== 0) return EXPIRED;
  const before = Math.min(front.length, n);
  // Those of the kernel first: looking at them writes to the buffer from there on.
  const behind = before === n || isPackets(conn) ? 0 : native.peek(conn.id, resumed, before, n - before);
  scratch.set(front.subarray(0, before));
  return before + Math.max(behind, 0);
}

function seen(conn: StreamConn, n: number): Buffer | null {
  if (n > 0) return ownChunk(n);
  conn.ended = true;
  return null;
}

function wait(conn: StreamConn, n: number, signal: AbortSignal | undefined): Promise<Buffer | null> {
  const call = new PendingPeek(n);
  joinReads(conn, call);
  if (signal !== undefined) call.abortOn(signal, () => leaveReads(conn, call));
  return call.promise;
}
