// spliceway echo: every byte goes back.

import type { Conn } from '../conn';

/** One read, one write, and again. */
export async function echoAwaiting(conn: Conn): Promise<void> {
  for await (const chunk of conn) await conn.write(chunk);
}

/** The same by callbacks, with back-pressure where the peer does not read. */
export function echoHandling(conn: Conn): void {
  conn.handle({
    data(chunk) {
      const sent = conn.tryWrite(chunk);
      // A promise stops the reading until it settles, and keeps the chunk valid until then.
      return sent === chunk.length ? undefined : conn.write(chunk.subarray(sent)).catch(() => conn.close());
    },
  });
}
