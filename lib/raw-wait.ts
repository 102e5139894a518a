// Raw calls of a connection: a function of the caller's in a line, in place of a system call of ours.

import { native, READ } from './binding';
import { causeOf, invalidReturn } from './errors';
import { joinReads, joinWrites, leaveReads, leaveWrites, pumpReads, type Turn } from './lines';
import type { NativeConn } from './native-conn';
import { Pending } from './pending';
import type { RawCall } from './raw-conn';
import { spend } from './turn';

/** A raw call, in either line. */
class RawTurn extends Pending<void> implements Turn<NativeConn> {
  private over = false;

  constructor(
    private readonly side: number,
    private readonly op: string,
    private readonly call: RawCall,
  ) {
    super();
  }

  run(conn: NativeConn): boolean {
    const done = this.ask(conn);
    // The function may have closed the connection, or moved its deadline to the past.
    if (done || this.over) return true;
    const status = native.awaitEdge(conn.id, this.side);
    if (status < 0) this.endWith(conn, status);
    return status < 0;
  }

  private ask(conn: NativeConn): boolean {
    try {
      const done: unknown = this.call(native.descriptor(conn.id));
      if (typeof done !== 'boolean') throw invalidReturn(`a function of ${this.op}`, 'a boolean', done);
      if (done) this.resolve();
      return done;
    } catch (error) {
      this.abort(error);
      return true;
    }
  }

  endWith(conn: NativeConn, status: number): void {
    this.leave(conn);
    this.fail(conn.error(this.op, causeOf(status, this.op)));
  }

  /**
   * The edge was taken, and it may not have used what the edge told of: whoever comes next must look
   * for itself.
   */
  leave(conn: NativeConn): void {
    this.over = true;
    native.wakeUp(conn.id, this.side);
  }
}

/** Takes its place in line, and is asked at once when it is alone there. */
export function rawWait(
  conn: NativeConn,
  side: number,
  op: string,
  call: RawCall,
  signal: AbortSignal | undefined,
): Promise<void> {
  const turn = new RawTurn(side, op, call);
  if (signal !== undefined) {
    turn.abortOn(signal, () => {
      turn.leave(conn);
      if (side === READ) leaveReads(conn, turn);
      else leaveWrites(conn, turn);
    });
  }
  const later = conn.mustWait(side);
  // Whatever the kernel says: it has to be asked once.
  if (later) native.wakeUp(conn.id, side);
  spend(0);
  if (side === READ) joinRawRead(conn, turn, later);
  else joinWrites(conn, turn, later);
  return turn.promise;
}

function joinRawRead(conn: NativeConn, turn: RawTurn, later: boolean): void {
  joinReads(conn, turn);
  if (conn.reads === turn && !later) pumpReads(conn);
}
