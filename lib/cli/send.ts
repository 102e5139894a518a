// spliceway send: a whole file to each connection.

import { open, stat } from 'node:fs/promises';
import { TCPConn } from '../tcp-conn';
import type { UnixConn } from '../unix-conn';

/** A handler that sends the file and closes. */
export function senderOf(path: string): (conn: TCPConn | UnixConn) => Promise<void> {
  return async (conn) => {
    await using file = await open(path);
    const { size } = await file.stat();
    const sent = await conn.sendFile(file);
    if (sent >= size) return conn.shutdown();
    // The client must not take it for the whole: it gets a reset where there is one.
    if (conn instanceof TCPConn) conn.setLinger(0);
    throw new Error(`${path} shrank while it was sent: ${sent} of ${size} bytes`);
  };
}

/** Fails at the start, and not at the first connection, when the file cannot be sent. */
export async function checkReadable(path: string): Promise<void> {
  // Before it is opened: opening a named pipe would wait for its writer.
  if (!(await stat(path)).isFile()) throw new Error(`${path} is not a regular file`);
  await (await open(path)).close();
}
