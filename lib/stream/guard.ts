// A look at a connection's first bytes, before whoever reads first gets any.
//
// Nothing is looked at before somebody reads: a server that speaks first is not kept waiting, and a
// connection that nobody waits on can be collected. The guard's turn then stands at the head of the
// line of reads; a handler's chunks wait for letIn().

import { AGAIN, COUNT, native, ONCE, READ, REFUSED, scratch } from '../binding';
import { failReads } from '../lines';
import type { ReadTurn } from './reading';
import type { StreamConn } from './stream-conn';

/** Which connections are refused for how they begin. */
export interface Guard {
  /** How many bytes are enough to tell. */
  readonly enough: number;
  /** Whether a connection that begins so is refused; null while that cannot be told. */
  refuses(first: Buffer): boolean | null;
  /** How long so few bytes may be held back, in milliseconds; then they are what they are. */
  readonly patience: number;
  /** One was. */
  refused(): void;
}

/** The guard's place in the line of reads. */
class GuardTurn implements ReadTurn {
  next: ReadTurn | null = null;
  last: ReadTurn = this;
  readonly leads = true;

  run(conn: StreamConn): boolean {
    if (letIn(conn)) return true;
    // Still in line: for want of bytes.
    if (conn.reads === this) native.awaitNotice(conn.id, READ, ONCE);
    return conn.reads !== this;
  }

  // Whoever reads next has the guard before them again.
  endWith(): void {}
}

/** What comes before the first read. */
export function guardReads(conn: StreamConn): ReadTurn {
  native.awaitNotice(conn.id, READ, ONCE);
  // No event tells of bytes that were put back.
  if (conn.front !== null) native.wakeUp(conn.id, READ);
  return new GuardTurn();
}

/** Whether reading may go on. If not there is too little to tell, or the connection is over. */
export function letIn(conn: StreamConn): boolean {
  const { guard } = conn;
  if (guard === null) return true;
  const status = inspect(conn, guard);
  if (status === AGAIN) return false;
  conn.guard = null;
  if (status === 0) return true;
  if (status === REFUSED) guard.refused();
  failReads(conn, status);
  // A handler is told; who reads may still close it, or write.
  if (status === REFUSED || conn.flow !== null) conn.fail(conn.failure('read', status));
  return false;
}

/** 0 for a connection that may pass; AGAIN; REFUSED; or what looking at it failed with. */
function inspect(conn: StreamConn, guard: Guard): number {
  for (;;) {
    const known = conn.front?.length ?? 0;
    const answer = conn.front === null ? null : guard.refuses(conn.front);
    if (answer !== null) return answer ? REFUSED : 0;
    const seen = native.peek(conn.id, true, known, guard.enough - known);
    if (seen < 0) return seen;
    if (conn.front !== null) scratch.set(conn.front);
    const first = scratch.subarray(0, known + seen);
    // The end: it will not become what is refused.
    const verdict = seen === 0 ? false : guard.refuses(first);
    if (verdict !== null) return verdict ? REFUSED : 0;
    if (known === 0) giveUpLater(conn, guard);
    takeToFront(conn, seen);
  }
}

// A client that says so little may be waiting for an answer to it.
function giveUpLater(conn: StreamConn, guard: Guard): void {
  const giveUp = () => {
    if (conn.id < 0 || conn.guard === null) return;
    conn.guard = null;
    native.wakeUp(conn.id, READ);
  };
  setTimeout(giveUp, guard.patience).unref();
}

// A look waits for a first byte, and never for one more: what was seen must go.
function takeToFront(conn: StreamConn, n: number): void {
  const taken = native.read(conn.id, true, n) & COUNT;
  conn.front = Buffer.concat([conn.front ?? Buffer.alloc(0), scratch.subarray(0, taken)]);
}
