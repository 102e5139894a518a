// The place that a session on an I/O thread has in one of its connection's lines, for as long as it has the
// descriptor: nobody else gets at that direction, and deadlines and close() are heard of.

import { EXPIRED, READ } from '../binding';
import { joinReads, joinWrites } from '../lines';
import type { ReadTurn } from '../stream/reading';
import type { StreamConn } from '../stream/stream-conn';
import type { WriteTurn } from '../stream/writing';

/** What is told of a connection whose lines are held. */
export interface Holder {
  /** Somebody closed the connection. */
  connClosed(): void;
  /** Its deadline for that side has passed. */
  expired(side: number): void;
  readDeadlineMoved(): void;
}

/** It is never done. */
export class HeldTurn implements ReadTurn, WriteTurn {
  next: ReadTurn | null = null;
  last: ReadTurn = this;

  constructor(
    private readonly holder: Holder,
    private readonly side: number,
  ) {}

  run(): boolean {
    return false;
  }

  endWith(conn: StreamConn, status: number): void {
    if (conn.id < 0) return this.holder.connClosed();
    this.join(conn);
    if (status === EXPIRED) this.holder.expired(this.side);
  }

  deadlineMoved(): void {
    if (this.side === READ) this.holder.readDeadlineMoved();
  }

  join(conn: StreamConn): void {
    if (this.side === READ) joinReads(conn, this);
    else joinWrites(conn, this, true);
  }
}
