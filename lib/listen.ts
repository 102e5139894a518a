// listen(): from a network and an address to a listener (Go's net.ListenConfig). How is in listening/.

import type { TCPAddr, UnixAddr } from './addr';
import { checkBoolean, checkFunction, checkInteger, checkObject, checkSignal, checkString } from './check';
import type { CallOptions } from './conn';
import type { Control } from './control';
import { invalidValue } from './errors';
import { checkKeepAliveOptions, type KeepAliveOptions } from './keep-alive';
import type { SocketListener } from './listener';
import { listenTCP } from './listening/tcp';
import { listenUnix } from './listening/unix';
import { type IPNetwork, isTCP, isUnix, type PacketNetwork, type StreamNetwork } from './network';
import type { IPConn } from './packet/ip-conn';
import { listenPacket } from './packet/listen-packet';
import type { SocketPacketConn } from './packet/open';
import type { UDPConn } from './packet/udp-conn';
import type { UnixgramConn } from './packet/unixgram-conn';
import { abortable } from './pending';
import { type ProxyListener, proxyListener } from './proxy-protocol/listener';
import { type ProxyProtocolOptions, settingsOf } from './proxy-protocol/options';
import { type Lookup, resolveListen } from './resolve';
import type { TCPConn } from './tcp-conn';
import type { UnixConn } from './unix-conn';

export interface ListenConfigOptions extends KeepAliveOptions {
  /** Connections that may queue, 1 to 2^31 - 1; the system caps it. Default: the system's limit. */
  backlog?: number | undefined;
  /** Lets other sockets, of other processes too, listen on the same port (SO_REUSEPORT). TCP only. Default false. */
  reusePort?: boolean | undefined;
  /**
   * Multipath TCP (RFC 8684) for peers that ask for it, where the kernel has it; else plain TCP. Default
   * false (Go's is true on Linux; plain TCP costs less, and is what splice serves best).
   */
  multipathTCP?: boolean | undefined;
  /** Called with the socket before it is bound. */
  control?: Control | undefined;
  /** Permissions of the file of a Unix path, such as 0o660, from before the first connection on. Default: by the umask. */
  mode?: number | undefined;
  /**
   * Replaces the file of a Unix path that nobody listens on any more: it is probed with a connect, and
   * removed only if that is refused. Default false: a path that exists is `EADDRINUSE`, as in Go.
   */
  removeStale?: boolean | undefined;
  /** Resolves the host's name. Default: the system's resolver. */
  lookup?: Lookup | undefined;
}

/** `signal` ends the name's resolution, and the attempt whose control hook aborts it; it has no effect once the promise has settled. */
export interface ListenOptions extends ListenConfigOptions, CallOptions {}

/** listen() with this gives a {@link ProxyListener}. */
export interface ProxyListenOptions extends ListenOptions {
  /** Reads PROXY headers; see {@link proxyListener}. Networks of streams: not `unixpacket`. */
  proxyProtocol: ProxyProtocolOptions;
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
  options: ProxyListenOptions,
): Promise<ProxyListener<TCPConn, SocketListener<TCPConn>>>;
export async function listen(
  network: 'unix',
  address: string,
  options: ProxyListenOptions,
): Promise<ProxyListener<UnixConn, SocketListener<UnixConn>>>;
export async function listen(
  network: StreamNetwork,
  address: string,
  options: ProxyListenOptions,
): Promise<ProxyListener<TCPConn | UnixConn, SocketListener>>;
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
  options: ListenOptions | ProxyListenOptions = {},
): Promise<SocketListener | ProxyListener> {
  checkString('network', network);
  checkString('address', address);
  checkOptions(options);
  const proxyProtocol = 'proxyProtocol' in options ? options.proxyProtocol : undefined;
  if (proxyProtocol !== undefined) checkProxyProtocol(network, proxyProtocol);
  const listener = await abortable(options.signal, () => listenOn(network, address, options));
  return proxyProtocol === undefined ? listener : proxyListener(listener, proxyProtocol);
}

async function listenOn(network: StreamNetwork, address: string, options: ListenOptions): Promise<SocketListener> {
  const addr = await resolveListen(network, address, options, (name) => isTCP(name) || isUnix(name));
  return isUnix(network)
    ? listenUnix(network as UnixAddr['network'], addr as UnixAddr, options)
    : listenTCP(network, addr as TCPAddr, options);
}

/** Options for listening, to be used again and again (Go's net.ListenConfig). */
export class ListenConfig {
  readonly options: Readonly<ListenConfigOptions>;

  /** @throws TypeError or RangeError for options that cannot be */
  constructor(options: ListenConfigOptions = {}) {
    checkOptions(options);
    this.options = Object.freeze({ ...options });
  }

  /** listen() with these options. */
  listen(network: 'tcp' | 'tcp4' | 'tcp6', address: string, options?: CallOptions): Promise<SocketListener<TCPConn>>;
  listen(network: 'unix' | 'unixpacket', address: string, options?: CallOptions): Promise<SocketListener<UnixConn>>;
  listen(network: StreamNetwork, address: string, options?: CallOptions): Promise<SocketListener>;
  listen(network: StreamNetwork, address: string, options: CallOptions = {}): Promise<SocketListener> {
    return listen(network, address, { ...this.options, ...options });
  }

  /** listenPacket() with those of these options that it has. */
  listenPacket(network: 'udp' | 'udp4' | 'udp6', address: string, options?: CallOptions): Promise<UDPConn>;
  listenPacket(network: 'unixgram', address: string, options?: CallOptions): Promise<UnixgramConn>;
  listenPacket(network: IPNetwork, address: string, options?: CallOptions): Promise<IPConn>;
  listenPacket(network: PacketNetwork, address: string, options?: CallOptions): Promise<SocketPacketConn>;
  listenPacket(network: PacketNetwork, address: string, options: CallOptions = {}): Promise<SocketPacketConn> {
    const { control, reusePort, mode, lookup } = this.options;
    return listenPacket(network, address, { control, reusePort, mode, lookup, ...options });
  }
}

function checkProxyProtocol(network: string, options: ProxyProtocolOptions): void {
  settingsOf(options);
  if (network === 'unixpacket') throw invalidValue('options.proxyProtocol', 'is for networks of streams', options);
}

function checkOptions(options: ListenOptions): void {
  checkObject('options', options);
  const { backlog, reusePort, multipathTCP, control, mode, removeStale, lookup, signal } = options;
  if (backlog !== undefined) checkInteger('options.backlog', backlog, 1, 2 ** 31 - 1);
  if (reusePort !== undefined) checkBoolean('options.reusePort', reusePort);
  if (multipathTCP !== undefined) checkBoolean('options.multipathTCP', multipathTCP);
  if (control !== undefined) checkFunction('options.control', control);
  if (mode !== undefined) checkInteger('options.mode', mode, 0, 0o777);
  if (removeStale !== undefined) checkBoolean('options.removeStale', removeStale);
  if (lookup !== undefined) checkFunction('options.lookup', lookup);
  if (signal !== undefined) checkSignal(signal);
  checkKeepAliveOptions(options);
}
