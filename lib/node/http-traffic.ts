// The requests and sessions of an http or http2 server, so that it can be brought to an end: who is idle
// goes at once, and who is busy with the answer.
//
//   http/1   the last answer of each connection is known; closeIdleConnections() knows who has none
//   http2    each session is told GOAWAY, and closes after its last stream

import type { EventEmitter } from 'node:events';
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** What there is of http.Server and of http2's. */
interface HTTPServer extends EventEmitter {
  closeIdleConnections?(): void;
  /** http2's alone. */
  updateSettings?: unknown;
}

interface Session extends EventEmitter {
  close(): void;
}

type Socket = Duplex & { readonly bytesRead: number };

export function isHTTP(server: HTTPServer): boolean {
  return typeof server.closeIdleConnections === 'function' || isHTTP2(server);
}

const isHTTP2 = (server: HTTPServer): boolean => typeof server.updateSettings === 'function';

/** Instead of 'request', where somebody listens for it. */
const INSTEAD = ['checkContinue', 'checkExpectation'];

export class HTTPTraffic {
  /** The last response of each connection, TLS sockets besides those that they lie on. */
  private readonly responses = new Map<Socket, ServerResponse | null>();
  private readonly sessions = new Set<Session>();
  private draining = false;
  private sweeping = false;

  constructor(private readonly server: HTTPServer) {
    // http2 makes requests of streams only for those who listen for them.
    if (!isHTTP2(server) || server.listenerCount('request') > 0) server.prependListener('request', this.onRequest);
    for (const event of INSTEAD) if (server.listenerCount(event) > 0) server.prependListener(event, this.onRequest);
    server.on('secureConnection', (socket: Socket) => this.add(socket));
    server.on('session', (session: Session) => this.addSession(session));
  }

  begin(): void {
    this.draining = false;
  }

  add(socket: Duplex): void {
    this.responses.set(socket as Socket, null);
    socket.once('close', () => this.responses.delete(socket as Socket));
  }

  private addSession(session: Session): void {
    this.sessions.add(session);
    session.once('close', () => this.sessions.delete(session));
    if (this.draining) inTwoTurns(() => session.close());
  }

  private readonly onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const socket = request.socket as Socket;
    if (!(response instanceof ServerResponse) || !this.responses.has(socket)) return;
    this.responses.set(socket, response);
    if (this.draining) this.closeAfter(response);
  };

  drain(): void {
    if (this.draining) return;
    this.draining = true;
    for (const response of this.responses.values()) if (response !== null) this.closeAfter(response);
    // What was sent in time, and is not read yet, is still answered.
    inTwoTurns(() => this.closeIdle());
  }

  private closeAfter(response: ServerResponse): void {
    if (response.writableFinished) return;
    if (!response.headersSent) response.setHeader('Connection', 'close');
    // One that has said keep-alive, or lets a client send on after the answer.
    response.once('close', () => this.sweep());
    response.req.once('close', () => this.sweep());
  }

  private sweep(): void {
    if (this.sweeping) return;
    this.sweeping = true;
    setImmediate(() => {
      this.sweeping = false;
      this.server.closeIdleConnections?.();
    });
  }

  private closeIdle(): void {
    for (const session of this.sessions) session.close();
    this.server.closeIdleConnections?.();
    // To Node a connection that has yet to send its first request is none of the idle ones.
    for (const socket of this.responses.keys()) if (socket.bytesRead === 0) socket.destroy();
  }
}

/** Once the event loop has looked at every socket. */
function inTwoTurns(call: () => void): void {
  setImmediate(() => setImmediate(call));
}
