// Raw calls of a packet conn: a function of the caller's in a line, in place of a system call of ours.

import type { Addr } from '../addr';
import { native, READ } from '../binding';
import { causeOf, invalidReturn } from '../errors';
import { Pending } from '../pending';
import type { RawCall } from '../raw-conn';
import type { PacketSocketConn } from './packet-socket';
import { joinReceives, leaveReceives, pumpReceives, type ReceiveTurn } from './receiving';
import { joinSends, leaveSends, type SendTurn } from './sending';

type Socket = PacketSocketConn<Addr | null>;

/** A raw call, in either line. */
class RawTurn extends Pending<void> implements ReceiveTurn, SendTurn {
  private over = false;

  constructor(
    private readonly side: number,
    private readonly op: string,
    private readonly call: RawCall,
  ) {
    super();
  }

  run(conn: Socket): boolean {
    const done = this.ask(conn);
    // The function may have closed the socket, or moved its deadline to the past.
    if (done || this.over) return true;
    const status = native.awaitEdge(conn.id, this.side);
    if (status < 0) this.endWith(conn, status);
    return status < 0;
  }

  private ask(conn: Socket): boolean {
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

  endWith(conn: Socket, status: number): void {
    this.leave(conn);
    this.fail(conn.error(this.op, causeOf(status, this.op)));
  }

  /** The edge was taken, and may not have been used up: whoever comes next must look for itself. */
  leave(conn: Socket): void {
    this.over = true;
    native.wakeUp(conn.id, this.side);
  }
}

/** Takes its place in line, and is asked at once when it is alone there. */
export function rawWait(
  conn: Socket,
  side: number,
  op: string,
  call: RawCall,
  signal: AbortSignal | undefined,
): Promise<void> {
  const turn = new RawTurn(side, op, call);
  const [join, leave] = side === READ ? [joinRawReceive, leaveReceives] : [joinSends, leaveSends];
  if (signal !== undefined) {
    turn.abortOn(signal, () => {
      turn.leave(conn);
      leave(conn, turn);
    });
  }
  join(conn, turn);
  return turn.promise;
}

function joinRawReceive(conn: Socket, turn: RawTurn): void {
  joinReceives(conn, turn);
  if (conn.reads === turn) pumpReceives(conn);
}
