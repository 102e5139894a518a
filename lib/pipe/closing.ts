// shutdown() of an end of a pipe: the writes that wait finish, the other end is told, and what it
// still writes is taken until it closes too.

import { MAX_TIMER } from '../deadline';
import { discard } from './meeting';
import type { PipeConn } from './pipe-conn';

export class PipeClosing {
  readonly done: Promise<void>;
  private resolve!: () => void;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly conn: PipeConn,
    timeout: number,
  ) {
    this.done = new Promise((resolve) => {
      this.resolve = resolve;
    });
    this.timer = setTimeout(() => conn.close(), Math.min(timeout, MAX_TIMER));
  }

  /** Called whenever something may have changed. */
  advance(): void {
    const { conn } = this;
    if (conn.closed || conn.writes !== null) return;
    this.sayEnd();
    if (conn.isDiscarding() && conn.peer.writes !== null) {
      discard(conn.peer);
      conn.peer.settle();
    }
    // A handler has yet to hear of the end.
    if (conn.atEnd() && (conn.flow === null || conn.flow.ended)) conn.close();
  }

  private sayEnd(): void {
    const { conn } = this;
    if (conn.saidEnd) return;
    conn.saidEnd = true;
    conn.peer.noMore();
  }

  /** The connection is closed. */
  finish(): void {
    clearTimeout(this.timer);
    this.resolve();
  }
}
