// listen(): from its several arguments to a handle that listens.

import { tracingChannel } from 'node:diagnostics_channel';
import * as dns from 'node:dns';
import { addAbortListener } from 'node:events';
import type { Family } from './address';
import { adoptServer } from './adopt';
import { isPipeName, normalizeArgs, toNumber } from './arguments';
import { askPrimary, type Query, sharesListening } from './cluster-handle';
import { alreadyListening, errnoException, exceptionWithHostPort, invalidValue, listenException } from './errors';
import { kOnAcceptError, kOnConnection } from './internals';
import type { Server } from './server';
import { type BindOptions, type Listening, ServerHandle } from './server-handle';
import { EADDRINUSE } from './status';
import { validatePort, validateSignal } from './validate';

/** As node:net's. */
export interface ListenOptions extends BindOptions {
  port?: number | string | undefined;
  host?: string | undefined;
  path?: string | undefined;
  /** A descriptor that listens. */
  fd?: number | undefined;
  /** A server's handle. */
  handle?: object | undefined;
  /** Connections that may queue. Default 511. */
  backlog?: number | undefined;
  /** In a cluster's worker: do not share the port with the others. Default false. */
  exclusive?: boolean | undefined;
  /** Lets everybody read from the Unix socket's file. */
  readableAll?: boolean | undefined;
  writableAll?: boolean | undefined;
  /** Closes the server. */
  signal?: AbortSignal | undefined;
}

type ListenTrace = { server: Server; options?: object; error?: Error };
const tracing = tracingChannel<unknown, ListenTrace>('net.server.listen');

const DEFAULT_BACKLOG = 511;

export function listenOn(server: Server, args: readonly unknown[]): void {
  const [given, callback] = normalizeArgs<ListenOptions & { _handle?: object }>(args);
  if (server._handle !== null) throw alreadyListening();
  if (tracing.hasSubscribers) tracing.asyncStart.publish({ server, options: given });
  if (callback !== null) server.once('listening', callback);
  const backlog = (args.length > 1 && toNumber(args[1])) || (args.length > 2 && toNumber(args[2])) || 0;
  const options = (given._handle ?? given.handle ?? given) as ListenOptions;
  server._listeningId++;
  if (options instanceof ServerHandle) return listenWith(server, options, backlog, { address: null, port: -1 });
  closeOnAbort(server, options);
  if (typeof options.fd === 'number' && options.fd >= 0) return listenOnFd(server, options.fd, backlog);
  if (wantsAnyPort(args, options)) options.port = 0;
  listenAt(server, options, options.backlog || backlog);
}

// listen(), listen(null), listen(callback), and a port that is there and says nothing.
function wantsAnyPort(args: readonly unknown[], options: ListenOptions): boolean {
  if (args.length === 0 || typeof args[0] === 'function') return true;
  return options.port === null || (options.port === undefined && 'port' in options);
}

function closeOnAbort(server: Server, { signal }: ListenOptions): void {
  if (signal === undefined) return;
  validateSignal(signal, 'options.signal');
  const onAborted = () => void server.close();
  if (signal.aborted) return process.nextTick(onAborted);
  const listener = addAbortListener(signal, onAborted);
  server.once('close', () => listener[Symbol.dispose]());
}

function listenAt(server: Server, options: ListenOptions, backlog: number): void {
  const { port, host, path } = options;
  if (typeof port === 'number' || typeof port === 'string') {
    validatePort(port, 'options.port');
    if (host) lookupAndListen(server, Number(port) | 0, host, options, backlog);
    else listenAnywhere(server, Number(port) | 0, options, backlog);
  } else if (path && isPipeName(path)) {
    listenOnPath(server, path, options, backlog);
  } else if (!('port' in options || 'path' in options)) {
    throw invalidValue('options', options, 'must have the property "port" or "path"');
  } else {
    throw invalidValue('options', options);
  }
}

function lookupAndListen(server: Server, port: number, host: string, options: ListenOptions, backlog: number): void {
  const listeningId = server._listeningId;
  dns.lookup(host, (error, address, family) => {
    if (listeningId !== server._listeningId) return;
    if (error) server.emit('error', error);
    else listenOnAddress(server, { address, port }, (address ? family : 4) as Family, options, backlog);
  });
}

/** What a server listens on, as its errors name it. */
interface Place {
  address: string | null;
  port: number | null;
}

// Both families on one socket, and IPv4 alone where there is no IPv6.
function listenAnywhere(server: Server, port: number, options: ListenOptions, backlog: number): void {
  if (sharesWithOthers(options)) return listenThroughPrimary(server, { address: null, port, addressType: 4 }, backlog);
  const handle = new ServerHandle(true, 6);
  const status = handle.bindTo('::', port, 6, { reusePort: options.reusePort });
  if (status === 0) return listenWith(server, handle, backlog, { address: '::', port });
  handle.close();
  if (status === EADDRINUSE) return fail(server, status, { address: '::', port });
  listenOnAddress(server, { address: '0.0.0.0', port }, 4, options, backlog);
}

