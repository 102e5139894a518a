// An address at which every attempt to connect hangs.

import { type Conn, dial, listen, type OpError, type SocketListener, type TCPConn } from 'spliceway';

export interface Blackhole extends Disposable {
  readonly addr: SocketListener<TCPConn>['addr'];
}

// Linux drops the SYN of a connection that its queue has no room for.
const HANGS_AFTER = 150;

/** A listener that accepts nobody, with a full queue. */
export async function blackhole(address = '127.0.0.1:0'): Promise<Blackhole> {
  const listener = await listen('tcp', address, { backlog: 1 });
  const queued: Conn[] = [];
  for (;;) {
    try {
      queued.push(await dial('tcp', `${listener.addr}`, { timeout: HANGS_AFTER }));
    } catch (error) {
      if ((error as OpError).timeout) break;
      throw error;
    }
  }
  return {
    addr: listener.addr,
    [Symbol.dispose]() {
      for (const conn of queued) conn.close();
      listener.close();
    },
  };
}
