// Whose PROXY headers are believed.

import { type Addr, hostBytes, TCPAddr, UnixAddr } from '../addr';
import { checkString } from '../check';
import { invalidType, invalidValue } from '../errors';

/** So many bits at the start of an address. */
interface Range {
  host: Buffer;
  bits: number;
}

/** Addresses, ranges of addresses, and perhaps all who connect over Unix sockets. */
export class Trust {
  private readonly ranges: readonly Range[];
  private readonly unix: boolean;

  /** @param trusted `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`, `unix` */
  constructor(trusted: readonly string[]) {
    if (!Array.isArray(trusted)) throw invalidType('options.trusted', 'an array of strings', trusted);
    trusted.forEach((each, i) => {
      checkString(`options.trusted[${i}]`, each);
    });
    this.unix = trusted.includes('unix');
    this.ranges = trusted.flatMap((each, i) => (each === 'unix' ? [] : [rangeOf(`options.trusted[${i}]`, each)]));
  }

  has(addr: Addr): boolean {
    if (addr instanceof UnixAddr) return this.unix && addr.network === 'unix';
    const host = addr instanceof TCPAddr ? hostBytes(addr.ip) : null;
    return host !== null && this.ranges.some((range) => contains(range, host));
  }
}

function rangeOf(name: string, text: string): Range {
  const [, ip = text, length] = /^([^/]*)\/(\d{1,3})$/.exec(text) ?? [];
  const host = hostBytes(ip);
  if (host === null) throw invalidValue(name, "must be an IP address, a CIDR range or 'unix'", text);
  const size = 8 * host.length;
  // IPv4 in IPv6 is plain IPv4 here, as connections have it.
  const bits = length === undefined ? size : Number(length) - (ip.includes(':') ? 128 - size : 0);
  if (bits < 0 || bits > size) throw invalidValue(name, 'must have a prefix that its address has room for', text);
  return { host, bits };
}

function contains({ host, bits }: Range, other: Buffer): boolean {
  if (host.length !== other.length) return false;
  const whole = bits >> 3;
  if (host.compare(other, 0, whole, 0, whole) !== 0) return false;
  const rest = 8 - (bits & 7);
  return rest === 8 || (host[whole] as number) >> rest === (other[whole] as number) >> rest;
}
