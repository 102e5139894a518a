// dial(): from a network and an address to a connection (Go's net.Dialer). How is in dialing/.

import { type SocketAddr as Addr, IPAddr, TCPAddr, UDPAddr, UnixAddr } from './addr';
import { checkBoolean, checkFunction, checkNumber, checkObject, checkSignal, checkString } from './check';
import type { CallOptions } from './conn';
import type { Control } from './control';
import { type Deadline, toEpoch } from './deadline';
import { Dial, type Dialed } from './dialing/dial';
import { invalidType } from './errors';
import { checkKeepAliveOptions, type KeepAliveOptions } from './keep-alive';
import type { IPNetwork, PacketNetwork, StreamNetwork } from './network';
import type { IPConn } from './packet/ip-conn';
import type { Connected } from './packet/open';
import type { UDPConn } from './packet/udp-conn';
import type { UnixgramConn } from './packet/unixgram-conn';
import { checked } from './pending';
import type { Lookup } from './resolve';
import type { TCPConn } from './tcp-conn';
import type { UnixConn } from './unix-conn';

export interface DialerOptions extends KeepAliveOptions {
  /**
   * How long all of it may take, in milliseconds, name resolution included. 0 or absent: no limit of
   * ours; the system has one of some minutes. Negative: it is over before it begins, as in Go.
   */
  timeout?: number | undefined;
  /** The instant by which it must be done. With `timeout`, the earlier one holds. */
  deadline?: Deadline | undefined;
  /** Where to connect from: an address of this machine, or a Unix path to bind to. */
  localAddr?: Addr | string | undefined;
  /**
   * How long the addresses of the first family are tried alone, in milliseconds, before those of the
   * other are tried as well (RFC 8305, happy eyeballs). 0 or absent: 300. Negative: never both at
   * once, all addresses one after the other. For `tcp` only.
   */
  fallbackDelay?: number | undefined;
  /** Called for each attempt, with its socket, before it is bound and connected. */
  control?: Control | undefined;
  /** Multipath TCP (RFC 8684) where the kernel has it and the peer answers it; else plain TCP. Default false. */
  multipathTCP?: boolean | undefined;
  /** Resolves the host's name. Default: the system's resolver. */
  lookup?: Lookup | undefined;
}

/** Every network that can be dialed. */
type Network = StreamNetwork | PacketNetwork;

export interface DialOptions extends DialerOptions, CallOptions {}

/**
 * Connects (Go's net.Dial). A name's addresses are tried in the resolver's order, those of the second
 * family a little later alongside the first; the first connection wins. When none is made, the error
 * of the first attempt is reported, and its `errors` lists them all.
 *
 * @param network `tcp`, `tcp4`, `tcp6`, `unix`, `unixpacket`; `udp`, `udp4`, `udp6`, `unixgram` and
 *   `ip4:icmp` and the like give a packet conn that is connected to one peer
 * @param address `host:port`, an empty host being this machine; for `unix` a path or `@name`; for `ip` a host
 * @throws OpError `op: 'dial'` (as a rejection): `ECONNREFUSED`, `ENOENT`, `ERR_SPLICEWAY_ADDRESS`,
 *   `ERR_SPLICEWAY_DEADLINE_EXCEEDED` (`timeout: true`), a DNSError as its cause, …
 */
export function dial(network: 'tcp' | 'tcp4' | 'tcp6', address: string, options?: DialOptions): Promise<TCPConn>;
export function dial(network: 'unix' | 'unixpacket', address: string, options?: DialOptions): Promise<UnixConn>;
export function dial(
  network: 'udp' | 'udp4' | 'udp6',
  address: string,
  options?: DialOptions,
): Promise<Connected<UDPConn>>;
export function dial(network: 'unixgram', address: string, options?: DialOptions): Promise<Connected<UnixgramConn>>;
export function dial(network: IPNetwork, address: string, options?: DialOptions): Promise<Connected<IPConn>>;
export function dial(network: StreamNetwork, address: string, options?: DialOptions): Promise<TCPConn | UnixConn>;
export function dial(network: Network, address: string, options?: DialOptions): Promise<Dialed>;
export function dial(network: Network, address: string, options: DialOptions = {}): Promise<Dialed> {
  return checked(
    () => {
      checkString('network', network);
      checkString('address', address);
      checkOptions(options);
    },
    () => new Dial(network, address, options).run(),
  );
}

/** Options for connecting, to be used again and again (Go's net.Dialer). */
export class Dialer {
  readonly options: Readonly<DialerOptions>;

  /** @throws TypeError or RangeError for options that cannot be */
  constructor(options: DialerOptions = {}) {
    checkOptions(options);
    this.options = Object.freeze({ ...options });
  }

  /** dial() with these options. A `timeout` begins anew with each call. */
  dial(network: 'tcp' | 'tcp4' | 'tcp6', address: string, options?: CallOptions): Promise<TCPConn>;
  dial(network: 'unix' | 'unixpacket', address: string, options?: CallOptions): Promise<UnixConn>;
  dial(network: 'udp' | 'udp4' | 'udp6', address: string, options?: CallOptions): Promise<Connected<UDPConn>>;
  dial(network: 'unixgram', address: string, options?: CallOptions): Promise<Connected<UnixgramConn>>;
  dial(network: IPNetwork, address: string, options?: CallOptions): Promise<Connected<IPConn>>;
  dial(network: Network, address: string, options?: CallOptions): Promise<Dialed>;
  dial(network: Network, address: string, options: CallOptions = {}): Promise<Dialed> {
    return dial(network, address, { ...this.options, ...options });
  }
}

function checkOptions(options: DialOptions): void {
  checkObject('options', options);
  const { timeout, deadline, signal, localAddr, fallbackDelay, control, multipathTCP, lookup } = options;
  if (timeout !== undefined) checkNumber('options.timeout', timeout);
  if (deadline !== undefined) toEpoch(deadline);
  if (signal !== undefined) checkSignal(signal);
  if (localAddr !== undefined) checkAddr('options.localAddr', localAddr);
  if (fallbackDelay !== undefined) checkNumber('options.fallbackDelay', fallbackDelay);
  if (control !== undefined) checkFunction('options.control', control);
  if (multipathTCP !== undefined) checkBoolean('options.multipathTCP', multipathTCP);
  if (lookup !== undefined) checkFunction('options.lookup', lookup);
  checkKeepAliveOptions(options);
}

function checkAddr(name: string, addr: unknown): void {
  const kinds = [TCPAddr, UDPAddr, IPAddr, UnixAddr];
  if (typeof addr === 'string' || kinds.some((kind) => addr instanceof kind)) return;
  throw invalidType(name, 'of type string or an instance of TCPAddr, UDPAddr, IPAddr or UnixAddr', addr);
}
