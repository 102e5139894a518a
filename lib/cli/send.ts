// spliceway send: a whole file to each connection.

import { type FileHandle, open } from 'node:fs/promises';
import type { Conn } from '../conn';
import { copy } from '../copy';

/** A handler that sends the file and closes. */
export function senderOf(path: string): (conn: Conn) => Promise<void> {
  return async (conn) => {
    const file: FileHandle = await open(path);
    try {
      await copy(conn, file);
      await conn.shutdown();
    } finally {
      await file.close();
    }
  };
}

/** Fails at the start, and not at the first connection, when the file cannot be sent. */
export async function checkReadable(path: string): Promise<void> {
  const file = await open(path);
  try {
    if (!(await file.stat()).isFile()) throw new Error(`${path} is not a regular file`);
  } finally {
    await file.close();
  }
}
