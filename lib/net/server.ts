// Server: connections of a ServerHandle as Sockets, with the properties, methods and events of
// node:net's. How it comes to listen is in listen.ts.

import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import * as node from 'node:net';
import { getDefaultHighWaterMark } from 'node:stream';
import { promisify } from 'node:util';
import type { AddressInfo } from './address';
import { constructs, countsAlso, enumerateAs } from './callable';
import { errnoException, invalidType, notRunning } from './errors';
import { kBlockList, kKeepAlive, kKeepAliveDelay, kNoDelay, kOnAcceptError, kOnConnection, kSplice } from './internals';
import { listenOn } from './listen';
import { type Listening, NOTHING } from './server-handle';
import { Socket } from './socket';
import { AcceptedOptions } from './socket-options';
import type { StreamHandle } from './stream-handle';
import { keepAliveDelay, validateNumber } from './validate';

/** As node:net's. */
export interface ServerOptions {
  allowHalfOpen?: boolean | undefined;
  /** Connections come paused. */
  pauseOnConnect?: boolean | undefined;
  noDelay?: boolean | undefined;
  keepAlive?: boolean | undefined;
  /** Milliseconds of quiet before the first probe. */
  keepAliveInitialDelay?: number | undefined;
  /** Bytes that a connection's streams hold each way. Default: that of streams. */
  highWaterMark?: number | undefined;
  /** Whether pipe() between its connections and other sockets moves the bytes in the kernel. Default true. */
  splice?: boolean | undefined;
  /** Peers that are dropped. */
  blockList?: node.BlockList | undefined;
}

/** What 'drop' tells of a connection; nothing of a Unix one. */
export interface DropArgument {
  localAddress?: string;
  localPort?: number;
  localFamily?: string;
  remoteAddress?: string;
  remotePort?: number;
  remoteFamily?: string;
}

const serverSockets = channel('net.server.socket');

class ServerMethods extends EventEmitter {
  declare allowHalfOpen: boolean;
  declare pauseOnConnect: boolean;
  declare noDelay: boolean;
  declare keepAlive: boolean;
  declare keepAliveInitialDelay: number;
  declare highWaterMark: number;
  declare maxConnections: number | undefined;
  declare dropMaxConnection: boolean | undefined;
  /** @internal */
  declare _handle: Listening | null;
  /** @internal */
  declare _connections: number;
  /** @internal */
  declare _unref: boolean;
  /** @internal Of the listen() that counts: a lookup of an earlier one is stale. */
  declare _listeningId: number;
  /** @internal */
  declare _pipeName: string | undefined;
  /** @internal */
  declare _connectionKey: string | undefined;
  /** @internal */
  declare [kSplice]: boolean;
  /** @internal */
  declare [kBlockList]: node.BlockList | undefined;

  listen(...args: unknown[]): this {
    listenOn(this, args);
    return this;
  }

  get listening(): boolean {
    return this._handle !== null;
  }

  /** Null while it does not listen; of a Unix socket the path. */
  address(): AddressInfo | string | null {
    const { _handle } = this;
    if (_handle?.isTCP === true) return _handle.getsockname();
    return this._pipeName ?? null;
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this._connections);
    return this;
  }

  close(callback?: (error?: Error) => void): this {
    this._listeningId++;
    const { _handle } = this;
    if (typeof callback === 'function') {
      if (_handle === null) this.once('close', () => callback(notRunning()));
      else this.once('close', callback);
    }
    this._handle = null;
    _handle?.close();
    this._emitCloseIfDrained();
    return this;
  }

  /** @internal */
  _emitCloseIfDrained(): void {
    if (this._handle === null && this._connections === 0) process.nextTick(() => this.emit('close'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this._handle !== null) await promisify(this.close).call(this);
  }

  ref(): this {
    this._unref = false;
    this._handle?.ref();
    return this;
  }

  unref(): this {
    this._unref = true;
    this._handle?.unref();
    return this;
  }

  /** @internal */
  [EventEmitter.captureRejectionSymbol as unknown as 'captured'](error: Error, event: string, socket: Socket): void {
    if (event === 'connection') socket.destroy(error);
    else this.emit('error', error);
  }

  /** @internal From the handle. */
  [kOnConnection](handle: StreamHandle): void {
    if (refuses(this, handle)) return drop(this, handle);
    const socket = new Socket(
      new AcceptedOptions(handle, this.allowHalfOpen, this.pauseOnConnect, this.highWaterMark) as object,
    );
    socket[kSplice] = this[kSplice];
    if (handle.isTCP) applyOptions(this, socket, handle);
    this._connections++;
    socket.server = socket._server = this;
    this.emit('connection', socket);
    if (serverSockets.hasSubscribers) serverSockets.publish({ socket });
  }

  /** @internal From the handle. */
  [kOnAcceptError](status: number): void {
    this.emit('error', errnoException(status, 'accept'));
  }
}

