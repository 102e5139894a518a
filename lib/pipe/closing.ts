// shutdown() of an end of a pipe: the writes that wait finish, the other end is told, and what it
// still writes is taken until it closes too.

import { Closing } from '../closing';
import { discard } from './meeting';
import type { PipeConn } from './pipe-conn';

export class PipeClosing extends Closing {
  constructor(
    private readonly conn: PipeConn,
    timeout: number,
  ) {
    super(conn, timeout);
  }

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
}
