// Sockets of datagrams: pairs of them, and connected ones.

import { createRequire } from 'node:module';
import {
  type Addr,
  type Connected,
  listenPacket,
  type OpenOptions,
  resolveUDPAddr,
  resolveUnixAddr,
  type UDPConn,
  type UnixgramConn,
} from 'spliceway';
import { socketPath } from './pair.ts';

type Open = (network: string, local: Addr | null, remote: Addr, options?: OpenOptions) => Promise<never>;
const { openPacketSocket } = createRequire(import.meta.url)('../../dist/packet/open.js') as { openPacketSocket: Open };

/** A UDP socket that is connected to the address. */
export async function connectUDP(
  address: string,
  { network = 'udp', local, ...options }: OpenOptions & { network?: string; local?: string } = {},
): Promise<Connected<UDPConn>> {
  const from = local === undefined ? null : await resolveUDPAddr(network, local);
  return openPacketSocket(network, from, await resolveUDPAddr(network, address), options);
}

/** A socket of Unix datagrams that is connected to the path. */
export async function connectUnixgram(path: string, local?: string): Promise<Connected<UnixgramConn>> {
  const from = local === undefined ? null : await resolveUnixAddr('unixgram', local);
  return openPacketSocket('unixgram', from, await resolveUnixAddr('unixgram', path));
}

/** Two sockets, neither connected. */
export interface PacketPair<C> extends Disposable {
  a: C;
  b: C;
}

export async function udpPair(): Promise<PacketPair<UDPConn>> {
  return paired(await listenPacket('udp', '127.0.0.1:0'), await listenPacket('udp', '127.0.0.1:0'));
}

export async function unixgramPair(): Promise<PacketPair<UnixgramConn>> {
  return paired(await listenPacket('unixgram', socketPath()), await listenPacket('unixgram', socketPath()));
}

function paired<C extends UDPConn | UnixgramConn>(a: C, b: C): PacketPair<C> {
  return {
    a,
    b,
    [Symbol.dispose]() {
      a.close();
      b.close();
    },
  };
}

/** Kinds of packet conns by name, for what holds on each of them. */
export const kinds: [network: 'udp' | 'unixgram', makePair: () => Promise<PacketPair<UDPConn | UnixgramConn>>][] = [
  ['udp', udpPair],
  ['unixgram', unixgramPair],
];
