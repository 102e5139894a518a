// attach(): a listener of ours in front of a server of Node's.

import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Addr } from '../addr';
import { checkDuration, checkFunction, checkObject } from '../check';
import type { Conn } from '../conn';
import type { Listener } from '../listener';
import { type ServeOptions, type Server, type ShutdownResult, serve } from '../serve';
import { SocketConn } from '../stream/socket-conn';
import { beginningOf } from './first-byte';
import { type Host, hostOf, type SocketServer } from './host';
import { toDuplex } from './to-duplex';
import { toNodeSocket } from './to-node-socket';
import { inTwoTurns } from './two-turns';
import { frontOf, isWebSocketServer, type WebSocketServerLike } from './web-sockets';

export type { WebSocketServerLike };

/**
 * A server that takes sockets by its event 'connection': of http, https, http2, tls or net, or one like
 * them; or ws's WebSocketServer, made with `noServer: true` or on one of these.
 */
export type Attachable = EventEmitter | WebSocketServerLike;

/** Two servers on one port. */
export interface PlainAndTLS {
  /** Gets connections that begin with anything else. */
  plain: Attachable;
  /** Gets connections that begin with a TLS handshake: an https, tls or http2 secure server. */
  tls: Attachable;
}

export interface AttachOptions<C extends Conn = Conn> extends ServeOptions<C> {
  /**
   * How long a connection may take for its first byte, in milliseconds, where that is looked at: with
   * `plain` and `tls`, and behind a PROXY listener. Then it is closed. Default 10000; 0: for ever.
   */
  firstByteTimeout?: number | undefined;
}

/** A listener in front of a server; see {@link attach}. */
export interface Attached extends AsyncDisposable {
  /** The address it listens on. */
  readonly addr: Addr;
  /** How many connections are open. */
  readonly connections: number;
  /** Aborted when shutdown() or close() begins: for what the server does besides HTTP. */
  readonly signal: AbortSignal;
  /**
   * Stops listening, and closes idle connections at once: those that have sent nothing yet, and those whose last
   * request was answered. HTTP/2 sessions are told GOAWAY, WebSockets of a WebSocketServer that is
   * attached are closed with 1001. Those that are busy end with their answer; what is open after `timeout`
   * milliseconds (default 5000) is destroyed.
   */
  shutdown(options?: { timeout?: number | undefined }): Promise<ShutdownResult>;
  /** Stops listening and destroys all connections. True for the call that closed the listener. */
  close(): boolean;
  /** shutdown() */
  [Symbol.asyncDispose](): Promise<void>;
}

const FIRST_BYTE_TIMEOUT = 10_000;

/**
 * Puts a listener in front of a server of Node's, in place of the server's own listen(): what limits the
 * listener has, PROXY headers that it reads and `reusePort` hold for the server. Each connection is handed
 * over by {@link toNodeSocket}, or, where the listener's connections are no sockets, as a {@link toDuplex}.
 *
 * The server is attached like one that listens, but for `listening` and `address()`. An http or http2 server emits
 * 'listening', from which on its timeouts for headers and requests run; any server's close() is called once nothing is
 * attached to it. One server can be attached to several listeners; it is drained when the last shuts down.
 *
 * What a peer does to a connection ends that connection only: an 'error' that nobody listens for is
 * dropped. A handler of 'connection' that throws is told to `onError`, and its connection destroyed.
 * @throws TypeError or RangeError for arguments that cannot be; OpError `ERR_SPLICEWAY_BUSY` where somebody
 *   else accepts from the listener
 */
export function attach<C extends Conn>(
  listener: Listener<C>,
  server: Attachable | PlainAndTLS,
  options: AttachOptions<C> = {},
): Attached {
  checkObject('listener', listener);
  checkObject('server', server);
  checkObject('options', options);
  const { firstByteTimeout = FIRST_BYTE_TIMEOUT } = options;
  checkDuration('options.firstByteTimeout', firstByteTimeout);
  return new Attachment(listener, routesOf(server), firstByteTimeout, options);
}

/** Where connections go; one Host in both places where nothing is looked at. */
interface Routes {
  readonly plain: Host;
  readonly tls: Host;
}

function routesOf(server: Attachable | PlainAndTLS): Routes {
  if ('plain' in server && 'tls' in server) {
    return { plain: hostFor('server.plain', server.plain), tls: hostFor('server.tls', server.tls) };
  }
  const host = hostFor('server', server as Attachable);
  return { plain: host, tls: host };
}

function hostFor(name: string, server: Attachable): Host {
  checkObject(name, server);
  if (isWebSocketServer(server)) return hostOf(frontOf(server));
  checkFunction(`${name}.emit`, (server as Partial<EventEmitter>).emit);
  return hostOf(server as SocketServer);
}

class Attachment<C extends Conn> implements Attached {
  private readonly serving: Server;
  /** Connections whose beginning is awaited. */
  private readonly looking = new Set<C>();
  private readonly hosts: Set<Host>;
  private left = false;

  constructor(
    private readonly listener: Listener<C>,
    private readonly routes: Routes,
    private readonly firstByteTimeout: number,
    options: ServeOptions<C>,
  ) {
    this.hosts = new Set([routes.plain, routes.tls]);
    for (const host of this.hosts) host.join(this);
    try {
      this.serving = serve(listener, (conn) => this.take(conn), options);
    } catch (error) {
      this.leave();
      throw error;
    }
    if (this.signal.aborted) this.stop();
    else this.signal.addEventListener('abort', () => this.stop(), { once: true });
  }

  get addr(): Addr {
    return this.listener.addr;
  }

  get connections(): number {
    return this.serving.connections;
  }

  get signal(): AbortSignal {
    return this.serving.signal;
  }

  private take(conn: C): Promise<void> | undefined {
    const { plain, tls } = this.routes;
    if (plain === tls && !isGuarded(conn)) return this.hand(conn, plain);
    return this.look(conn);
  }

  // A client that has nothing to say yet is kept waiting for no longer than a server would.
  private async look(conn: C): Promise<void> {
    this.looking.add(conn);
    const beginning = await beginningOf(conn, this.firstByteTimeout);
    this.looking.delete(conn);
    if (beginning === null) conn.close();
    else await this.hand(conn, beginning.isTLS ? this.routes.tls : this.routes.plain, beginning.taken);
  }

  private hand(conn: C, host: Host, taken: Buffer | null = null): Promise<void> | undefined {
    if (conn instanceof SocketConn && conn.net !== 'unixpacket') {
      host.give(toNodeSocket(conn, host.socketOptions));
      return undefined;
    }
    const { allowHalfOpen, highWaterMark } = host.socketOptions;
    const stream = toDuplex(conn, { allowHalfOpen, highWaterMark });
    if (taken !== null) stream.unshift(taken);
    host.give(stream);
    return closed(stream);
  }

  private stop(): void {
    inTwoTurns(() => {
      for (const conn of this.looking) conn.close();
    });
    for (const host of this.hosts) host.drain(this);
  }

  async shutdown(options?: { timeout?: number | undefined }): Promise<ShutdownResult> {
    const result = await this.serving.shutdown(options);
    this.leave();
    return result;
  }

  close(): boolean {
    const closed = this.serving.close();
    this.leave();
    return closed;
  }

  private leave(): void {
    if (this.left) return;
    this.left = true;
    for (const host of this.hosts) host.leave(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

// Its listener looks at what it begins with, which whoever has the descriptor would not.
function isGuarded(conn: Conn): boolean {
  return conn instanceof SocketConn && conn.guard !== null;
}

// serve() counts a connection of another make until its handler is done.
function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => stream.once('close', () => resolve()));
}
