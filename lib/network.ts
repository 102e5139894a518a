// The names of networks, and what each stands for in native calls.

import type { Addr } from './addr';
import { PACKETS, STREAM } from './binding';
import { TCPConn } from './tcp-conn';
import { UnixConn } from './unix-conn';

/** A network that connections can be dialed and listened for on. */
export type StreamNetwork = 'tcp' | 'tcp4' | 'tcp6' | 'unix' | 'unixpacket';

export const isTCP = (network: string): boolean => network === 'tcp' || network === 'tcp4' || network === 'tcp6';
export const isUnix = (network: string): boolean => network === 'unix' || network === 'unixpacket';
/** A network that packets are sent and received on. */
export type PacketNetwork = 'udp' | 'udp4' | 'udp6' | 'unixgram' | IPNetwork;
/** Raw IP with a protocol, by number or name: `ip4:icmp`, `ip6:58`. */
export type IPNetwork = `${'ip' | 'ip4' | 'ip6'}:${string | number}`;

export const isUDP = (network: string): boolean => network === 'udp' || network === 'udp4' || network === 'udp6';
/** Raw IP, with a protocol or without. */
export const isIPNetwork = (network: string): boolean => /^ip[46]?(:|$)/.test(network);
/** Known, but not of streams. */
export const isDatagram = (network: string): boolean => isUDP(network) || network === 'unixgram';

export const socketType = (network: string): number => (network === 'unixpacket' ? PACKETS : STREAM);

/** The connection on a native stream. */
export function connOn(id: number, network: string, local: Addr | null): TCPConn | UnixConn {
  return isTCP(network) ? new TCPConn(id, network, local) : new UnixConn(id, network, local);
}
