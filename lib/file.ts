// Connections and listeners on descriptors that somebody else made.

import { constants } from 'node:os';
import { resolve } from 'node:path';
import { fileAddr, fromNative, UnixAddr } from './addr';
import {
  DATAGRAMS,
  KIND_PACKETS,
  KIND_TCP,
  KIND_UNIX,
  native,
  PACKETS,
  RAW,
  STREAM,
  scratchIds,
  UNIX,
} from './binding';
import { checkInteger } from './check';
import { OpError, thrownCause } from './errors';
import { SocketListener } from './listener';
import { connOn } from './network';
import { adoptPackets } from './packet/open';
import { applyKeepAlive, type TCPConn } from './tcp-conn';
import type { UnixConn } from './unix-conn';

/**
 * A connection on a descriptor that was inherited or passed (Go's FileConn): TCP, or a Unix socket of
 * bytes or of packets. The descriptor belongs to the Conn from now on, which makes it non-blocking and
 * close-on-exec; where this throws it stays the caller's, and open. A TCP connection gets the no-delay
 * and keep-alive of one that was dialed. For a socket of datagrams it is filePacketConn(), and gives what
 * that gives, whatever the type here says.
 * @throws OpError `op: 'file'`, `net: 'file+net'`: `EBADF`, `ENOTSOCK`, `ENOTCONN`; `EINVAL` for a
 *   socket that listens, or of another kind
 */
export function fileConn(fd: number): TCPConn | UnixConn {
  checkInteger('fd', fd, 0, MAX_FD);
  return asFileOp(fd, () => {
    const { network, kind, listening } = describe(fd);
    if (kind === null) return adoptPackets(fd) as unknown as UnixConn;
    if (listening) throw wrongSocket('the socket listens: it is for fileListener()');
    const conn = connOn(native.adoptStream(fd, kind), network, null);
    if (kind === KIND_TCP) giveDefaults(conn.id);
    return conn;
  });
}

/**
 * A listener on a descriptor that was inherited or passed (Go's FileListener), such as those of
 * systemd's socket activation. It belongs to the listener from now on; where this throws it stays the
 * caller's, and open. close() leaves the file of a Unix socket: whoever made it removes it.
 * @throws OpError as fileConn(); `EINVAL` for a socket that does not listen
 */
export function fileListener(fd: number): SocketListener {
  checkInteger('fd', fd, 0, MAX_FD);
  return asFileOp(fd, () => {
    const { network, kind, listening } = describe(fd);
    if (kind === null || !listening) throw wrongSocket('the socket does not listen: it is for fileConn()');
    const id = native.adoptListener(fd, kind);
    if (kind === KIND_TCP) giveDefaults(id);
    return listenerOn(id, network);
  });
}

const MAX_FD = 2 ** 31 - 1;

function asFileOp<T>(fd: number, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw new OpError('file', 'file+net', null, fileAddr(fd), thrownCause(error));
  }
}

interface Described {
  network: string;
  /** Null: of datagrams. */
  kind: number | null;
  listening: boolean;
}

function describe(fd: number): Described {
  native.describeSocket(fd);
  const [family, type, listening] = scratchIds as unknown as [number, number, number];
  if (type === DATAGRAMS || type === RAW) return { network: '', kind: null, listening: false };
  const known = family !== 0 && (type === STREAM || (type === PACKETS && family === UNIX));
  if (!known) throw wrongSocket('the socket is of no network that this package knows');
  if (family !== UNIX) return { network: 'tcp', kind: KIND_TCP, listening: listening === 1 };
  return type === PACKETS
    ? { network: 'unixpacket', kind: KIND_PACKETS, listening: listening === 1 }
    : { network: 'unix', kind: KIND_UNIX, listening: listening === 1 };
}

function wrongSocket(message: string): Error {
  return Object.assign(new Error(message), { code: 'EINVAL', errno: -constants.errno.EINVAL });
}

// What dial() and listen() set. Accepted connections inherit it from their listener. As in Go, a system
// that refuses it here is no reason not to go on.
function giveDefaults(id: number): void {
  try {
    native.setNoDelay(id, 1);
    applyKeepAlive(id, { enable: true });
  } catch {
    // Such as a connection that the peer has reset.
  }
}

function listenerOn(id: number, network: string): SocketListener {
  const addr = fromNative(native.localAddr(id) ?? [''], network);
  const listener: SocketListener = new SocketListener(id, network, addr);
  if (addr instanceof UnixAddr && addr.path !== '' && !addr.path.startsWith('@')) {
    listener.unlinkOnClose(resolve(addr.path));
  }
  listener.setUnlinkOnClose(false);
  return listener;
}
