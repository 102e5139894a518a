// toNodeSocket(): the descriptor of a connection in a real net.Socket.

import { closeSync } from 'node:fs';
import { Socket, type SocketConstructorOpts } from 'node:net';
import { checkBoolean, checkInteger, checkObject } from '../check';
import type { Conn } from '../conn';
import { invalidType, invalidValue } from '../errors';
import { SocketConn } from '../stream/socket-conn';
import { type AddressInfo, infoOf } from './address';

export interface ToNodeSocketOptions {
  /** Whether writing goes on after the peer's end of the stream, until end() is called. Default false. */
  allowHalfOpen?: boolean | undefined;
  /** Nothing is read until resume() is called. Default false. */
  pauseOnCreate?: boolean | undefined;
  /** How many bytes the socket buffers each way before it holds back, 0 to 2^31 - 1. Default: that of streams. */
  highWaterMark?: number | undefined;
}

/** What Node's constructor takes besides what its types tell. */
interface HiddenOptions extends SocketConstructorOpts {
  pauseOnCreate?: boolean | undefined;
  readableHighWaterMark?: number | undefined;
  writableHighWaterMark?: number | undefined;
}

/**
 * Hands a connection over to node:net: its descriptor goes into a real `net.Socket`, with what unread()
 * has put back as its first bytes. All that runs on Node's sockets runs on it, as fast as on its own.
 *
 * The Conn is closed thereby, and its deadlines are gone; a limit or a Server that counts it goes on
 * counting until the socket has closed, and Server.close() destroys the socket. Where a PROXY header told
 * of somebody, the socket's addresses are those of the header.
 * @param conn over TCP or a Unix socket of bytes, on which no call waits
 * @throws OpError `op: 'detach'`: `ERR_SPLICEWAY_BUSY` while a call waits, after handle(), and while a relay
 *   or a shutdown() is under way; closed
 * @throws TypeError for a connection that has no descriptor of its own, such as an end of pipe(): those
 *   are for {@link toDuplex}
 */
export function toNodeSocket(conn: Conn, options: ToNodeSocketOptions = {}): Socket {
  checkConn(conn);
  checkOptions(options);
  // Asked for now: the Conn is closed in a moment.
  const ends = conn.proxyHeader === null ? null : { peer: infoOf(conn.remoteAddr), local: infoOf(conn.localAddr) };
  const socket = handOver(conn, options);
  if (ends !== null) giveAddresses(socket, ends.peer, ends.local);
  return socket;
}

function checkConn(conn: unknown): asserts conn is SocketConn {
  if (!(conn instanceof SocketConn)) {
    throw invalidType('conn', 'an instance of TCPConn or UnixConn (toDuplex() takes any other Conn)', conn);
  }
  if (conn.net === 'unixpacket') {
    throw invalidValue('conn', 'carries packets, which node:net does not know (toDuplex() takes it)', conn);
  }
}

function checkOptions(options: ToNodeSocketOptions): void {
  checkObject('options', options);
  const { allowHalfOpen, pauseOnCreate, highWaterMark } = options;
  if (allowHalfOpen !== undefined) checkBoolean('options.allowHalfOpen', allowHalfOpen);
  if (pauseOnCreate !== undefined) checkBoolean('options.pauseOnCreate', pauseOnCreate);
  if (highWaterMark !== undefined) checkInteger('options.highWaterMark', highWaterMark, 0, 2 ** 31 - 1);
}

function handOver(conn: SocketConn, options: ToNodeSocketOptions): Socket {
  const { handleRef } = conn;
  const heir = { close: (): void => void socket.destroy() };
  const { fd, front } = conn.bequeath(heir);
  const socket = openOr(fd, options, () => handleRef.heirClosed());
  if (front !== null) socket.unshift(front);
  return socket.once('close', () => handleRef.heirClosed());
}

function openOr(fd: number, options: ToNodeSocketOptions, failed: () => void): Socket {
  try {
    return open(fd, options);
  } catch (error) {
    closeSync(fd);
    failed();
    throw error;
  }
}

function open(fd: number, { allowHalfOpen, pauseOnCreate, highWaterMark }: ToNodeSocketOptions): Socket {
  const options: HiddenOptions = {
    fd,
    readable: true,
    writable: true,
    allowHalfOpen,
    pauseOnCreate,
    readableHighWaterMark: highWaterMark,
    writableHighWaterMark: highWaterMark,
  };
  return new Socket(options);
}

type Ask = (out: Partial<AddressInfo>) => number;

// In the handle, which is what everybody asks: the socket, and a TLSSocket that lies on it.
function giveAddresses(socket: Socket, peer: Partial<AddressInfo>, local: Partial<AddressInfo>): void {
  const { _handle: handle } = socket as unknown as { _handle: { getpeername: Ask; getsockname: Ask } };
  const answering = (info: Partial<AddressInfo>) => (out: Partial<AddressInfo>) => {
    Object.assign(out, info);
    return 0;
  };
  handle.getpeername = answering(peer);
  handle.getsockname = answering(local);
}
