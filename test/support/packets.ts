// Pairs of sockets of datagrams.

import { listenPacket, type UDPConn, type UnixgramConn } from 'spliceway';
import { socketPath } from './pair.ts';

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
