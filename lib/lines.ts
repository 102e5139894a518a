// The lines of a socket, one for each direction: calls that wait, first in, first out.
//
// The first in line is tried whenever the kernel says that its direction may go on, and leaves when it is
// done. A deadline or close() ends them all. What is done when a line is empty is the socket's to say.

import { NOTHING, native, READ, WRITE } from './binding';
import { advanced, joined, unlinked, without } from './pending';

/** Whatever waits in a line of C's: a read, a write, a copy that begins or ends there. */
export interface Turn<C> {
  next: Turn<C> | null;
  last: Turn<C>;
  /** At the head of the line, and the kernel may have something for it: whether it is done. */
  run(conn: C, resumed: boolean): boolean;
  /** The socket, or its deadline, ends it. It is out of the line by then. */
  endWith(conn: C, status: number): void;
  /** It stands before others and for nobody, so it leaves with the last of them. */
  readonly leads?: boolean;
  /** Its direction was shut down here. */
  shutDown?(): void;
  /** The deadline was moved, and lies ahead. */
  deadlineMoved?(): void;
}

interface Waiting {
  readonly id: number;
  /** Something waits from now on. */
  hold(): void;
  /** The opposite, if nothing else waits. */
  release(): void;
  /** A shutdown() may have waited for this. */
  linesChanged(): void;
}

export interface Reader<C> extends Waiting {
  reads: Turn<C> | null;
  /** What is to stand before the first that joins, if anything. */
  leadingRead?(): Turn<C> | null;
}

export interface Writer<C> extends Waiting {
  writes: Turn<C> | null;
  /** Has the handler told when there is room, if that is owed to it. */
  awaitDrain(): void;
  /** Tells it. */
  drained(): void;
}

export function joinReads<C extends Reader<C>>(conn: C, call: Turn<C>): void {
  conn.reads = joined(conn.reads ?? conn.leadingRead?.() ?? null, call);
  conn.hold();
}

export function leaveReads<C extends Reader<C>>(conn: C, call: Turn<C>): void {
  const wasFirst = conn.reads === call;
  conn.reads = without(conn.reads, call);
  if (conn.reads?.leads === true && conn.reads.next === null) conn.reads = null;
  if (conn.reads === null) gaveUpReading(conn);
  else if (wasFirst) pumpReads(conn);
}

// The line is empty before the kernel had an answer. A notice that nobody waits for any more would
// keep the process alive.
function gaveUpReading<C extends Reader<C>>(conn: C): void {
  if (conn.id < 0) return;
  native.awaitNotice(conn.id, READ, NOTHING);
  conn.release();
  conn.linesChanged();
}

/** Serves waiting reads for as long as the kernel has something for them. */
export function pumpReads<C extends Reader<C>>(conn: C): void {
  while (conn.reads !== null) {
    const call = conn.reads;
    if (!call.run(conn, true)) return;
    // Closed meanwhile: the line was emptied then.
    if (conn.reads !== call) return;
    conn.reads = advanced(call);
  }
  conn.release();
}

/** Ends every waiting read. */
export function failReads<C extends Reader<C>>(conn: C, status: number): void {
  const first = conn.reads;
  conn.reads = null;
  for (const call of unlinked(first)) call.endWith(conn, status);
  gaveUpReading(conn);
}

/**
 * Joins the line, and is tried at once when it is alone there: only EAGAIN proves that there is no room.
 * @param later a notice is on its way, which is soon enough
 */
export function joinWrites<C extends Writer<C>>(conn: C, call: Turn<C>, later = false): void {
  const alone = conn.writes === null;
  conn.writes = joined(conn.writes, call);
  conn.hold();
  if (alone && !later) pumpWrites(conn, false);
}

export function leaveWrites<C extends Writer<C>>(conn: C, call: Turn<C>): void {
  const wasFirst = conn.writes === call;
  conn.writes = without(conn.writes, call);
  if (conn.writes === null) return gaveUpWriting(conn);
  if (!wasFirst) return;
  pumpWrites(conn, true);
  conn.linesChanged();
}

// As for reads.
function gaveUpWriting<C extends Writer<C>>(conn: C): void {
  if (conn.id < 0) return;
  native.awaitNotice(conn.id, WRITE, NOTHING);
  conn.awaitDrain();
  conn.release();
  conn.linesChanged();
}

/** Goes on with the writes in line for as long as the kernel has room. */
export function pumpWrites<C extends Writer<C>>(conn: C, resumed: boolean): void {
  while (conn.writes !== null) {
    const call = conn.writes;
    if (!call.run(conn, resumed)) return;
    // Closed meanwhile: the line was emptied then.
    if (conn.writes !== call) return;
    conn.writes = advanced(call);
  }
  conn.release();
  conn.drained();
}

/** Ends every waiting write. */
export function failWrites<C extends Writer<C>>(conn: C, status: number): void {
  const first = conn.writes;
  conn.writes = null;
  for (const call of unlinked(first)) call.endWith(conn, status);
  gaveUpWriting(conn);
}
