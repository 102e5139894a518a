// Raw calls of a packet conn: as those of a connection, in its own lines.

import type { Addr } from '../addr';
import { READ } from '../binding';
import type { RawCall } from '../raw-conn';
import { RawTurn } from '../stream/raw';
import type { PacketSocketConn } from './packet-socket';
import { joinReceives, leaveReceives, pumpReceives } from './receiving';
import { joinSends, leaveSends } from './sending';

type Socket = PacketSocketConn<Addr | null>;

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
