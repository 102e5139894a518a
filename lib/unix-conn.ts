// Connections over Unix sockets.

import { type QueueInfo, unixInfo } from './info';
import { SocketConn } from './stream/socket-conn';

/** A connection over a Unix socket, of bytes (`unix`) or of packets (`unixpacket`) (Go's net.UnixConn). */
export class UnixConn extends SocketConn {
  /** @internal */
  get addrNetwork(): string {
    return this.net;
  }

  /**
   * How many bytes are on their way, in both directions. Works during a relay too.
   * @throws OpError `op: 'get'`
   */
  info(): QueueInfo {
    return this.ask(() => unixInfo(this.id));
  }
}
