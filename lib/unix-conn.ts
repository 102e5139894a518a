// Connections over Unix sockets.

import { native, scratchIds } from './binding';
import type { CallOptions } from './conn';
import { type QueueInfo, unixInfo } from './info';
import { MAX_FDS, type ReceivedFds, recvFds, sendFds } from './stream/passing';
import { SocketConn } from './stream/socket-conn';

/** The process at the other end of a Unix connection. */
export interface PeerCredentials {
  uid: number;
  gid: number;
  /** Absent where the system does not tell; 0 for a process that this one cannot see (another container's). */
  pid?: number;
}

/** A connection over a Unix socket, of bytes (`unix`) or of packets (`unixpacket`) (Go's net.UnixConn). */
export class UnixConn extends SocketConn {
  /** @internal */
  get addrNetwork(): string {
    return this.net;
  }

  /**
   * Who the other end is: as it was when the connection was made, for as long as it lives.
   * @throws OpError `op: 'get'`
   */
  peerCredentials(): PeerCredentials {
    return this.ask(() => {
      native.peerCredentials(this.id);
      const [uid, gid, pid] = scratchIds as unknown as [number, number, number];
      const who = { uid: uid >>> 0, gid: gid >>> 0 };
      return pid < 0 ? who : { ...who, pid };
    });
  }

  /**
   * Sends duplicates of descriptors, with bytes to go along (SCM_RIGHTS). It stands in the line of
   * writes, and resolves to how many bytes were written. Yours stay open, and must until then; close
   * them after if they are not needed here. Where it fails with `bytesWritten` above 0 they have gone.
   * @param fds 1 to 253
   * @param bytes at least one, which tells the other end that there is something. Default: one zero byte
   * @throws OpError `op: 'write'` (as a rejection): `EBADF`, `ETOOMANYREFS`, …
   */
  sendFds(fds: readonly number[], bytes?: Uint8Array, options?: CallOptions): Promise<number> {
    try {
      return sendFds(this, fds, bytes, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Resolves to the next bytes there are, as read() would, and the descriptors that came with them; to
   * null at the end of the stream. A read() in its place would have closed them unseen.
   * @param max how many descriptors to take at once, 1 to 253. If more come, all are closed. Default 253
   * @throws OpError `op: 'read'` (as a rejection)
   */
  recvFds(max: number = MAX_FDS, options?: CallOptions): Promise<ReceivedFds | null> {
    try {
      return recvFds(this, max, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * How many bytes are on their way, in both directions. Works during a relay too.
   * @throws OpError `op: 'get'`
   */
  info(): QueueInfo {
    return this.ask(() => unixInfo(this.id));
  }
}
