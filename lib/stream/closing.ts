// shutdown(): finish what is under way, say goodbye, wait for the other side to do the same.

import { AGAIN, MORE, native, ONCE, READ, WRITE } from '../binding';
import { MAX_TIMER } from '../deadline';
import { discard } from './reading';
import type { StreamConn } from './stream-conn';

// Discarding competes with connections that do work.
const CHUNKS_AT_ONCE = 4;

export class Closing {
  readonly done: Promise<void>;
  private resolve!: () => void;
  private readonly timer: NodeJS.Timeout;
  private sentFin = false;

  constructor(
    private readonly conn: StreamConn,
    timeout: number,
  ) {
    this.done = new Promise((resolve) => {
      this.resolve = resolve;
    });
    this.timer = setTimeout(() => conn.close(), Math.min(timeout, MAX_TIMER));
  }

  /** Called whenever something may have changed: a write finished, or something arrived. */
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

  /** The connection is closed. */
  finish(): void {
    clearTimeout(this.timer);
    this.resolve();
  }
}
