// Addresses: parsed and printed as Go's net package does.

import { readlinkSync } from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type AddressTuple, FAMILY, HOST, IP4, IP6, native, PORT, SCOPE, slotBytes, slots, UNIX } from './binding';
import { checkInteger, checkString } from './check';
import { AddrError, invalidType } from './errors';

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
    checkHost(ip, zone);
    checkPort(port);
    Object.freeze(this);
  }

  /** `127.0.0.1:80`, `[fe80::1%eth0]:80`, `:80` */
  toString(): string {
    return joinHostPort(this.zone === '' ? this.ip : `${this.ip}%${this.zone}`, this.port);
  }
}

function checkHost(ip: unknown, zone: unknown): void {
  checkString('ip', ip);
  checkString('zone', zone);
}

function checkPort(port: unknown): void {
  checkInteger('port', port, 0, 65535);
}

/** What an IP address is in a packet. */
export interface Packed {
  family: 4 | 6;
  /** Its bytes as words; IPv4 has one. */
  words: readonly [number, number, number, number];
  /** The index of the zone's interface. */
  scope: number;
}

/** An IP address that datagrams go to and come from: it remembers what it is in a packet. */
abstract class PacketAddr {
  #packed: Packed | null = null;

  protected constructor(
    /** Numeric; empty for "any". */
    readonly ip: string,
    /** Of a link-local IPv6 address: an interface's name or index. */
    readonly zone: string,
  ) {
    checkHost(ip, zone);
  }

  abstract toString(): string;

  /** @internal @throws AddrError when `ip` is no address */
  static pack(addr: PacketAddr): Packed {
    addr.#packed ??= packHost(addr.ip, indexOf(addr.zone));
    return addr.#packed;
  }

  /** @internal */
  static remember(addr: PacketAddr, packed: Packed): void {
    addr.#packed = packed;
  }
}

/** What the address is in a packet. @throws AddrError when its `ip` is no address */
export const packedOf: (addr: UDPAddr | IPAddr) => Packed = PacketAddr.pack;

/** The address of one end of a UDP socket. Frozen. */
export class UDPAddr extends PacketAddr {
  readonly network = 'udp';

  /**
   * @param ip numeric address; empty for "any"
   * @param port 0 to 65535
   * @param zone of a link-local IPv6 address: an interface's name or index
   */
  constructor(
    ip: string,
    readonly port: number,
    zone = '',
  ) {
    super(ip, zone);
    checkPort(port);
    Object.freeze(this);
  }

  /** `127.0.0.1:53`, `[fe80::1%eth0]:53`, `:53` */
  override toString(): string {
    return joinHostPort(this.zone === '' ? this.ip : `${this.ip}%${this.zone}`, this.port);
  }
}

/** The address of an end of a raw IP socket. Frozen. */
export class IPAddr extends PacketAddr {
  readonly network = 'ip';

  /**
   * @param ip numeric address; empty for "any"
   * @param zone of a link-local IPv6 address: an interface's name or index
   */
  constructor(ip: string, zone = '') {
    super(ip, zone);
    Object.freeze(this);
  }

  /** Always 0: below UDP and TCP there are no ports. */
  get port(): number {
    return 0;
  }

