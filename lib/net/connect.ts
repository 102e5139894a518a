// connect(): the options, the name's lookup, and a connect to one address. Several addresses are the
// business of attempts.ts.

import * as dns from 'node:dns';
import { type BlockList, isIP } from 'node:net';
import type { Family } from './address';
import { Attempts } from './attempts';
import { attemptTimeoutOf, autoSelectFamilyOf } from './defaults';
import {
  exceptionWithHostPort,
  invalidAddressFamily,
  invalidIpAddress,
  invalidType,
  ipBlocked,
  type SystemError,
} from './errors';
import type { Handle } from './handle';
import { kDeadlines, kKeepAlive, kKeepAliveDelay, kNoDelay, kTakeHandle } from './internals';
import { type ConnectEntry, connectEntry } from './perf';
import type { Socket } from './socket';
import { EINVAL } from './status';
import { StreamHandle } from './stream-handle';
import { validateFunction, validateNumber, validatePort, validateString } from './validate';

type LookupCallback = (error: Error | null, address: unknown, family?: unknown) => void;
export type LookupFunction = (hostname: string, options: dns.LookupOptions, callback: LookupCallback) => void;

/** As node:net's. */
export interface ConnectOptions {
  port?: number | string | undefined;
  host?: string | undefined;
  /** Of a Unix socket; one that begins with NUL is in Linux's abstract namespace. */
  path?: string | undefined;
  localAddress?: string | undefined;
  localPort?: number | undefined;
  family?: number | 'IPv4' | 'IPv6' | undefined;
  hints?: number | undefined;
  lookup?: LookupFunction | undefined;
  autoSelectFamily?: boolean | undefined;
  /** Milliseconds. */
  autoSelectFamilyAttemptTimeout?: number | undefined;
  /** Addresses that are not to be connected to. */
  blockList?: BlockList | undefined;
}

/** Where a connect goes to, and where from. */
export interface Target {
  address: string;
  port: number;
  family: Family;
  localAddress?: string | undefined;
  localPort?: number | undefined;
}

export function connectTo(socket: Socket, options: ConnectOptions): void {
  const { path } = options;
  if (socket.destroyed) socket._handle = socket._peername = socket._sockname = null;
  if (socket._handle === null) socket[kTakeHandle](new StreamHandle(!path, 0));
  socket._unrefTimer();
  socket.connecting = true;
  if (!path) return lookupAndConnect(socket, options);
  validateString(path, 'options.path');
  connectPath(socket, path);
}

function connectPath(socket: Socket, path: string): void {
  socket.emit('connectionAttempt', path, undefined, undefined);
  const status = (socket._handle as Handle).connectPath(path, (outcome) => {
    if (socket.destroyed) return;
    if (outcome === 0) connected(socket);
    else failed(socket, exceptionWithHostPort(outcome, 'connect', path), path);
  });
  if (status < 0) socket.destroy(exceptionWithHostPort(status, 'connect', path));
}

function lookupAndConnect(socket: Socket, options: ConnectOptions): void {
  const host = options.host || 'localhost';
  const target = checkedTarget(options);
  const autoSelects = autoSelectFamilyOf(options.autoSelectFamily);
  const timeout = attemptTimeoutOf(options.autoSelectFamilyAttemptTimeout);
  const family = isIP(host);
  if (family !== 0) return connectNumeric(socket, { ...target, address: host, family: family as Family }, options);
  if (options.lookup != null) validateFunction(options.lookup, 'options.lookup');
  socket._host = host;
  const lookup = options.lookup ?? (dns.lookup as unknown as LookupFunction);
  const query = dnsOptions(options);
  if (query.family === 4 || query.family === 6 || target.localAddress || !autoSelects) {
    lookup(host, query, (error, ip, found) => onLookup(socket, options, { ...target, host }, error, ip, found));
  } else {
    const plan = { ...target, host, timeout };
    lookup(host, { ...query, all: true }, (error, all) => onLookupAll(socket, options, plan, error, all));
  }
}

type Unresolved = Pick<Target, 'port' | 'localAddress' | 'localPort'>;

function checkedTarget({ localAddress, localPort, port }: ConnectOptions): Unresolved {
  if (localAddress && !isIP(localAddress)) throw invalidIpAddress(localAddress);
  if (localPort) validateNumber(localPort, 'options.localPort');
  if (port !== undefined) {
    if (typeof port !== 'number' && typeof port !== 'string') {
      throw invalidType('options.port', 'one of type number or string', port);
    }
    validatePort(port);
  }
  return { port: Number(port) | 0, localAddress, localPort };
}

function dnsOptions({ family, hints }: ConnectOptions): dns.LookupOptions {
  const number = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : family;
  const isFree = number !== 4 && number !== 6 && !hints;
  return { family: number as number, hints: isFree ? dns.ADDRCONFIG : hints || 0 };
}

function connectNumeric(socket: Socket, target: Target, { blockList }: ConnectOptions): void {
  process.nextTick(() => {
    if (!socket.connecting) return;
    if (isBlocked(blockList, target)) socket.destroy(ipBlocked(target.address));
    else connectOne(socket, target);
  });
}

function isBlocked(list: BlockList | undefined, { address, family }: { address: string; family: Family }): boolean {
  return list?.check(address, family === 6 ? 'ipv6' : 'ipv4') === true;
}

/** Not now: whoever connects may have no listener for 'error' yet. */
function failLater(socket: Socket, error: Error): void {
  process.nextTick(() => socket.destroy(error));
}

