// Raw IP.

import { constants } from 'node:os';
import { type Addr, IPAddr } from '../addr';
import { IP4 } from '../binding';
import { AddrError, ErrnoError, ErrWriteToConnected } from '../errors';
import { favorite, resolveIP } from '../resolve';
import { MulticastConn } from './multicast';
import { ipAddrAt, unsuitableHost } from './slots';
import { checkAddr } from './unixgram-conn';

const { EINVAL } = constants.errno;
const SHORTEST_HEADER = 20;

/**
 * A socket for one protocol above IP, such as ICMP (Go's net.IPConn). Opening one takes root, or on Linux
 * CAP_NET_RAW. The kernel makes the IP header of what is sent; of what is received over IPv4, readFrom()
 * leaves it out, while read(), readMsg() and handlers see it, as in Go.
 */
export class IPConn extends MulticastConn<IPAddr> {
  /** @internal */
  senderAt(slot: number): IPAddr {
    return ipAddrAt(slot);
  }

  /** @internal */
  override strip(p: Uint8Array, n: number): number {
    if (this.family !== IP4 || p.length < SHORTEST_HEADER) return n;
    const first = p[0] as number;
    const header = (first & 0x0f) << 2;
    if (header < SHORTEST_HEADER || header > p.length || first >> 4 !== 4) return n;
    p.copyWithin(0, header, n);
    return n - header;
  }

  /** @internal */
  refusedTarget(to: Addr | null): Error | null {
    if (to === null) return new ErrnoError(-EINVAL);
    checkAddr(to);
    if (!(to instanceof IPAddr)) return new ErrnoError(-EINVAL);
    return this.connected ? ErrWriteToConnected : unsuitableHost(to, this.family);
  }

  /** @internal */
  refusedMessage(to: Addr | null): Error | null {
    if (this.connected) return ErrWriteToConnected;
    return to === null ? new AddrError('missing address', '') : this.refusedTarget(to);
  }

  /** @internal */
  async resolve(text: string, signal: AbortSignal | undefined): Promise<IPAddr> {
    return favorite(await resolveIP(this.net, text, { signal }), text.includes(':'));
  }
}
