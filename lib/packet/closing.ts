// shutdown() of a packet conn: the writes that wait finish, and that is all. Nobody is told.

import { Closing } from '../closing';
import type { NativeConn } from '../native-conn';

export class PacketClosing extends Closing {
  constructor(
    private readonly conn: NativeConn,
    timeout: number,
  ) {
    super(conn, timeout);
  }

  advance(): void {
    if (this.conn.writes === null) this.conn.close();
  }
}
