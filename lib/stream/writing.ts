// write() and writev(): given to the kernel at once; what it has no room for waits in line.

import { AGAIN, EXPIRED, native, scratch, WRITE, WRITE_SIDE } from '../binding';
import { checkList, detachedWhileWaiting, isDetached, signalOf, toBytes } from '../check';
import type { CallOptions } from '../conn';
import { withCount } from '../errors';
import { joinWrites, leaveWrites, type Turn } from '../lines';
import { Pending, rejected } from '../pending';
import { spend } from '../turn';
import type { StreamConn } from './stream-conn';

// Up to here copying bytes to the scratch buffer is cheaper than looking up a typed array's memory.
const SMALL = 1024;
// A peer that reads as fast as we write must not keep one call going for ever: after this many
// system calls the rest waits for the next turn.
const CALLS_AT_ONCE = 16;

/** Whatever waits in a connection's line of writes: a write(), a writev(), or a copy that ends here. */
export type WriteTurn = Turn<StreamConn>;

export abstract class WaitingWrite extends Pending<number> implements WriteTurn {
  written = 0;

  constructor(
    private readonly op: string,
    protected readonly length: number,
  ) {
    super();
  }

  /** Whether bytes that are still to be sent were transferred away. */
  protected abstract detached(): boolean;
  /** One system call with what is left. */
  protected abstract sendRest(conn: StreamConn, resumed: boolean): number;

  protected advance(n: number): void {
    this.written += n;
  }

  run(conn: StreamConn, resumed: boolean): boolean {
    if (this.detached()) {
      this.abort(withCount(detachedWhileWaiting('write'), this.written));
      return true;
    }
    for (let attempts = 0; attempts < CALLS_AT_ONCE; attempts++) {
      const status = this.sendRest(conn, resumed);
      if (status === AGAIN) break;
      if (status < 0) {
        this.endWith(conn, status);
        return true;
      }
      spend(status);
      this.advance(status);
      if (this.written === this.length) {
        this.resolve(this.length);
        return true;
      }
    }
    conn.awaitWritable();
    return false;
  }

  endWith(conn: StreamConn, status: number): void {
    this.fail(withCount(conn.failure(this.op, status), this.written));
  }
}

class PendingWrite extends WaitingWrite {
  constructor(private readonly bytes: Uint8Array) {
    super('write', bytes.length);
  }

  protected detached(): boolean {
    return isDetached(this.bytes);
  }

  protected sendRest(conn: StreamConn, resumed: boolean): number {
    return withoutRoom(conn, this.bytes, native.write(conn.id, resumed, this.bytes, this.written));
  }
}

class PendingWritev extends WaitingWrite {
  // Where `written` lies: the member of the list, and the offset inside it.
  private member = 0;
  private offset = 0;

  constructor(
    private readonly list: readonly Uint8Array[],
    length: number,
  ) {
    super('writev', length);
  }

  protected detached(): boolean {
    for (let i = this.member; i < this.list.length; i++) {
      if (isDetached(this.list[i] as Uint8Array)) return true;
    }
    return false;
  }

  protected sendRest(conn: StreamConn, resumed: boolean): number {
    // Go's order: a list without a byte asks for the deadline and not for the socket.
    if (this.length === 0) return (native.state(conn.id) & WRITE_SIDE) === 0 ? 0 : EXPIRED;
    return native.writeVector(conn.id, resumed, this.list, this.member, this.offset);
  }

  protected override advance(n: number): void {
    super.advance(n);
    let left = this.offset + n;
    for (; this.member < this.list.length; this.member++) {
      const { length } = this.list[this.member] as Uint8Array;
      if (left < length) break;
      left -= length;
    }
    this.offset = left;
  }
}

export function write(conn: StreamConn, p: Uint8Array | string, options: CallOptions | undefined): Promise<number> {
  const signal = signalOf(options);
  const bytes = toBytes(p);
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  const refused = conn.refusal('write');
  if (refused !== null) return rejected(withCount(refused, 0));
  return writeNow(conn, bytes, signal);
}

/** A write() that was let in; or the relay's, which keeps the others out. */
export function writeNow(conn: StreamConn, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<number> {
  if (conn.writes !== null || conn.mustWait(WRITE)) return waitToWrite(conn, new PendingWrite(bytes), signal);
  const status = withoutRoom(conn, bytes, send(conn, bytes));
  spend(Math.max(status, 0));
  if (status === bytes.length) return Promise.resolve(status);
  if (status < 0 && status !== AGAIN) return rejected(withCount(conn.failure('write', status), 0));
  const call = new PendingWrite(bytes);
  call.written = Math.max(status, 0);
  return waitToWrite(conn, call, signal);
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
  return waitToWrite(conn, new PendingWritev([...list], length), signal);
}

/** One system call with all of the bytes: how many the kernel took, or a negative status. */
export function send(conn: StreamConn, bytes: Uint8Array): number {
  if (bytes.length > SMALL) return native.write(conn.id, false, bytes, 0);
  scratch.set(bytes);
  return native.writeScratch(conn.id, false, bytes.length);
}

/** A status, less the wait of an empty write for room: it needs none, where it is no packet. */
function withoutRoom(conn: StreamConn, bytes: Uint8Array, status: number): number {
  return status === AGAIN && bytes.length === 0 && conn.net !== 'unixpacket' ? 0 : status;
}

export function waitToWrite(conn: StreamConn, call: WaitingWrite, signal: AbortSignal | undefined): Promise<number> {
  if (signal !== undefined) call.abortOn(signal, () => leaveWrites(conn, call));
  joinWrites(conn, call, conn.mustWait(WRITE));
  return call.promise;
}
