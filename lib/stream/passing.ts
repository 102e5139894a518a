// Descriptors that travel over a Unix connection (SCM_RIGHTS).

import { AGAIN, COUNT, native, ONCE, READ, scratch } from '../binding';
import { checkBytes, checkInteger, isDetached, signalOf } from '../check';
import { ownChunk } from '../chunk';
import type { CallOptions } from '../conn';
import { causeOf, invalidType, invalidValue, outOfRange, withCount } from '../errors';
import { joinReads, leaveReads } from '../lines';
import { Pending, rejected } from '../pending';
import { spend } from '../turn';
import { takeFront } from './front';
import type { ReadTurn } from './reading';
import type { StreamConn } from './stream-conn';
import { WaitingWrite, waitToWrite } from './writing';

/** What recvFds() resolves to. */
export interface ReceivedFds {
  /** Descriptors, close-on-exec, which are yours to close. Empty where none came with these bytes. */
  fds: number[];
  /** The bytes that they came with. */
  data: Buffer;
  /**
   * True where more came than were asked for, or than the process has room for: all of them are closed
   * then, and `fds` is empty.
   */
  truncated?: boolean;
}

/** What one message of the kernel's carries at most: SCM_MAX_FD. */
export const MAX_FDS = 253;

const MAX_INT = 2 ** 31 - 1;
// A byte has to go along, and a caller who has nothing to say gets this one.
const NOTHING_TO_SAY = new Uint8Array(1);

/** The descriptors go with the first byte; the rest is a write like any other. */
class PendingSend extends WaitingWrite {
  constructor(
    private readonly fds: Int32Array,
    private readonly bytes: Uint8Array,
  ) {
    super('write', bytes.length);
  }

  protected detached(): boolean {
    return isDetached(this.bytes);
  }

  protected sendRest(conn: StreamConn, resumed: boolean): number {
    if (this.written === 0) return native.sendFds(conn.id, resumed, this.bytes, this.fds);
    return native.write(conn.id, resumed, this.bytes, this.written);
  }

  override endWith(conn: StreamConn, status: number): void {
    this.fail(withCount(conn.error('write', causeOf(status, 'sendmsg')), this.written));
  }
}

export function sendFds(
  conn: StreamConn,
  fds: readonly number[],
  bytes: Uint8Array = NOTHING_TO_SAY,
  options: CallOptions | undefined,
): Promise<number> {
  const signal = signalOf(options);
  const numbers = checkFds(fds);
  checkBytes('bytes', bytes);
  if (bytes.length === 0) throw invalidValue('bytes', 'must not be empty', bytes);
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  const refused = conn.refusal('write');
  if (refused !== null) return rejected(withCount(refused, 0));
  return waitToWrite(conn, new PendingSend(numbers, bytes), signal);
}

function checkFds(fds: unknown): Int32Array {
  if (!Array.isArray(fds)) throw invalidType('fds', 'an array of numbers', fds);
  if (fds.length === 0 || fds.length > MAX_FDS) throw outOfRange('fds.length', `>= 1 and <= ${MAX_FDS}`, fds.length);
  fds.forEach((fd, i) => {
    checkInteger(`fds[${i}]`, fd, 0, MAX_INT);
  });
  return Int32Array.from(fds);
}

type Outcome = ReceivedFds | null;

/** A recvFds() that waits. */
class PendingReceive extends Pending<Outcome> implements ReadTurn {
  constructor(private readonly max: number) {
    super();
  }

  run(conn: StreamConn): boolean {
    const status = receive(conn, this.max, true);
    if (status === AGAIN) {
      native.awaitNotice(conn.id, READ, ONCE);
      return false;
    }
    if (status < 0) this.endWith(conn, status);
    else this.resolve(outcomeOf(conn, status));
    return true;
  }

  endWith(conn: StreamConn, status: number): void {
    this.fail(conn.error('read', causeOf(status, 'recvmsg')));
  }
}

export function recvFds(conn: StreamConn, max: number, options: CallOptions | undefined): Promise<Outcome> {
  const signal = signalOf(options);
  checkInteger('max', max, 1, MAX_FDS);
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  const refused = conn.refusal('read');
  if (refused !== null) return rejected(refused);
  if (conn.reads !== null || conn.mustWait(READ)) return wait(conn, max, signal);
  const status = receive(conn, max, false);
  if (status < 0 && status !== AGAIN) return rejected(conn.error('read', causeOf(status, 'recvmsg')));
  if (status !== AGAIN) {
    spend(status);
    return Promise.resolve(outcomeOf(conn, status));
  }
  native.awaitNotice(conn.id, READ, ONCE);
  return wait(conn, max, signal);
}

// How many there are, or -1 for too many; then their numbers.
const received = new Int32Array(1 + MAX_FDS);

/** One system call: bytes into the scratch buffer, descriptors into `received`. */
function receive(conn: StreamConn, max: number, resumed: boolean): number {
  received[0] = 0;
  if (conn.front === null) return native.receiveFds(conn.id, resumed, max, received);
  const status = takeFront(conn, scratch, resumed);
  return status < 0 ? status : status & COUNT;
}

// Descriptors without a byte are not sent by anybody, yet they would be the caller's.
function outcomeOf(conn: StreamConn, n: number): Outcome {
  const count = received[0] as number;
  if (n === 0 && count === 0) {
    conn.ended = true;
    return null;
  }
  const data = ownChunk(n);
  return count < 0 ? { fds: [], data, truncated: true } : { fds: Array.from(received.subarray(1, 1 + count)), data };
}

function wait(conn: StreamConn, max: number, signal: AbortSignal | undefined): Promise<Outcome> {
  const call = new PendingReceive(max);
  joinReads(conn, call);
  if (signal !== undefined) call.abortOn(signal, () => leaveReads(conn, call));
  return call.promise;
}
