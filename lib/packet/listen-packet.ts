// listenPacket(): from a network and an address to a socket that is open to all.

import type { UDPAddr } from '../addr';
import { checkBoolean, checkFunction, checkInteger, checkObject, checkSignal, checkString } from '../check';
import { AddrError, OpError, thrownCause, UnknownNetworkError } from '../errors';
import { type IPNetwork, isTCP, isUDP, isUnix, type PacketNetwork } from '../network';
import { abortable } from '../pending';
import { type Lookup, resolveListen } from '../resolve';
import type { IPConn } from './ip-conn';
import { interfaceIndex } from './multicast';
import { bindPacketSocket, type OpenOptions, type SocketPacketConn } from './open';
import type { UDPConn } from './udp-conn';
import type { UnixgramConn } from './unixgram-conn';

export interface ListenPacketOptions extends OpenOptions {
  /** Resolves the host's name. Default: the system's resolver. */
  lookup?: Lookup | undefined;
  /** Ends the name's resolution, and the attempt whose control hook aborts it; no effect once the promise has settled. */
  signal?: AbortSignal | undefined;
}

/**
 * Opens a socket for datagrams from and to anyone (Go's net.ListenPacket).
 *
 * @param network `udp` (both families where the host is a wildcard), `udp4`, `udp6`, `unixgram`, or raw IP
 *   with a protocol by name or number: `ip4:icmp`, `ip6:58`
 * @param address `host:port`; an empty host is the wildcard, port 0 any free one. For `unixgram` a path, or
 *   `@name` in Linux's abstract namespace; the file stays when the socket closes. For raw IP a host
 * @throws OpError `op: 'listen'` (as a rejection): `EADDRINUSE`, `ERR_SPLICEWAY_ADDRESS`; `EPERM` where raw IP
 *   is not allowed; …
 */
export async function listenPacket(
  network: 'udp' | 'udp4' | 'udp6',
  address: string,
  options?: ListenPacketOptions,
): Promise<UDPConn>;
export async function listenPacket(
  network: 'unixgram',
  address: string,
  options?: ListenPacketOptions,
): Promise<UnixgramConn>;
export async function listenPacket(network: IPNetwork, address: string, options?: ListenPacketOptions): Promise<IPConn>;
export async function listenPacket(
  network: PacketNetwork,
  address: string,
  options?: ListenPacketOptions,
): Promise<SocketPacketConn>;
export async function listenPacket(
  network: PacketNetwork,
  address: string,
  options: ListenPacketOptions = {},
): Promise<SocketPacketConn> {
  checkString('network', network);
  checkString('address', address);
  checkOptions(options);
  return abortable(options.signal, async () =>
    bindPacketSocket(network, await resolveListen(network, address, options, isOfPackets), options),
  );
}

function checkOptions(options: ListenPacketOptions): void {
  checkObject('options', options);
  const { control, reusePort, reuseAddr, mode, lookup, signal } = options;
  if (control !== undefined) checkFunction('options.control', control);
  if (reusePort !== undefined) checkBoolean('options.reusePort', reusePort);
  if (reuseAddr !== undefined) checkBoolean('options.reuseAddr', reuseAddr);
  if (mode !== undefined) checkInteger('options.mode', mode, 0, 0o777);
  if (lookup !== undefined) checkFunction('options.lookup', lookup);
  if (signal !== undefined) checkSignal(signal);
}

const isOfPackets = (network: string): boolean => !isTCP(network) && !isUnix(network);

export interface MulticastOptions extends ListenPacketOptions {
  /** The interface to join on, by its name or an address of its own. Default: the system's choice. */
  interface?: string | undefined;
}

/**
 * Receives what is sent to a group (Go's net.ListenMulticastUDP): opens a socket at the group's port, which
 * others may share, and joins. What this machine sends itself is not received. For anything else use
 * listenPacket() and joinGroup().
 *
 * @param group `host:port` with a multicast address, such as `224.0.0.251:5353`
 * @throws OpError `op: 'listen'` (as a rejection)
 */
export async function listenMulticastUDP(
  network: 'udp' | 'udp4' | 'udp6',
  group: string,
  options: MulticastOptions = {},
): Promise<UDPConn> {
  checkString('network', network);
  checkString('group', group);
  checkOptions(options);
  const { interface: name = '' } = options;
  checkString('options.interface', name);
  return abortable(options.signal, () => openGroup(network, group, name, options));
}

async function openGroup(network: string, group: string, name: string, options: MulticastOptions): Promise<UDPConn> {
  if (!isUDP(network)) throw new OpError('listen', network, null, null, new UnknownNetworkError(network));
  const addr = (await resolveListen(network, group, options, isOfPackets)) as UDPAddr;
  if (addr.ip === '') throw new OpError('listen', network, null, addr, new AddrError('missing address', ''));
  const conn = (await bindPacketSocket(network, addr, options)) as UDPConn;
  try {
    if (interfaceIndex(name) !== 0) conn.setMulticastInterface(name);
    conn.setMulticastLoopback(false);
    conn.joinGroup(addr.ip, { interface: name });
    return conn;
  } catch (error) {
    conn.close();
    const cause = error instanceof OpError ? error.cause : thrownCause(error);
    throw new OpError('listen', network, null, addr, cause);
  }
}
