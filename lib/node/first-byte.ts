// What a connection begins with.

import type { Conn } from '../conn';
import { SocketConn } from '../stream/socket-conn';

/** TLS's content type of a handshake, with which a client begins. */
const HANDSHAKE = 0x16;

export interface Beginning {
  readonly isTLS: boolean;
  /** What had to be taken off the connection to see that; null where it was left there. */
  readonly taken: Buffer | null;
}

/** Null where the connection ended before it began, or did not begin in time. */
export async function beginningOf(conn: Conn, timeout: number): Promise<Beginning | null> {
  try {
    if (timeout > 0) conn.setReadDeadline(Date.now() + timeout);
    const beginning = await look(conn);
    if (timeout > 0) conn.setReadDeadline(null);
    return beginning;
  } catch {
    return null; // gone, late, refused for its PROXY header, or the server ends
  }
}

async function look(conn: Conn): Promise<Beginning | null> {
  const inPlace = conn instanceof SocketConn;
  const bytes = inPlace ? await conn.peek(1) : await conn.read();
  return bytes === null ? null : { isTLS: bytes[0] === HANDSHAKE, taken: inPlace ? null : bytes };
}
