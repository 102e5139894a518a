// From addresses to a packet conn, one system call at a time.

import { chmodSync, fchmodSync } from 'node:fs';
import { constants } from 'node:os';
import {
  type SocketAddr as Addr,
  fileAddr,
  fromNative,
  type IPAddr,
  type NativeAddr,
  packedOf,
  UDPAddr,
  UnixAddr,
} from '../addr';
import { DATAGRAMS, IP4, IP6, native, RAW, scratchIds, UNIX } from '../binding';
import { checkInteger } from '../check';
import type { CallOptions } from '../conn';
import { type Control, runControl } from '../control';
import { ErrnoError, OpError, SyscallError, thrownCause, UnknownNetworkError } from '../errors';
import { isDatagram, isIPNetwork, isUDP } from '../network';
import { familyOf, parseIPNetwork } from '../resolve';
import { IPConn } from './ip-conn';
import type { SocketState } from './packet-socket';
import { unsuitableHost } from './slots';
import { UDPConn } from './udp-conn';
import { UnixgramConn } from './unixgram-conn';

const { EINVAL, EPERM } = constants.errno;

/** The conns on sockets of the kernel's. */
export type SocketPacketConn = UDPConn | UnixgramConn | IPConn;

/** One that is connected to a peer: a Conn as well. */
export type Connected<C extends SocketPacketConn> = C & { readonly remoteAddr: NonNullable<C['remoteAddr']> };

export interface OpenOptions {
  /** A function that is called with the socket before bind and connect. What it throws ends the opening. */
  control?: Control | undefined;
  /** Sets SO_REUSEPORT: sockets that all set it share a port. IP only. Default false. */
  reusePort?: boolean | undefined;
  /** Sets SO_REUSEADDR: with multicast, sockets that all set it share a port. IP only. Default false. */
  reuseAddr?: boolean | undefined;
  /** Permissions of the file of a Unix socket, such as 0o660. Default: as the process's umask has them. */
  mode?: number | undefined;
}

/** With a signal, which the control hook may abort. */
type Opening = OpenOptions & CallOptions;

/**
 * A socket that is connected to `remote`, for dial().
 * @param network `udp…`, `unixgram`, `ip…:protocol`
 * @param local null for the system's choice
 * @throws OpError `op: 'dial'` (as a rejection)
 */
export async function openPacketSocket(
  network: string,
  local: Addr | null,
  remote: Addr,
  options: Opening = {},
): Promise<Connected<SocketPacketConn>> {
  try {
    const plan = await planOf(network);
    return open(plan, isUnnamed(local) ? null : local, remote, options) as Connected<SocketPacketConn>;
  } catch (error) {
    throw new OpError('dial', network, local, remote, thrownCause(error));
  }
}

/**
 * A socket that is bound to `local`, for listenPacket().
 * @throws OpError `op: 'listen'` (as a rejection)
 */
export async function bindPacketSocket(network: string, local: Addr, options: Opening): Promise<SocketPacketConn> {
  try {
    return open(await planOf(network), local, null, options);
  } catch (error) {
    throw new OpError('listen', network, null, local, thrownCause(error));
  }
}

/** What a network's name asks for. */
interface Plan {
  /** Without the protocol. */
  network: string;
  type: number;
  protocol: number;
}

async function planOf(network: string): Promise<Plan> {
  if (isDatagram(network)) return { network, type: DATAGRAMS, protocol: 0 };
  if (!isIPNetwork(network)) throw new UnknownNetworkError(network);
  return { type: RAW, ...(await parseIPNetwork(network)) };
}

const isUnnamed = (addr: Addr | null): boolean => addr instanceof UnixAddr && addr.path === '';

function open(plan: Plan, local: Addr | null, remote: Addr | null, options: Opening): SocketPacketConn {
  const family = favoriteFamily(plan.network, local, remote);
  try {
    return openWith(family, plan, local, remote, options);
  } catch (error) {
    // A machine without IPv6 listens on IPv4 alone, as Go's does.
    const { code } = thrownCause(error) as { code?: string };
    const either = familyOf(plan.network) === 0 && family === IP6 && remote === null && isWildcard(local);
    if (!either || code !== 'EAFNOSUPPORT') throw error;
    return openWith(IP4, plan, local, remote, options);
  }
}

const isWildcard = (addr: Addr | null): boolean =>
  addr === null || (!(addr instanceof UnixAddr) && ['', '0.0.0.0', '::'].includes(addr.ip));

// Go's favoriteAddrFamily: a wildcard to listen on stands for both families.
function favoriteFamily(network: string, local: Addr | null, remote: Addr | null): number {
  if (network === 'unixgram') return UNIX;
  const asked = familyOf(network);
  if (asked !== 0) return asked;
  if (remote === null && isWildcard(local)) return IP6;
  const isIP4 = (addr: Addr | null) => addr === null || packedOf(addr as UDPAddr).family === IP4;
  return isIP4(local) && isIP4(remote) ? IP4 : IP6;
}

function openWith(
  family: number,
  plan: Plan,
  local: Addr | null,
  remote: Addr | null,
  options: Opening,
): SocketPacketConn {
  const socket = openSocket(family, plan);
  try {
    const group = prepare(socket, family, plan, local, options);
    // A group is listened to at the wildcard address, so that one socket can join several.
    const bound = group ? new UDPAddr('', (local as UDPAddr).port) : local;
    const at = remote ?? (group ? wildcard(family, bound as UDPAddr) : bound);
    runControl(options.control, plan.network, family as NativeAddr[0], at, socket);
    options.signal?.throwIfAborted();
    if (bound !== null) bind(socket, bound, family, options);
    if (remote !== null) native.connectPackets(socket, ...nativeAddr(remote, family));
  } catch (error) {
    native.close(socket);
    throw error;
  }
  const id = native.packetSocket(socket);
  return connOn({ id, net: plan.network, family, remote, connected: remote !== null }, plan.network);
}

