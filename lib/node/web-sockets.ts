// ws's WebSocketServer, which takes requests to upgrade and no connections.

import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { hostOf, type SocketServer } from './host';

interface ClientLike {
  close(code?: number, reason?: string): void;
  on(event: 'error', listener: () => void): unknown;
}

/** What is asked of a WebSocketServer. */
export interface WebSocketServerLike {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, callback: (client: never) => void): void;
  emit(event: 'connection', client: never, request: IncomingMessage): boolean;
  readonly clients: Set<unknown>;
  readonly options?: { server?: unknown };
}

export function isWebSocketServer(server: object): server is WebSocketServerLike {
  return typeof (server as Partial<WebSocketServerLike>).handleUpgrade === 'function';
}

/** RFC 6455: the endpoint is going away. */
const GOING_AWAY = 1001;
const UPGRADE_REQUIRED = 426;

const fronts = new WeakMap<WebSocketServerLike, SocketServer>();

/** The http server that a WebSocketServer is on; one of its own where it was made without. */
export function frontOf(sockets: WebSocketServerLike): SocketServer {
  const known = fronts.get(sockets);
  if (known !== undefined) return known;
  const front = (sockets.options?.server ?? makeFront(sockets)) as SocketServer;
  hostOf(front).onDrain(() => {
    for (const client of sockets.clients as Set<ClientLike>) client.close(GOING_AWAY);
  });
  fronts.set(sockets, front);
  return front;
}

function makeFront(sockets: WebSocketServerLike): SocketServer {
  const front = createServer((_request, response) => {
    response.writeHead(UPGRADE_REQUIRED, { Connection: 'Upgrade', Upgrade: 'websocket' }).end();
  });
  return front.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.handleUpgrade(request, socket, head, (client) => {
      // What a peer does against the protocol is told so, and closes its connection.
      (client as ClientLike).on('error', () => {});
      sockets.emit('connection', client, request);
    });
  });
}
