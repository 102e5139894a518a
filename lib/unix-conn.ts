// Connections over Unix sockets.

import { SocketConn } from './stream/socket-conn';

/** A connection over a Unix socket, of bytes (`unix`) or of packets (`unixpacket`) (Go's net.UnixConn). */
export class UnixConn extends SocketConn {
  /** @internal */
  get addrNetwork(): string {
    return this.net;
  }
}
