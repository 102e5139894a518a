// A connection at rest: a turn in its line of reads that takes no bytes. Whatever it is tried for, other than
// a false alarm, disturbs the rest. The process does not live for it.

import { CLOSED, EXPIRED, native } from '../binding';
import { advanced } from '../pending';
import type { Disturbance, Rest } from '../resting';
import type { ReadTurn } from './reading';
import type { StreamConn } from './stream-conn';

export class StreamRest implements Rest, ReadTurn {
  next: ReadTurn | null = null;
  last: ReadTurn = this;

  constructor(
    private readonly conn: StreamConn,
    private readonly disturbed: (why: Disturbance) => void,
  ) {}

  begin(ask: boolean): Disturbance | null {
    const { conn } = this;
    const why = unfit(conn) ?? disturbanceOf(ask ? native.restAsking(conn.id) : native.rest(conn.id));
    if (why !== null) return why;
    conn.reads = this;
    conn.hold();
    return null;
  }

  // The reactor's guard stays: the next read awaits a notice of its own, and nobody is told of this one.
  end(): void {
    const { conn } = this;
    if (conn.reads !== this) return;
    // Behind it stands only what a user who should have gone has left.
    conn.reads = advanced<ReadTurn>(this);
    this.next = null;
    this.last = this;
    conn.release();
  }

  run(conn: StreamConn): boolean {
    const why = disturbanceOf(native.restAsking(conn.id));
    if (why === null) return false;
    this.end();
    this.disturbed(why);
    return true;
  }

  endWith(_conn: StreamConn, status: number): void {
    this.disturbed(disturbanceOf(status) as Disturbance);
  }
}

function unfit(conn: StreamConn): Disturbance | null {
  if (conn.id < 0 || conn.closing !== null) return 'closed';
  if (conn.busy || conn.flow !== null || conn.reads !== null || conn.writes !== null) return 'busy';
  if (conn.front !== null) return 'stray';
  return conn.unreported === null ? null : 'failed';
}

/** What native.rest() says; undefined: nothing. */
function disturbanceOf(status: number | undefined): Disturbance | null {
  if (status === undefined) return null;
  if (status > 0) return 'stray';
  if (status === 0) return 'ended';
  if (status === CLOSED) return 'closed';
  return status === EXPIRED ? 'deadline' : 'failed';
}
