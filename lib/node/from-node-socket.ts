// fromNodeSocket(): the connection of a net.Socket as a Conn.

import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { KIND_UNIX, native } from '../binding';
import { ErrBusy, invalidType, invalidValue, OpError, thrownCause } from '../errors';
import { fileConn } from '../file';
import type { TCPConn } from '../tcp-conn';
import type { UnixConn } from '../unix-conn';

/** What is asked of libuv's handle. */
interface NodeHandle {
  readonly fd: number;
  reading: boolean;
  readonly writeQueueSize?: number;
  readStop(): void;
}

/**
 * Takes the connection out of a `net.Socket`: a Conn on a duplicate of its descriptor, with what the socket
 * has read and nobody has taken as its first bytes. The socket is destroyed, which the peer does not
 * notice; it emits 'close', and no more 'data'.
 *
 * Made for sockets that a server has let go of, such as those of http's 'upgrade' and 'connect' events.
 * @throws OpError `op: 'file'`: `ERR_SPLICEWAY_BUSY` where bytes wait to be written, end() was called, or http,
 *   http2, tls or a pipe() has the socket; `EMFILE`, …
 * @throws TypeError for what is no net.Socket, for a TLSSocket, and for one that is not connected
 */
export function fromNodeSocket(socket: Socket): TCPConn | UnixConn {
  const handle = handleOf(socket);
  if (isInUse(socket, handle)) throw failure(ErrBusy);
  const conn = adopt(handle.fd);
  handle.reading = false;
  handle.readStop();
  // Whoever listens for bytes would be told of those that the Conn is to have.
  socket.removeAllListeners('data');
  for (let chunk = takeFrom(socket); chunk !== null; chunk = takeFrom(socket)) putBehind(conn, chunk);
  socket.destroy();
  return conn;
}

function handleOf(socket: unknown): NodeHandle {
  if (!(socket instanceof Socket)) throw invalidType('socket', 'an instance of net.Socket', socket);
  if ((socket as { encrypted?: boolean }).encrypted === true) {
    throw invalidValue('socket', 'must not be a TLSSocket: its bytes are not those of its descriptor', socket);
  }
  const { _handle: handle } = socket as unknown as { _handle: NodeHandle | null };
  if (handle === null || socket.pending || socket.destroyed || !(handle.fd >= 0)) {
    throw invalidValue('socket', 'must be connected, and have a descriptor', socket);
  }
  return handle;
}

function isInUse(socket: Socket, handle: NodeHandle): boolean {
  const { pipes } = (socket as unknown as { _readableState: { pipes: unknown[] } })._readableState;
  const writes = socket.writableLength > 0 || socket.writableEnded || (handle.writeQueueSize ?? 0) > 0;
  return writes || pipes.length > 0 || socket.readableEncoding !== null || isOthers(socket, handle);
}

/** The name of the listener by which http2 learns that the socket of a session has closed. */
const HTTP2_LISTENS = 'socketOnClose';

// Whoever reads from the handle itself leaves a trace: http its parser, tls a property of the handle by
// which it learns that reading stops.
function isOthers(socket: Socket, handle: NodeHandle): boolean {
  if ((socket as { parser?: object | null }).parser != null) return true;
  if (Object.getOwnPropertyDescriptor(handle, 'reading')?.get !== undefined) return true;
  return socket.listeners('close').some(({ name }) => name === HTTP2_LISTENS);
}

function adopt(fd: number): TCPConn | UnixConn {
  const copy = duplicate(fd);
  try {
    return fileConn(copy);
  } catch (error) {
    closeSync(copy);
    throw error;
  }
}

// Only a handle of ours can be duplicated, so the descriptor is one's for a moment.
function duplicate(fd: number): number {
  try {
    const id = native.adoptStream(fd, KIND_UNIX);
    try {
      return native.duplicate(id);
    } finally {
      native.detach(id);
    }
  } catch (error) {
    throw failure(thrownCause(error));
  }
}

function failure(cause: Error): OpError {
  return new OpError('file', 'file+net', null, null, cause);
}

function takeFrom(socket: Socket): Buffer | null {
  return socket.readableLength > 0 ? (socket.read() as Buffer | null) : null;
}

function putBehind(conn: TCPConn | UnixConn, chunk: Buffer): void {
  conn.unread(Buffer.concat([conn.takeUnread(), chunk]));
}
