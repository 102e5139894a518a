// Being told when a connection closes.

import type { Conn } from './conn';
import { type Handle, type HandleOwner, ownedBy } from './handle';

/** Calls `closed` once the connection is closed: by whomever here, or because it was collected. */
export function whenClosed(conn: Conn, closed: () => void): void {
  const owned = (conn as { [ownedBy]?: (owner: HandleOwner) => Handle })[ownedBy];
  if (owned === undefined) watchClose(conn, closed);
  else owned.call(conn, { handleClosed: closed });
}

// A connection of a foreign make tells nobody. What closes it is its own close(), or its shutdown().
function watchClose(conn: Conn, closed: () => void): void {
  let open = true;
  const told = () => {
    if (open) closed();
    open = false;
  };
  const { close, shutdown } = conn;
  conn.close = () => {
    const result = close.call(conn);
    told();
    return result;
  };
  conn.shutdown = (options) => shutdown.call(conn, options).finally(told);
}
