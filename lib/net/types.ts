// The public face: node:net's types, and what our sockets have besides.

import type * as node from 'node:net';
import type { Deadline } from '../deadline';
import type { TCPInfo } from '../info';
import type { ServerOptions } from './server';
import type { BindOptions } from './server-handle';
import type { SocketConstructorOptions } from './socket-options';

export interface Socket extends node.Socket {
  /**
   * An instant after which reading fails (Go's SetReadDeadline): a socket that reads then is destroyed with
   * an error whose `code` is `ERR_SPLICEWAY_DEADLINE_EXCEEDED` and whose `timeout` is true. What arrived
   * before is delivered. Unlike setTimeout(), it is not put off by traffic.
   * @param deadline a Date, milliseconds since the epoch, or null for none
   */
  setReadDeadline(deadline: Deadline): this;
  /** The same for writes that the kernel has not taken by then, and for later ones. */
  setWriteDeadline(deadline: Deadline): this;
  /** What the kernel knows of a TCP connection; null while there is none, and for other sockets. */
  info(): TCPInfo | null;
  /** The descriptor, so that `stdio: [socket]` gives it to a child process; undefined while there is none. */
  readonly fd: number | undefined;
}

/** What a Socket is made with: as in node:net, and `splice`. */
export type SocketOptions = SocketConstructorOptions;

export interface SocketConstructor {
  new (options?: SocketOptions): Socket;
  (options?: SocketOptions): Socket;
  readonly prototype: Socket;
}

export interface Server extends node.Server {
  listen(port?: number, hostname?: string, backlog?: number, listeningListener?: () => void): this;
  listen(port?: number, hostname?: string, listeningListener?: () => void): this;
  listen(port?: number, backlog?: number, listeningListener?: () => void): this;
  listen(port?: number, listeningListener?: () => void): this;
  listen(path: string, backlog?: number, listeningListener?: () => void): this;
  listen(path: string, listeningListener?: () => void): this;
  listen(options: node.ListenOptions & BindOptions, listeningListener?: () => void): this;
  listen(handle: unknown, backlog?: number, listeningListener?: () => void): this;
  listen(handle: unknown, listeningListener?: () => void): this;
}

export type ConnectionListener = (socket: Socket) => void;

export interface ServerConstructor {
  new (listener?: ConnectionListener): Server;
  new (options?: ServerOptions, listener?: ConnectionListener): Server;
  (listener?: ConnectionListener): Server;
  (options?: ServerOptions, listener?: ConnectionListener): Server;
  readonly prototype: Server;
}

export interface Connect {
  (options: node.NetConnectOpts & SocketOptions, connectionListener?: () => void): Socket;
  (port: number, host?: string, connectionListener?: () => void): Socket;
  (path: string, connectionListener?: () => void): Socket;
}

export interface CreateServer {
  (listener?: ConnectionListener): Server;
  (options?: ServerOptions, listener?: ConnectionListener): Server;
}
