// shutdown(): finish what is under way, say goodbye, wait for the other side to do the same.

import { AGAIN, MORE, native, ONCE, READ, WRITE } from '../binding';
import { Closing } from '../closing';
import { discard } from './reading';
import type { StreamConn } from './stream-conn';

// Discarding competes with connections that do work.
const CHUNKS_AT_ONCE = 4;

export class StreamClosing extends Closing {
  private sentFin = false;

  constructor(
    private readonly conn: StreamConn,
    timeout: number,
  ) {
    super(conn, timeout);
  }

  advance(): void {
    const { conn } = this;
    if (conn.writes !== null || conn.id < 0) return;
    if (!this.sentFin) {
      this.sentFin = true;
      // It fails for a connection that was reset: there is nobody left to wait for.
      if (native.shutdown(conn.id, WRITE) < 0) return void conn.close();
    }
    // Waiting reads and a handler get what arrives; without them it is thrown away.
    if (conn.reads === null && (conn.flow === null || conn.flow.paused)) this.discard();
  }

  private discard(): void {
    const { conn } = this;
    for (let i = 0; i < CHUNKS_AT_ONCE; i++) {
      const status = discard(conn);
      if (status === AGAIN) return;
      if (status <= 0) return void conn.close();
      if ((status & MORE) === 0) break;
    }
    native.awaitNotice(conn.id, READ, ONCE);
  }
}
