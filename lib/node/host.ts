// A server of Node's, as the place that connections are handed to.

import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { HTTPTraffic, isHTTP } from './http-traffic';

/** A server by its event 'connection', and what some have besides. */
export interface SocketServer extends EventEmitter {
  readonly listening?: boolean;
  readonly allowHalfOpen?: boolean;
  readonly pauseOnConnect?: boolean;
  readonly highWaterMark?: number;
  close?(): unknown;
}

interface SocketOptions {
  allowHalfOpen: boolean;
  pauseOnCreate: boolean;
  highWaterMark: number | undefined;
}

const hosts = new WeakMap<SocketServer, Host>();

/** One for each server, however many listeners are attached to it. */
export function hostOf(server: SocketServer): Host {
  const known = hosts.get(server);
  if (known !== undefined) return known;
  const host = new Host(server);
  hosts.set(server, host);
  return host;
}

// What a peer did to a connection is over with that connection.
const ignore = () => {};
const ignoreErrors = (each: EventEmitter) => void each.on('error', ignore);

export class Host {
  private readonly traffic: HTTPTraffic | null;
  private readonly drains: (() => void)[] = [];
  /** By what attach() made of them. */
  private readonly attached = new Set<object>();
  private readonly draining = new Set<object>();

  constructor(private readonly server: SocketServer) {
    this.traffic = isHTTP(server) ? new HTTPTraffic(server) : null;
    server.prependListener('secureConnection', ignoreErrors);
    server.on('session', (session: EventEmitter) => session.prependListener('stream', ignoreErrors));
  }

  /** What a connection's socket is made with, as the server's own would be. */
  get socketOptions(): SocketOptions {
    const { allowHalfOpen = false, pauseOnConnect = false, highWaterMark } = this.server;
    return { allowHalfOpen, pauseOnCreate: pauseOnConnect, highWaterMark };
  }

  /** Called when the server is to come to an end. */
  onDrain(call: () => void): void {
    this.drains.push(call);
  }

  /** One listener more. */
  join(attachment: object): void {
    // From here on http looks after its timeouts.
    if (this.attached.size === 0 && this.traffic !== null && this.server.listening !== true) {
      this.server.emit('listening');
    }
    this.attached.add(attachment);
  }

  give(socket: Duplex): void {
    socket.on('error', ignore);
    this.traffic?.add(socket);
    try {
      this.server.emit('connection', socket);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** A listener stops, and its connections should come to an end. */
  drain(attachment: object): void {
    this.draining.add(attachment);
    if (this.draining.size < this.attached.size) return;
    this.traffic?.drain();
    for (const call of this.drains) call();
  }

  /** A listener is gone, and all its connections are. */
  leave(attachment: object): void {
    this.attached.delete(attachment);
    this.draining.delete(attachment);
    if (this.attached.size > 0) return;
    this.traffic?.drained();
    if (this.server.listening !== true) this.server.close?.();
  }
}