function refuses(self: ServerMethods, handle: StreamHandle): boolean {
  if (self.maxConnections && self._connections >= self.maxConnections) return true;
  if (self[kBlockList] === undefined) return false;
  const peer = handle.getpeername();
  return peer !== null && self[kBlockList].check(peer.address, peer.family === 'IPv6' ? 'ipv6' : 'ipv4');
}

function drop(self: ServerMethods, handle: StreamHandle): void {
  if (handle.isTCP) self.emit('drop', ends(handle));
  else self.emit('drop');
  handle.close();
}

function applyOptions(self: ServerMethods, socket: Socket, handle: StreamHandle): void {
  const { noDelay, keepAlive, keepAliveInitialDelay } = self;
  const inherited = self._handle?.inherited ?? NOTHING;
  socket[kNoDelay] = noDelay;
  socket[kKeepAlive] = keepAlive;
  socket[kKeepAliveDelay] = keepAlive ? keepAliveInitialDelay : 0;
  if (noDelay !== inherited.noDelay) handle.setNoDelay(noDelay);
  if (keepAlive !== inherited.keepAlive || (keepAlive && keepAliveInitialDelay !== inherited.keepAliveInitialDelay)) {
    handle.setKeepAlive(keepAlive, keepAliveInitialDelay);
  }
}

enumerateAs(ServerMethods.prototype, node.Server.prototype);

function ends(handle: StreamHandle): DropArgument {
  const local = handle.getsockname();
  const remote = handle.getpeername();
  return {
    localAddress: local?.address,
    localPort: local?.port,
    localFamily: local?.family,
    remoteAddress: remote?.address,
    remotePort: remote?.port,
    remoteFamily: remote?.family,
  } as DropArgument;
}

const constructEmitter = EventEmitter as unknown as (this: EventEmitter) => void;

function initialize(self: ServerMethods, given: unknown, listener: unknown): void {
  constructEmitter.call(self);
  const options = optionsOf(self, given, listener);
  keepAliveDelay(options);
  const { highWaterMark } = options;
  if (highWaterMark !== undefined) validateNumber(highWaterMark, 'options.highWaterMark');
  self._connections = 0;
  self._handle = null;
  self._unref = false;
  self._listeningId = 1;
  self.allowHalfOpen = options.allowHalfOpen || false;
  self.pauseOnConnect = Boolean(options.pauseOnConnect);
  self.noDelay = Boolean(options.noDelay);
  self.keepAlive = Boolean(options.keepAlive);
  self.keepAliveInitialDelay = Math.trunc((options.keepAliveInitialDelay ?? 0) / 1000) | 0;
  self.highWaterMark =
    highWaterMark === undefined || highWaterMark < 0 ? getDefaultHighWaterMark(false) : highWaterMark;
  self[kSplice] = options.splice !== false;
  self[kBlockList] = options.blockList;
}

function optionsOf(self: ServerMethods, given: unknown, listener: unknown): ServerOptions {
  if (typeof given === 'function') {
    self.on('connection', given as () => void);
    return {};
  }
  if (given != null && typeof given !== 'object') throw invalidType('options', 'of type object', given);
  if (typeof listener === 'function') self.on('connection', listener as () => void);
  return { ...given };
}

export type Server = ServerMethods;
export const Server = constructs(
  function Server(
    this: ServerMethods,
    options?: ServerOptions | ((socket: Socket) => void),
    listener?: (socket: Socket) => void,
  ): ServerMethods | undefined {
    if (!(this instanceof ServerMethods)) return new ServerClass(options, listener);
    initialize(this, options, listener);
    return undefined;
  },
  ServerMethods as unknown as { prototype: ServerMethods },
  EventEmitter,
);
const ServerClass = Server;
countsAlso(Server, node.Server);