function openSocket(family: number, { type, protocol }: Plan): number {
  try {
    return native.openSocket(family, type, protocol);
  } catch (error) {
    const cause = thrownCause(error);
    throw type === RAW && cause instanceof SyscallError && cause.errno === -EPERM ? new RawPermissionError() : cause;
  }
}

/** EPERM for a raw socket, with what is missing. */
class RawPermissionError extends SyscallError {
  constructor() {
    super('socket', -EPERM);
    const missing = process.platform === 'linux' ? 'root or CAP_NET_RAW' : 'root';
    this.message += ` (raw IP sockets need ${missing})`;
  }
}

/** Sets what Go sets. True where the local address is a group. */
function prepare(socket: number, family: number, plan: Plan, local: Addr | null, options: Opening): boolean {
  if (family === UNIX) return false;
  if (family === IP6 && plan.type === DATAGRAMS) {
    try {
      native.setV6Only(socket, familyOf(plan.network) === 6 ? 1 : 0);
    } catch {
      // Some systems carry one family only, and do not take the question.
    }
  }
  native.setBroadcast(socket, 1);
  if (options.reuseAddr === true) native.setReuseAddr(socket);
  if (options.reusePort === true) native.setReusePort(socket);
  const group = local instanceof UDPAddr && isMulticast(local);
  if (group) native.shareForMulticast(socket);
  return group;
}

function isMulticast({ ip }: UDPAddr): boolean {
  return /^ff/i.test(ip) || /^(22[4-9]|23\d)\./.test(ip);
}

const wildcard = (family: number, { port }: UDPAddr) => new UDPAddr(family === IP6 ? '::' : '0.0.0.0', port);

function bind(socket: number, addr: Addr, family: number, { mode }: OpenOptions): void {
  const named = addr instanceof UnixAddr && addr.path !== '' && !addr.path.startsWith('@');
  if (!named || mode === undefined) return native.bind(socket, ...nativeAddr(addr, family));
  try {
    fchmodSync(native.descriptor(socket), mode); // on Linux the file is made with these, less the umask
  } catch {
    // Elsewhere the file has the umask's permissions for a moment.
  }
  native.bind(socket, ...nativeAddr(addr, family));
  chmodSync(addr.path, mode);
}

/** @throws AddrError for an address that a socket of the family cannot take */
function nativeAddr(addr: Addr, family: number): NativeAddr {
  if (addr instanceof UnixAddr) return [UNIX, addr.path, 0, 0];
  const unsuitable = unsuitableHost(addr as UDPAddr | IPAddr, family);
  if (unsuitable !== null) throw unsuitable;
  const packed = packedOf(addr as UDPAddr | IPAddr);
  if (family === IP4) return [IP4, addr.ip === '' ? '0.0.0.0' : addr.ip, addr.port, 0];
  if (isWildcard(addr)) return [IP6, '::', addr.port, 0];
  return [IP6, packed.family === IP4 ? `::ffff:${addr.ip}` : addr.ip, addr.port, packed.scope];
}

function connOn(
  state: Omit<SocketState<never>, 'local' | 'remote'> & { remote: Addr | null },
  network: string,
): SocketPacketConn {
  const local = fromNative(native.localAddr(state.id) ?? [''], network) as never;
  const peer = state.connected ? native.peerAddr(state.id) : undefined;
  const remote = (peer === undefined ? state.remote : fromNative(peer, network)) as never;
  if (network === 'unixgram') return new UnixgramConn({ ...state, local, remote });
  return isUDP(network) ? new UDPConn({ ...state, local, remote }) : new IPConn({ ...state, local, remote });
}

/**
 * A packet conn on a descriptor that was inherited or passed (Go's net.FilePacketConn). The descriptor
 * belongs to it from now on; where this throws it is still yours.
 *
 * @throws OpError `op: 'file'`: `ENOTSOCK` for a descriptor that is no socket, `EINVAL` for one that is not of datagrams
 */
export function filePacketConn(fd: number): SocketPacketConn {
  checkInteger('fd', fd, 0, 2 ** 31 - 1);
  try {
    return adoptPackets(fd);
  } catch (error) {
    throw new OpError('file', 'file+net', null, fileAddr(fd), thrownCause(error));
  }
}

/** @internal What it throws is the cause of an OpError. */
export function adoptPackets(fd: number): SocketPacketConn {
  native.describeSocket(fd);
  const [family, type] = scratchIds as unknown as [number, number];
  const network = networkOf(type, family);
  if (network === null) throw new ErrnoError(-EINVAL);
  const id = native.adoptPackets(fd);
  const peer = native.peerAddr(id);
  // As in Go, writeTo() works on it where the system lets it.
  const remote = peer === undefined || isNobody(peer) ? null : fromNative(peer, network);
  return connOn({ id, net: network, family, remote, connected: false }, network);
}

const isNobody = (peer: readonly unknown[]): boolean => peer.length === 1 && peer[0] === '';

function networkOf(type: number, family: number): string | null {
  if (type === DATAGRAMS) return family === UNIX ? 'unixgram' : family === 0 ? null : 'udp';
  return type === RAW && (family === IP4 || family === IP6) ? 'ip' : null;
}
