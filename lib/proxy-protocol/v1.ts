// Version 1, a line of text:
//
//   PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n
//   PROXY TCP6 2001:db8::1 2001:db8::7 56324 443\r\n
//   PROXY UNKNOWN …\r\n

import { type Addr, canonicalHost, TCPAddr, textOfHost } from '../addr';
import { malformed, oversized, type ProxyHeader, UNTOLD } from './header';
import { sameFamily } from './hosts';

export const V1_SIGNATURE = Buffer.from('PROXY');

/** No header of either version is shorter. */
export const SHORTEST = 'PROXY UNKNOWN\r\n'.length;
const LONGEST = 107;
const UNKNOWN = 'PROXY UNKNOWN';
const CR = 13;
const LF = 10;

/** How many bytes a header has that begins so: exactly, once they are all there; until then, at least. */
export function measureV1(bytes: Buffer): number {
  const end = lineEnd(bytes);
  if (end > LONGEST) throw oversized(`a line of more than ${LONGEST} bytes`);
  return end;
}

// What is behind UNKNOWN is to be ignored, whatever it is. Elsewhere a LF on its own will never do.
function lineEnd(bytes: Buffer): number {
  for (let lf = bytes.indexOf(LF); lf >= 0; lf = bytes.indexOf(LF, lf + 1)) {
    if (bytes[lf - 1] === CR) return lf + 1;
    if (!bytes.subarray(0, lf).toString('latin1').startsWith(UNKNOWN)) throw malformed('a line that ends without CR');
  }
  return Math.max(bytes.length + (bytes[bytes.length - 1] === CR ? 1 : 2), SHORTEST);
}

const LINE = /^PROXY (TCP[46]) (\S+) (\S+) (\d+) (\d+)\r\n$/;
const UNKNOWN_LINE = /^PROXY UNKNOWN( .*)?\r\n$/s;

export function parseV1(bytes: Buffer): ProxyHeader {
  const line = bytes.toString('latin1');
  const header = { version: 1, command: 'PROXY', ...UNTOLD, length: bytes.length } as const;
  if (UNKNOWN_LINE.test(line)) return header;
  const [matched, protocol, source = '', destination = '', from = '', to = ''] = LINE.exec(line) ?? [];
  if (matched === undefined) throw malformed('a line of another form');
  const hostOf = protocol === 'TCP4' ? ip4 : ip6;
  return {
    ...header,
    source: new TCPAddr(hostOf(source), portOf(from)),
    destination: new TCPAddr(hostOf(destination), portOf(to)),
  };
}

const IP4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;
const IP6 = /^[\da-f:.]*:[\da-f:.]*$/i;

function ip4(text: string): string {
  if (!IP4.test(text)) throw malformed('an address that is not IPv4');
  return text;
}

// IPv4 in IPv6 comes out as plain IPv4, as everywhere in this package.
function ip6(text: string): string {
  const ip = IP6.test(text) ? canonicalHost(text) : null;
  if (ip === null) throw malformed('an address that is not IPv6');
  return ip;
}

const PORT = /^(0|[1-9]\d{0,4})$/;

function portOf(text: string): number {
  if (!PORT.test(text) || Number(text) > 65535) throw malformed('a port that is none');
  return Number(text);
}

export function formatV1(source: Addr | null, destination: Addr | null): Buffer {
  if (!(source instanceof TCPAddr && destination instanceof TCPAddr)) return Buffer.from(`${UNKNOWN}\r\n`);
  const hosts = sameFamily(source, destination);
  const protocol = hosts[0].length === 4 ? 'TCP4' : 'TCP6';
  // In hexadecimal alone, as the protocol has it, where a canonical address might end in dotted decimal.
  const [from, to] = hosts.map((host) => textOfHost(host, 0, host.length));
  return Buffer.from(`PROXY ${protocol} ${from} ${to} ${source.port} ${destination.port}\r\n`);
}
