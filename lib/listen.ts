// listen(): from a network and an address to a listening socket, one system call at a time.

import { resolve as resolvePath } from 'node:path';
import { type Addr, fromNative, type NativeAddr, type TCPAddr, toNative, UnixAddr } from './addr';
import { IP4, IP6, native } from './binding';
import { checkBoolean, checkFunction, checkInteger, checkObject, checkSignal, checkString } from './check';
import { AddrError, OpError, thrownCause, UnknownNetworkError } from './errors';
import { isWildcard, SocketListener } from './listener';
import { isDatagram, isTCP, isUnix, type StreamNetwork, socketType } from './network';
import { familyOf, type Lookup, resolveTCP, resolveUnix, versionOf } from './resolve';
import { applyKeepAlive, checkKeepAlive, type KeepAliveConfig, type TCPConn } from './tcp-conn';
import type { UnixConn } from './unix-conn';

export interface ListenOptions {
  /** Connections that may queue, 1 to 2^31 - 1; the system caps it. Default: the system's limit. */
  backlog?: number | undefined;
  /** Lets other sockets, of other processes too, listen on the same port (SO_REUSEPORT). TCP only. Default false. */
  reusePort?: boolean | undefined;
  /** Keep-alive of accepted connections. Default: on, 15 s idle, 15 s between, 9 probes. TCP only. */
  keepAliveConfig?: KeepAliveConfig | undefined;
  /** Resolves the host's name. Default: the system's resolver. */
  lookup?: Lookup | undefined;
  /** Ends the name's resolution; no effect once the promise has settled. */
  signal?: AbortSignal | undefined;
}

/**
 * Listens for connections (Go's net.Listen).
 *
 * @param network `tcp` (both families where the host is a wildcard), `tcp4`, `tcp6`, `unix`, `unixpacket`
 * @param address `host:port`; an empty host is the wildcard, port 0 is any free one. For `unix` a path,
 *   or `@name` in Linux's abstract namespace. A path that exists is an error, whoever made it; the file
 *   is removed by close().
 * @throws OpError `op: 'listen'` (as a rejection): `EADDRINUSE`, `EACCES`, `ERR_SPLICEWAY_ADDRESS`, …
 */
export async function listen(
  network: 'tcp' | 'tcp4' | 'tcp6',
  address: string,
  options?: ListenOptions,
): Promise<SocketListener<TCPConn>>;
export async function listen(
  network: 'unix' | 'unixpacket',
  address: string,
  options?: ListenOptions,
): Promise<SocketListener<UnixConn>>;
export async function listen(network: StreamNetwork, address: string, options?: ListenOptions): Promise<SocketListener>;
export async function listen(
  network: StreamNetwork,
  address: string,
  options: ListenOptions = {},
): Promise<SocketListener> {
  checkString('network', network);
  checkString('address', address);
  checkOptions(options);
  options.signal?.throwIfAborted();
  const addr = await resolveListen(network, address, options);
  return isUnix(network)
    ? listenUnix(network, addr as UnixAddr, options)
    : listenTCP(network, addr as TCPAddr, options);
}

function checkOptions(options: ListenOptions): void {
  checkObject('options', options);
  const { backlog, reusePort, keepAliveConfig, lookup, signal } = options;
  if (backlog !== undefined) checkInteger('options.backlog', backlog, 1, 2 ** 31 - 1);
  if (reusePort !== undefined) checkBoolean('options.reusePort', reusePort);
  if (keepAliveConfig !== undefined) checkKeepAlive('options.keepAliveConfig', keepAliveConfig);
  if (lookup !== undefined) checkFunction('options.lookup', lookup);
  if (signal !== undefined) checkSignal(signal);
}

async function resolveListen(network: string, address: string, options: ListenOptions): Promise<Addr> {
  try {
    if (isUnix(network)) return resolveUnix(network as UnixAddr['network'], address);
    if (!isTCP(network) && !isDatagram(network)) throw new UnknownNetworkError(network);
    if (network === 'unixgram') throw unexpectedType(network, new UnixAddr(address, network));
    const addrs = await resolveTCP(network, address, options);
    const addr = addrs.find(({ ip }) => versionOf(ip) === 4) ?? (addrs[0] as TCPAddr);
    if (isDatagram(network)) throw unexpectedType(network, addr);
    return addr;
  } catch (error) {
    throw error instanceof OpError || isForeign(error, options)
      ? error
      : new OpError('listen', network, null, null, error as Error);
  }
}

// The signal's reason, and mistakes of the caller's lookup function, are not ours to wrap.
function isForeign(error: unknown, { signal }: ListenOptions): boolean {
  return signal?.aborted === true || error instanceof TypeError;
}

function unexpectedType(network: string, addr: Addr): OpError {
  return new OpError('listen', network, null, addr, new AddrError('unexpected address type', `${addr}`));
}

function listenUnix(network: string, addr: UnixAddr, options: ListenOptions): SocketListener {
  const id = bindAndListen(network, addr, toNative(addr), () => {}, options);
  const listener = new SocketListener(id, network, localAddr(id, network));
  if (addr.path !== '' && !addr.path.startsWith('@')) listener.unlinkOnClose(resolvePath(addr.path));
  return listener;
}

function listenTCP(network: string, addr: TCPAddr, options: ListenOptions): SocketListener {
  const id = openTCP(network, addr, options);
  return new SocketListener(id, network, localAddr(id, network));
}

function openTCP(network: string, addr: TCPAddr, options: ListenOptions): number {
  if (!isWildcard(addr.ip)) return bindTCP(network, addr, toNative(addr), options);
  if (familyOf(network) === 4) return bindTCP(network, addr, [IP4, '0.0.0.0', addr.port, 0], options);
  try {
    return bindTCP(network, addr, [IP6, '::', addr.port, 0], options);
  } catch (error) {
    // A machine without IPv6 listens on IPv4 alone, as Go's does.
    if (familyOf(network) === 6 || (error as OpError).code !== 'EAFNOSUPPORT') throw error;
    return bindTCP(network, addr, [IP4, '0.0.0.0', addr.port, 0], options);
  }
}

function bindTCP(network: string, addr: TCPAddr, to: NativeAddr, options: ListenOptions): number {
  const prepare = (socket: number) => {
    native.setReuseAddr(socket);
    if (options.reusePort === true) native.setReusePort(socket);
    if (to[0] === IP6) native.setV6Only(socket, familyOf(network) === 6 ? 1 : 0);
    // Accepted connections inherit these, so that none of them costs a system call of its own.
    native.setNoDelay(socket, 1);
    applyKeepAlive(socket, options.keepAliveConfig ?? { enable: true });
  };
  return bindAndListen(network, addr, to, prepare, options);
}

function bindAndListen(
  network: string,
  addr: Addr,
  to: NativeAddr,
  prepare: (socket: number) => void,
  options: ListenOptions,
): number {
  let socket = -1;
  try {
    socket = native.openSocket(to[0], socketType(network), 0);
    prepare(socket);
    native.bind(socket, ...to);
    return native.listen(socket, options.backlog ?? 0);
  } catch (error) {
    native.close(socket);
    throw new OpError('listen', network, null, addr, thrownCause(error));
  }
}

/** The address that the kernel gave a socket. */
function localAddr(id: number, network: string): Addr {
  return fromNative(native.localAddr(id) ?? [''], network);
}
