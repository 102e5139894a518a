// How spliceway sends a file: all that the servers which do so have in common.

import { open } from 'node:fs/promises';
import { copy } from 'spliceway';

/** Sends the file once. */
export async function sendFile(conn, path) {
  const file = await open(path);
  try {
    await conn.sendFile(file);
  } finally {
    await file.close();
  }
}

/** Sends the file once, with a call for every so many bytes of it. */
export async function sendFileInPieces(conn, path, piece) {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    for (let sent = 0; sent < size; ) sent += await copy(conn, file, { limit: piece });
  } finally {
    await file.close();
  }
}