function onLookup(
  socket: Socket,
  options: ConnectOptions,
  target: Unresolved & { host: string },
  error: Error | null,
  ip: unknown,
  family: unknown,
): void {
  socket.emit('lookup', error, ip, family, target.host);
  if (!socket.connecting) return;
  const wrong = error ?? wrongAddress(ip, family, options);
  if (wrong !== null) return failLater(socket, wrong);
  const found = { ...target, address: ip as string, family: family as Family };
  if (isBlocked(options.blockList, found)) return failLater(socket, ipBlocked(found.address));
  socket._unrefTimer();
  connectOne(socket, found);
}

function wrongAddress(ip: unknown, family: unknown, { host, port }: ConnectOptions): Error | null {
  if (typeof ip !== 'string' || isIP(ip) === 0) return invalidIpAddress(ip);
  return family === 4 || family === 6 ? null : invalidAddressFamily(family, host, port);
}

interface Found {
  address: string;
  family: Family;
}

function onLookupAll(
  socket: Socket,
  options: ConnectOptions,
  plan: Unresolved & { host: string; timeout: number },
  error: Error | null,
  addresses: unknown,
): void {
  if (!socket.connecting) return;
  if (error) {
    socket.emit('lookup', error, undefined, undefined, plan.host);
    return failLater(socket, error);
  }
  const all = [...(addresses as Iterable<Found>)];
  for (const { address, family } of all) {
    socket.emit('lookup', error, address, family, plan.host);
    if (!socket.connecting) return;
  }
  const fitting = all.filter(({ address, family }) => wrongAddress(address, family, options) === null);
  if (fitting.length === 0) return failLater(socket, wrongAddress(all[0]?.address, all[0]?.family, options) as Error);
  const allowed = alternating(fitting.filter((each) => !isBlocked(options.blockList, each)));
  if (allowed.length === 0) return failLater(socket, ipBlocked((fitting[0] as Found).address));
  socket._unrefTimer();
  if (allowed.length === 1) connectOne(socket, { ...plan, ...(allowed[0] as Found) });
  else new Attempts(socket, allowed, plan).next();
}

/** Each address once, one of the first's family and one of the other in turn. */
function alternating(found: readonly Found[]): Found[] {
  const unique = [...new Map(found.map((each) => [each.address, each])).values()];
  const first = unique.filter(({ family }) => family === unique[0]?.family);
  const second = unique.filter(({ family }) => family !== unique[0]?.family);
  const longest = Math.max(first.length, second.length);
  return Array.from({ length: longest }, (_, i) => [first[i], second[i]])
    .flat()
    .filter((each) => each !== undefined);
}

/** Gives the handle the local address that was asked for; the error where that cannot be. */
export function bindLocal(handle: Handle, target: Target): SystemError | null {
  if (!target.localAddress && !target.localPort) return null;
  const { family, localPort } = target;
  target.localAddress ||= family === 6 ? '::' : '0.0.0.0';
  const fits = isIP(target.localAddress) === family;
  const status = fits ? handle.bindTo(target.localAddress, localPort ?? 0, family) : EINVAL;
  return status === 0 ? null : exceptionWithHostPort(status, 'bind', target.localAddress, localPort);
}

function connectOne(socket: Socket, target: Target): void {
  const { address, port, family } = target;
  const handle = socket._handle as Handle;
  const unbound = bindLocal(handle, target);
  if (unbound !== null) return void socket.destroy(unbound);
  socket.emit('connectionAttempt', address, port, family);
  const status = handle.connect(address, port, family, (outcome) => onConnect(socket, target, entry, outcome));
  const entry = status === 0 ? connectEntry(address, port) : null;
  if (status < 0) socket.destroy(connectAtOnceError(handle, target, status));
}

/** For a connect that the kernel did not even begin. */
export function connectAtOnceError(handle: Handle, { address, port }: Target, status: number): SystemError {
  const local = handle.getsockname();
  return exceptionWithHostPort(status, 'connect', address, port, `${local?.address}:${local?.port}`);
}

/** For one that came to nothing. */
export function connectError({ address, port, localAddress, localPort }: Target, status: number): SystemError {
  if (!localAddress || !localPort) return exceptionWithHostPort(status, 'connect', address, port);
  const error = exceptionWithHostPort(status, 'connect', address, port, `${localAddress}:${localPort}`);
  return Object.assign(error, { localAddress, localPort });
}

function onConnect(socket: Socket, target: Target, entry: ConnectEntry | null, status: number): void {
  if (status !== 0) entry?.end();
  if (socket.destroyed) return;
  if (status !== 0) return failed(socket, connectError(target, status), target.address, target.port, target.family);
  connected(socket);
  entry?.finish();
}

function failed(socket: Socket, error: SystemError, address: string, port?: number, family?: Family): void {
  socket.connecting = false;
  socket._sockname = null;
  socket.emit('connectionAttemptFailed', address, port, family, error);
  socket.destroy(error);
}

/** The socket's handle stands for a connection now. */
export function connected(socket: Socket): void {
  const handle = socket._handle as Handle;
  socket.connecting = false;
  socket._sockname = null;
  socket._unrefTimer();
  if (socket[kNoDelay]) handle.setNoDelay(true);
  if (socket[kKeepAlive]) handle.setKeepAlive(true, socket[kKeepAliveDelay]);
  socket[kDeadlines]?.applyTo(handle);
  socket.emit('connect');
  socket.emit('ready');
  // Begins to read, or learns of the end at once; it takes no bytes.
  if (!socket.isPaused()) socket.read(0);
}
