// Unix datagrams.

import { constants } from 'node:os';
import { type Addr, type UDPAddr, UnixAddr } from '../addr';
import { native, READ, WRITE } from '../binding';
import { causeOf, ErrClosed, ErrnoError, ErrWriteToConnected, invalidType } from '../errors';
import { resolveUnix } from '../resolve';
import { PacketSocketConn } from './packet-socket';
import { unixgramAddrAt } from './slots';

const { EAFNOSUPPORT, EINVAL } = constants.errno;

/**
 * A Unix socket of datagrams: what Go has as a net.UnixConn on `unixgram`. Datagrams are neither lost nor
 * reordered; a write waits while the receiver's queue is full. The file that it is bound to stays when it
 * closes, as in Go: remove it yourself.
 */
export class UnixgramConn extends PacketSocketConn<UnixAddr | null> {
  /** Ends receiving: what comes is refused, and reads wait for ever. @throws OpError `op: 'close'` */
  closeRead(): void {
    this.halfClose(READ);
  }

  /** Ends sending. @throws OpError `op: 'close'` */
  closeWrite(): void {
    this.halfClose(WRITE);
  }

  private halfClose(side: number): void {
    if (this.id < 0) throw this.error('close', ErrClosed);
    const status = native.shutdownPackets(this.id, side);
    if (status < 0) throw this.error('close', causeOf(status, 'shutdown'));
  }

  /** @internal */
  senderAt(slot: number): UnixAddr | null {
    return unixgramAddrAt(slot);
  }

  /** @internal */
  refusedTarget(to: Addr | null): Error | null {
    if (to === null) return new ErrnoError(-EINVAL);
    checkAddr(to);
    if (!(to instanceof UnixAddr)) return new ErrnoError(-EINVAL);
    if (this.connected) return ErrWriteToConnected;
    return to.network === 'unixgram' ? null : new ErrnoError(-EAFNOSUPPORT);
  }

  /** @internal */
  refusedMessage(to: Addr | null): Error | null {
    if (this.connected) return ErrWriteToConnected;
    return to === null ? null : this.refusedTarget(to);
  }

  /** @internal */
  async resolve(text: string): Promise<UnixAddr> {
    return resolveUnix('unixgram', text);
  }
}

/** Something else than an address is the caller's mistake. */
export function checkAddr(addr: unknown): void {
  const { network } = (addr ?? {}) as Partial<UDPAddr>;
  if (typeof addr !== 'object' || typeof network !== 'string') {
    throw invalidType('addr', 'of type string, an address or null', addr);
  }
}
