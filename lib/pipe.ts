// pipe(): two ends of a connection that is nowhere but in memory.

import type { Conn } from './conn';
import { PipeConn } from './pipe/pipe-conn';

/**
 * Two connected ends, in memory, each a whole Conn (Go's net.Pipe): what is written to one is read
 * from the other. Nothing is buffered between them: a write waits until reads have taken all of it,
 * and a read that has room for a part leaves the rest to the next. Empty reads and writes wait for the
 * other side too.
 *
 * When either end is closed, reads at the other resolve to null and writes reject with
 * `ERR_SPLICEWAY_CLOSED_PIPE`, as does every call on the closed end itself.
 */
export function pipe(): [Conn, Conn] {
  const [a, b] = [new PipeConn(), new PipeConn()];
  a.peer = b;
  b.peer = a;
  return [a, b];
}
