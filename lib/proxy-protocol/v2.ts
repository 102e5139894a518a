// Version 2, binary:
//
//    0  signature, 12 bytes
//   12  version 2 and command, 4 bits each
//   13  address family and transport, 4 bits each
//   14  length of what follows, 2 bytes
//   16  addresses: source, destination; ports, where there are any
//    …  fields (tlv.ts)

import { type Addr, type SocketAddr, TCPAddr, textOfHost, UDPAddr, UnixAddr } from '../addr';
import { outOfRange } from '../errors';
import { malformed, oversized, type ProxyHeader, UNTOLD } from './header';
import { MAPPED, sameFamily } from './hosts';
import { describe, fillChecksum, formatTLVs, type ProxyTLVInit, splitTLVs } from './tlv';

export const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n');

const HEAD = 16;
const LOCAL = 0x20;
const PROXY = 0x21;

const UNSPEC = 0;
const INET = 1;
const INET6 = 2;
const UNIX = 3;
const STREAM = 1;
const DGRAM = 2;

const PATH = 108;
/** How many bytes both addresses of a family take. */
const ADDRESSES: Readonly<Record<number, number>> = { [INET]: 12, [INET6]: 36, [UNIX]: 2 * PATH };

/** How many bytes a header has that begins so: exactly, once that is known; until then, at least. */
export function measureV2(bytes: Buffer, max: number): number {
  if (bytes.length < HEAD) return HEAD;
  const length = HEAD + bytes.readUInt16BE(14);
  if (length > max) throw oversized(`${length} bytes, where ${max} are allowed`);
  return length;
}

/** @param bytes the whole header, in memory that stays: fields are views of it */
export function parseV2(bytes: Buffer): ProxyHeader {
  const command = bytes[12] as number;
  if (command !== LOCAL && command !== PROXY) throw malformed('another version or command');
  // All that follows is to be ignored, the family too.
  if (command === LOCAL) return { version: 2, command: 'LOCAL', ...UNTOLD, length: bytes.length };
  const { addresses, tlvs } = parseBlock(bytes);
  const [source = null, destination = null] = addresses;
  const told = { source, destination, tlvs, length: bytes.length, ...describe(bytes, tlvs) };
  return { version: 2, command: 'PROXY', ...told };
}

function parseBlock(bytes: Buffer): { addresses: SocketAddr[]; tlvs: ProxyHeader['tlvs'] } {
  const family = (bytes[13] as number) >> 4;
  const transport = (bytes[13] as number) & 15;
  if (family > UNIX || transport > DGRAM) throw malformed('another address family or transport');
  // There may be addresses that nobody is told how to read, or fields alone.
  if (family === UNSPEC || transport === UNSPEC) return { addresses: [], tlvs: splitTLVs(bytes, HEAD) ?? [] };
  const start = HEAD + (ADDRESSES[family] as number);
  if (bytes.length < start) throw malformed('too short for its addresses');
  const tlvs = splitTLVs(bytes, start);
  if (tlvs === null) throw malformed('fields that do not come out even');
  return { addresses: family === UNIX ? paths(bytes, transport) : hosts(bytes, family, transport), tlvs };
}

function hosts(bytes: Buffer, family: number, transport: number): SocketAddr[] {
  const size = family === INET ? 4 : 16;
  const make = transport === STREAM ? TCPAddr : UDPAddr;
  return [0, 1].map((i) => {
    const port = bytes.readUInt16BE(HEAD + 2 * size + 2 * i);
    return new make(hostAt(bytes, HEAD + i * size, size), port);
  });
}

// IPv4 in IPv6 comes out as plain IPv4, as everywhere in this package.
function hostAt(bytes: Buffer, at: number, size: number): string {
  const mapped = size === 16 && MAPPED.equals(bytes.subarray(at, at + MAPPED.length));
  return mapped ? textOfHost(bytes, at + MAPPED.length, 4) : textOfHost(bytes, at, size);
}

function paths(bytes: Buffer, transport: number): UnixAddr[] {
  return [0, 1].map((i) => {
    const at = HEAD + i * PATH;
    return new UnixAddr(pathOf(bytes.subarray(at, at + PATH)), transport === STREAM ? 'unix' : 'unixgram');
  });
}

// A path ends at its NUL. A name in Linux's abstract namespace begins with one, and has no other end here than zeros.
function pathOf(bytes: Buffer): string {
  let end = bytes.indexOf(0);
  if (end === 0) for (end = bytes.length; end > 0 && bytes[end - 1] === 0; ) end--;
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end).replace(/^\0/, '@');
}

export function formatV2(
  command: 'PROXY' | 'LOCAL',
  source: Addr | null,
  destination: Addr | null,
  tlvs: readonly ProxyTLVInit[],
): Buffer {
  const [family, addresses] = command === 'LOCAL' ? NO_ADDRESSES : formatAddresses(source, destination);
  const fields = formatTLVs(tlvs);
  const length = addresses.length + fields.length;
  if (length > 65535) throw outOfRange('the length of addresses and fields', '<= 65535', length);
  const head = Buffer.alloc(HEAD);
  V2_SIGNATURE.copy(head);
  head[12] = command === 'LOCAL' ? LOCAL : PROXY;
  head[13] = family;
  head.writeUInt16BE(length, 14);
  const header = Buffer.concat([head, addresses, fields]);
  fillChecksum(header, HEAD + addresses.length);
  return header;
}

const NO_ADDRESSES: [family: number, addresses: Buffer] = [UNSPEC, Buffer.alloc(0)];

function formatAddresses(source: Addr | null, destination: Addr | null): [family: number, addresses: Buffer] {
  if (source instanceof TCPAddr && destination instanceof TCPAddr) return formatHosts(source, destination, STREAM);
  if (source instanceof UDPAddr && destination instanceof UDPAddr) return formatHosts(source, destination, DGRAM);
  if (!(source instanceof UnixAddr && destination instanceof UnixAddr)) return NO_ADDRESSES;
  const transport = { unix: STREAM, unixgram: DGRAM, unixpacket: UNSPEC }[source.network];
  if (transport === UNSPEC || source.network !== destination.network) return NO_ADDRESSES;
  return [(UNIX << 4) | transport, Buffer.concat([formatPath(source), formatPath(destination)])];
}

function formatHosts(source: TCPAddr | UDPAddr, destination: TCPAddr | UDPAddr, transport: number): [number, Buffer] {
  const [from, to] = sameFamily(source, destination);
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  return [((from.length === 4 ? INET : INET6) << 4) | transport, Buffer.concat([from, to, ports])];
}

function formatPath({ path }: UnixAddr): Buffer {
  const name = Buffer.from(path.replace(/^@/, '\0'));
  if (name.length > PATH) throw outOfRange('the length of a path', `<= ${PATH}`, name.length);
  return Buffer.concat([name, Buffer.alloc(PATH - name.length)]);
}
