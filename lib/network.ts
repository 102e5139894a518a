// The networks of streams, and what each name stands for in native calls.

import type { Addr } from './addr';
import { KIND_PACKETS, KIND_TCP, KIND_UNIX, PACKETS, STREAM } from './binding';
import { TCPConn } from './tcp-conn';
import { UnixConn } from './unix-conn';

/** A network that connections can be dialed and listened for on. */
export type StreamNetwork = 'tcp' | 'tcp4' | 'tcp6' | 'unix' | 'unixpacket';

export const isTCP = (network: string): boolean => network === 'tcp' || network === 'tcp4' || network === 'tcp6';
export const isUnix = (network: string): boolean => network === 'unix' || network === 'unixpacket';
/** Known, but not of streams. */
export const isDatagram = (network: string): boolean =>
  network === 'udp' || network === 'udp4' || network === 'udp6' || network === 'unixgram';

export const socketType = (network: string): number => (network === 'unixpacket' ? PACKETS : STREAM);

export function streamKind(network: string): number {
  if (isTCP(network)) return KIND_TCP;
  return network === 'unixpacket' ? KIND_PACKETS : KIND_UNIX;
}

/** The connection on a native stream. */
export function connOn(id: number, network: string, local: Addr | null): TCPConn | UnixConn {
  return isTCP(network) ? new TCPConn(id, network, local) : new UnixConn(id, network, local);
}