function listenOnAddress(server: Server, place: Place, family: Family, options: ListenOptions, backlog: number): void {
  if (sharesWithOthers(options)) {
    const flags = options.ipv6Only === true ? IPV6_ONLY : 0;
    return listenThroughPrimary(server, { ...place, addressType: family, flags }, backlog);
  }
  const handle = new ServerHandle(true, family);
  const status = handle.bindTo(place.address as string, place.port ?? 0, family, options);
  if (status === 0) return listenWith(server, handle, backlog, place);
  handle.close();
  fail(server, status, place);
}

function listenOnPath(server: Server, path: string, options: ListenOptions, backlog: number): void {
  const { readableAll, writableAll } = options;
  if (path.startsWith('\0') && (readableAll || writableAll)) {
    const reason = 'can not set readableAll or writableAllt to true when path is abstract unix socket';
    throw invalidValue('options', options, reason);
  }
  server._pipeName = path;
  if (sharesWithOthers(options)) {
    return listenThroughPrimary(server, { address: path, port: -1, addressType: -1 }, backlog);
  }
  const handle = new ServerHandle(false, 0);
  const place = { address: path, port: -1 };
  const status = handle.bindPath(path);
  if (status < 0) {
    handle.close();
    return fail(server, status, place);
  }
  listenWith(server, handle, backlog, place);
  if (server._handle === null || (readableAll !== true && writableAll !== true)) return;
  const refused = handle.allow(readableAll === true, writableAll === true);
  if (refused === 0) return;
  server._handle = null;
  handle.close();
  throw errnoException(refused, 'uv_pipe_chmod');
}

function listenOnFd(server: Server, fd: number, backlog: number): void {
  const place = { address: null, port: null };
  if (sharesListening) return listenThroughPrimary(server, { ...place, addressType: null, fd }, backlog);
  const handle = adoptServer(fd);
  if (typeof handle === 'number') fail(server, handle, place);
  else listenWith(server, handle, backlog, place);
}

// The flag of libuv's bind, which the primary passes on.
const IPV6_ONLY = 1;

function sharesWithOthers({ exclusive, reusePort }: ListenOptions): boolean {
  return sharesListening && !exclusive && reusePort !== true;
}

function listenThroughPrimary(server: Server, query: Query, backlog: number): void {
  const listeningId = server._listeningId;
  const { address, port } = query;
  askPrimary(server, query, (handle) => {
    const status = typeof handle === 'number' ? handle : wrongPort(handle, port);
    if (status < 0) {
      server.emit('error', exceptionWithHostPort(status, 'bind', address ?? undefined, port ?? undefined));
    } else if (typeof handle !== 'number') {
      if (listeningId === server._listeningId) listenWith(server, handle, backlog, { address, port });
      else handle.close();
    }
  });
}

// Some systems give another port where a bind failed, and nobody has looked.
function wrongPort(handle: Listening, port: number | null): number {
  const actual = handle.getsockname()?.port;
  return port !== null && port > 0 && actual !== undefined && actual !== port ? EADDRINUSE : 0;
}

/** A handle that is bound, for listen({ handle }); or a negative errno. */
export function createServerHandle(
  address: string | null,
  port: number,
  addressType: number,
  fd?: number,
): ServerHandle | number {
  if (typeof fd === 'number' && fd >= 0) return adoptServer(fd);
  const isPath = port === -1 && addressType === -1;
  const family = address === null || address.includes(':') ? 6 : 4;
  const handle = new ServerHandle(!isPath, isPath ? 0 : family);
  const status = isPath ? handle.bindPath(address as string) : handle.bindTo(address ?? '::', port, family, {});
  if (status === 0) return handle;
  handle.close();
  return status;
}

function listenWith(server: Server, handle: Listening, backlog: number, place: Place): void {
  handle.giveOptions(server);
  handle.owner = server;
  handle.onconnection = (connection) => server[kOnConnection](connection);
  handle.onerror = (status) => server[kOnAcceptError](status);
  const status = handle.listen(backlog || DEFAULT_BACKLOG);
  if (status < 0) {
    handle.close();
    return fail(server, status, place);
  }
  server._handle = handle;
  if (tracing.hasSubscribers) tracing.asyncEnd.publish({ server });
  server._connectionKey = `${handle.isTCP ? (place.address?.includes(':') ? 6 : 4) : -1}:${place.address}:${place.port}`;
  if (server._unref) server.unref();
  handle.runInAsyncScope(() => {
    process.nextTick(() => {
      if (server._handle !== null) server.emit('listening');
    });
  });
}

function fail(server: Server, status: number, { address, port }: Place): void {
  const error = listenException(status, address, port);
  if (tracing.hasSubscribers) tracing.error.publish({ server, error });
  process.nextTick(() => server.emit('error', error));
}
