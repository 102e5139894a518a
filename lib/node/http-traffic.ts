// The connections and sessions of an http or http2 server, so that it can be brought to an end: who is
// idle goes at once, and who is busy with the answer.
//
//   http/1   answers say `Connection: close`; closeIdleConnections() knows who waits for none
//   http2    each session is told GOAWAY, and closes after its last stream
//
// Until then nothing is done for a request.

import type { EventEmitter } from 'node:events';
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { inTwoTurns } from './two-turns';

/** What there is of http.Server and of http2's. */
interface HTTPServer extends EventEmitter {
  closeIdleConnections?(): void;
  /** http2's alone. */
  updateSettings?: unknown;
}

interface Session extends EventEmitter {
  close(): void;
}

type Socket = Duplex & {
  readonly bytesRead: number;
  /** The response that is being sent, as http notes it. */
  readonly _httpMessage?: { finished?: boolean } | null;
};

export function isHTTP(server: HTTPServer): boolean {
  return typeof server.closeIdleConnections === 'function' || isHTTP2(server);
}

const isHTTP2 = (server: HTTPServer): boolean => typeof server.updateSettings === 'function';

/** 'request', and what comes instead where somebody listens for it. */
const REQUESTS = ['request', 'checkContinue', 'checkExpectation'];

export class HTTPTraffic {
  /** TLS sockets besides those that they lie on. */
  private readonly sockets = new Set<Socket>();
  private readonly sessions = new Set<Session>();
  /** Responses after which it is looked for idle connections. */
  private readonly followed = new WeakSet<object>();
  private draining = false;
  private sweeping = false;

  constructor(private readonly server: HTTPServer) {
    server.on('secureConnection', (socket: Socket) => this.add(socket));
    server.on('session', (session: Session) => this.addSession(session));
  }

  add(socket: Duplex): void {
    this.sockets.add(socket as Socket);
    socket.once('close', () => this.sockets.delete(socket as Socket));
    if (this.draining) inTwoTurns(() => closeSilent(socket as Socket));
  }

  private addSession(session: Session): void {
    this.sessions.add(session);
    session.once('close', () => this.sessions.delete(session));
    if (this.draining) inTwoTurns(() => session.close());
  }

  /** No listener is left. The server may have a port of its own, or be attached anew. */
  drained(): void {
    this.draining = false;
    for (const event of REQUESTS) this.server.off(event, this.onRequest);
  }

  drain(): void {
    if (this.draining) return;
    this.draining = true;
    // Listening for them unasked would change what a server does with what nobody listens for.
    for (const event of REQUESTS) {
      if (this.server.listenerCount(event) > 0) this.server.prependListener(event, this.onRequest);
    }
    this.followCurrent();
    const sockets = [...this.sockets];
    inTwoTurns(() => {
      if (this.draining) this.closeIdle();
      for (const socket of sockets) closeSilent(socket);
    });
  }

  private readonly onRequest = (_request: IncomingMessage, response: unknown) => this.follow(response);

  private followCurrent(): void {
    for (const socket of this.sockets) this.follow(socket._httpMessage);
  }

  /** Has the connection closed once the response is sent. */
  private follow(response: unknown): void {
    if (!(response instanceof ServerResponse) || this.followed.has(response)) return;
    this.followed.add(response);
    if (!response.headersSent) response.setHeader('Connection', 'close');
    // One that has said keep-alive, or whose client sends on after the answer, is idle in the end.
    response.once('close', this.sweepSoon);
    response.req.once('close', this.sweepSoon);
  }

  private readonly sweepSoon = () => {
    if (this.sweeping) return;
    this.sweeping = true;
    setImmediate(() => {
      this.sweeping = false;
      if (this.draining) this.sweep();
    });
  };

  private sweep(): void {
    this.closeIdleConnections();
    // Of requests that came one behind the other, the next answer has its turn.
    this.followCurrent();
  }

  // To Node an answer that was ended is over, although much of it may wait for a client that is slow to read.
  private closeIdleConnections(): void {
    const waiting = [...this.sockets].flatMap(({ _httpMessage: answer }) => (answer?.finished === true ? answer : []));
    for (const answer of waiting) answer.finished = false;
    this.server.closeIdleConnections?.();
    for (const answer of waiting) answer.finished = true;
  }

  private closeIdle(): void {
    for (const session of this.sessions) session.close();
    this.sweep();
  }
}

// To Node a connection that has yet to send its first request is none of the idle ones.
function closeSilent(socket: Socket): void {
  if (socket.bytesRead === 0) socket.destroy();
}
