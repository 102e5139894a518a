// Addresses: parsed and printed as Go's net package does.

import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type AddressTuple, IP4, IP6, UNIX } from './binding';
import { checkString } from './check';
import { AddrError } from './errors';

/** The address of one end of a TCP connection or listener. Frozen. */
export class TCPAddr {
  readonly network = 'tcp';

  /**
   * @param ip numeric address; empty for "any"
   * @param port 0 to 65535
   * @param zone of a link-local IPv6 address: an interface's name or index
   */
  constructor(
    readonly ip: string,
    readonly port: number,
    readonly zone: string = '',
  ) {
    Object.freeze(this);
  }

  /** `127.0.0.1:80`, `[fe80::1%eth0]:80`, `:80` */
  toString(): string {
    return joinHostPort(this.zone === '' ? this.ip : `${this.ip}%${this.zone}`, this.port);
  }
}

/** The address of a Unix socket. Frozen. */
export class UnixAddr {
  /**
   * @param path of the socket's file; `@name` in Linux's abstract namespace; empty for an unnamed socket
   * @param network what kind of Unix socket it is
   */
  constructor(
    readonly path: string,
    readonly network: 'unix' | 'unixpacket' | 'unixgram' = 'unix',
  ) {
    Object.freeze(this);
  }

  /** The path; `@` for an unnamed socket, as Go prints it on Linux. */
  toString(): string {
    return this.path === '' ? '@' : this.path;
  }
}

/** The address of either end of a pipe. Frozen. */
export class PipeAddr {
  readonly network = 'pipe';

  constructor() {
    Object.freeze(this);
  }

  /** `pipe` */
  toString(): string {
    return 'pipe';
  }
}

/** The address of a socket. */
export type SocketAddr = TCPAddr | UnixAddr;
export type Addr = SocketAddr | PipeAddr;

/** `host:port`, with brackets around a host that has a colon (Go's net.JoinHostPort). */
export function joinHostPort(host: string, port: string | number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Splits `host:port`, `[host]:port` or `[host%zone]:port` (Go's net.SplitHostPort).
 * @throws AddrError with Go's words when it is none of these
 */
export function splitHostPort(address: string): { host: string; port: string } {
  checkString('address', address);
  const fail = (why: string) => new AddrError(why, address);
  const last = address.lastIndexOf(':');
  if (last < 0) throw fail('missing port in address');
  let host: string;
  let openFrom = 0;
  let closeFrom = 0;
  if (address.startsWith('[')) {
    const end = address.indexOf(']');
    if (end < 0) throw fail("missing ']' in address");
    if (end + 1 === address.length) throw fail('missing port in address');
    if (end + 1 !== last)
      throw fail(address[end + 1] === ':' ? 'too many colons in address' : 'missing port in address');
    host = address.slice(1, end);
    openFrom = 1;
    closeFrom = end + 1;
  } else {
    host = address.slice(0, last);
    if (host.includes(':')) throw fail('too many colons in address');
  }
  if (address.includes('[', openFrom)) throw fail("unexpected '[' in address");
  if (address.includes(']', closeFrom)) throw fail("unexpected ']' in address");
  return { host, port: address.slice(last + 1) };
}

/**
 * A port's number: '' is 0, a sign is allowed as in Go.
 * @throws AddrError for one out of range or not numeric
 */
export function parsePort(port: string): number {
  if (port === '') return 0;
  const number = /^[+-]?\d+$/.test(port) ? Number(port) : Number.NaN;
  if (!(number >= 0 && number <= 65535)) throw new AddrError('invalid port', port);
  return number;
}

/** An address as native calls take it. */
export type NativeAddr = [family: number, host: string, port: number, scope: number];

export function toNative(addr: SocketAddr): NativeAddr {
  if (addr instanceof UnixAddr) return [UNIX, addr.path, 0, 0];
  return [isIP(addr.ip) === 6 ? IP6 : IP4, addr.ip, addr.port, indexOf(addr.zone)];
}

/** An address as native calls give it. */
export function fromNative(tuple: AddressTuple, network: string): Addr {
  if (tuple.length === 1) return new UnixAddr(tuple[0], network as UnixAddr['network']);
  const [host, port, scope] = tuple;
  return new TCPAddr(host, port, scope === 0 ? '' : nameOf(scope));
}

// The zones of IPv6 addresses are network interfaces: the kernel numbers them, people name them. Only
// link-local addresses have one, and the interface of such an address is among these.
function zones(): [name: string, index: number][] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.flatMap(({ scopeid = 0 }) => (scopeid === 0 ? [] : [[name, scopeid] as [string, number]])),
  );
}

function indexOf(zone: string): number {
  if (zone === '' || /^\d+$/.test(zone)) return Number(zone);
  return zones().find(([name]) => name === zone)?.[1] ?? 0;
}

function nameOf(index: number): string {
  return zones().find(([, each]) => each === index)?.[0] ?? String(index);
}