  /** `127.0.0.1`, `fe80::1%eth0` */
  override toString(): string {
    return this.zone === '' ? this.ip : `${this.ip}%${this.zone}`;
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

/** What stands for a descriptor in errors about adopting it. Frozen. */
export class FileAddr {
  readonly network = 'file+net';

  constructor(readonly name: string) {
    Object.freeze(this);
  }

  toString(): string {
    return this.name;
  }
}

/** @internal What an error names for a descriptor: its path, where it has one and the system tells it. */
export function fileAddr(fd: number): SocketAddr | null {
  const path = pathOf(fd);
  return path === null ? null : (new FileAddr(path) as unknown as SocketAddr);
}

function pathOf(fd: number): string | null {
  try {
    const target = readlinkSync(`/proc/self/fd/${fd}`);
    return target.startsWith('/') ? target : null;
  } catch {
    return null; // not on Linux, or no such descriptor
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
export type SocketAddr = TCPAddr | UDPAddr | IPAddr | UnixAddr;
export type Addr = SocketAddr | PipeAddr;

/** `host:port`, with brackets around a host that has a colon (Go's net.JoinHostPort). */
export function joinHostPort(host: string, port: string | number): string {
  checkString('host', host);
  if (typeof port !== 'string' && typeof port !== 'number') throw invalidType('port', 'of type string or number', port);
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
  const number = portNumber(port);
  if (number === null) throw new AddrError('invalid port', port);
  return number;
}

/**
 * The same for one that may be the name of a service: null.
 * @throws AddrError for a number out of range
 */
export function portNumber(port: string): number | null {
  if (!/^[+-]?\d*$/.test(port)) return null;
  const number = Number(port.replace(/^[+-]$/, ''));
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
export function fromNative(tuple: AddressTuple, network: string): SocketAddr {
  if (tuple.length === 1) return new UnixAddr(tuple[0], network as UnixAddr['network']);
  const [host, port, scope] = tuple;
  const zone = nameOf(scope);
  if (network.startsWith('udp')) return new UDPAddr(host, port, zone);
  return network.startsWith('ip') ? new IPAddr(host, zone) : new TCPAddr(host, port, zone);
}

const ANY: Packed = { family: 4, words: [0, 0, 0, 0], scope: 0 };

function packHost(ip: string, scope: number): Packed {
  if (ip === '') return ANY;
  const family = native.hostWords(ip) as 0 | 4 | 6;
  if (family === 0) throw new AddrError('invalid IP address', ip);
  return { family, words: wordsAt(0), scope };
}

function wordsAt(slot: number): Packed['words'] {
  const [a, b, c, d] = slots.subarray(slot + HOST, slot + HOST + 4) as unknown as Packed['words'];
  return slots[slot + FAMILY] === IP4 ? [a, 0, 0, 0] : [a, b, c, d];
}

/** The numeric address whose bytes stand in a slot. */
export function hostAt(slot: number): string {
  return textOfHost(slotBytes, 4 * (slot + HOST), slots[slot + FAMILY] === IP4 ? 4 : 16);
}

/** The numeric address of so many bytes there, 4 or 16. */
export function textOfHost(bytes: Buffer, at: number, size: number): string {
  if (size === 4) return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(at + 2 * i).toString(16));
  return shortened(groups);
}

/** The bytes of a numeric address, 4 or 16; null for one that is none. IPv4-mapped ones have 4. */
export function hostBytes(ip: string): Buffer | null {
  const family = native.hostWords(ip);
  return family === 0 ? null : Buffer.from(slotBytes.subarray(4 * HOST, 4 * HOST + (family === IP4 ? 4 : 16)));
}

// The longest run of two and more zeros, the first of several, becomes "::" (RFC 5952).
function shortened(groups: readonly string[]): string {
  let from = 0;
  let most = 1;
  for (let i = 0; i < groups.length; i++) {
    let n = 0;
    while (groups[i + n] === '0') n++;
    if (n > most) [from, most] = [i, n];
  }
  if (most === 1) return groups.join(':');
  return `${groups.slice(0, from).join(':')}::${groups.slice(from + most).join(':')}`;
}

/** A numeric address as it is written canonically; null for one that is none. */
export function canonicalHost(ip: string): string | null {
  return native.hostWords(ip) === 0 ? null : hostAt(0);
}

/** The address at a slot, which remembers what it is in a packet. */
export function addrAt<A extends UDPAddr | IPAddr>(
  slot: number,
  make: (ip: string, port: number, zone: string) => A,
): A {
  const scope = slots[slot + SCOPE] as number;
  const addr = make(hostAt(slot), slots[slot + PORT] as number, nameOf(scope));
  PacketAddr.remember(addr, { family: slots[slot + FAMILY] as 4 | 6, words: wordsAt(slot), scope });
  return addr;
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
  if (index === 0) return '';
  return zones().find(([, each]) => each === index)?.[0] ?? String(index);
}
