// Noticing that a client goes away while nobody reads from it.

import type { Conn } from '../conn';
import { SocketConn } from '../stream/socket-conn';

const NOTHING = new Uint8Array(0);
// One for all: an Error of its own for each connection would cost more than the watch.
const ENDED = new Error('the watch has ended');
const GONE = new Error('the client is gone');

/**
 * A client's line of reads is taken by its watch until end(), but none of its bytes: what it sends stays
 * in the kernel. It is gone when it was reset or, on a Unix socket, closed. A FIN alone is not enough:
 * a client that has said all it has to say may wait for the answer.
 */
export class ClientWatch {
  private readonly controller = new AbortController();

  constructor(client: Conn) {
    if (!(client instanceof SocketConn)) return;
    const { signal } = this;
    const gone = () => this.controller.abort(GONE);
    const ask = () => {
      // Nothing is sent, and a socket that cannot send says so. Where there are packets it would be one.
      if (client.net !== 'unixpacket') client.write(NOTHING).catch(gone);
      return false;
    };
    client.syscallConn().read(ask, { signal }).catch(gone);
  }

  /** Aborted when the client is gone, and by end(). */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get isGone(): boolean {
    return this.signal.reason === GONE;
  }

  end(): void {
    this.controller.abort(ENDED);
  }
}
