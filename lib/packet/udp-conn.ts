// UDP.

import { constants } from 'node:os';
import { type Addr, UDPAddr } from '../addr';
import { AddrError, ErrnoError, ErrWriteToConnected } from '../errors';
import { favorite, resolveUDP } from '../resolve';
import { MulticastConn } from './multicast';
import { udpAddrAt, unsuitableHost } from './slots';
import { checkAddr } from './unixgram-conn';

const { EINVAL } = constants.errno;

/**
 * A UDP socket (Go's net.UDPConn), from listenPacket() open to all, from dial() connected to one peer.
 * Broadcast is allowed from the start.
 */
export class UDPConn extends MulticastConn<UDPAddr> {
  /** @internal */
  senderAt(slot: number): UDPAddr {
    return udpAddrAt(slot);
  }

  /** @internal */
  refusedTarget(to: Addr | null): Error | null {
    if (to === null) return new ErrnoError(-EINVAL);
    if (!(to instanceof UDPAddr)) {
      checkAddr(to);
      return new ErrnoError(-EINVAL);
    }
    return this.connected ? ErrWriteToConnected : unsuitableHost(to, this.family);
  }

  /** @internal */
  refusedMessage(to: Addr | null): Error | null {
    if (to !== null) return this.refusedTarget(to);
    return this.connected ? null : new AddrError('missing address', '');
  }

  /** @internal */
  async resolve(text: string, signal: AbortSignal | undefined): Promise<UDPAddr> {
    const network = this.net === 'udp4' || this.net === 'udp6' ? this.net : 'udp';
    return favorite(await resolveUDP(network, text, { signal }), text.includes('['));
  }
}
