// Type-length-value fields of version 2: a byte, two bytes, and so many of value.

import { checkBytes, checkInteger, checkObject } from '../check';
import { invalidValue, outOfRange } from '../errors';
import { crc32c } from './crc32c';
import { malformed, type ProxyHeader, type ProxySSL, type ProxyTLV, proxyTLVTypes } from './header';

/** A field to be sent. */
export interface ProxyTLVInit {
  /** 0 to 255; see {@link proxyTLVTypes}. */
  type: number;
  /** Up to 65535 bytes, 128 of UNIQUE_ID; a string is sent as UTF-8. Default: empty. CRC32C is computed, whatever stands here. */
  value?: Uint8Array | string | undefined;
}

const HEAD = 3;
const MAX_UNIQUE_ID = 128;
const { ALPN, AUTHORITY, CRC32C, UNIQUE_ID, SSL, SSL_VERSION, SSL_CN, SSL_CIPHER, SSL_SIG_ALG, SSL_KEY_ALG, NETNS } =
  proxyTLVTypes;

/** The fields from there to the end, as views; null where they do not come out even. */
export function splitTLVs(bytes: Buffer, from: number): ProxyTLV[] | null {
  const tlvs: ProxyTLV[] = [];
  for (let at = from; at < bytes.length; ) {
    if (bytes.length - at < HEAD) return null;
    const start = at + HEAD;
    const end = start + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) return null;
    tlvs.push({ type: bytes[at] as number, value: bytes.subarray(start, end) });
    at = end;
  }
  return tlvs;
}

/** The fields that a header is known to have, out of all. `bytes` is the whole header. */
export function describe(
  bytes: Buffer,
  tlvs: readonly ProxyTLV[],
): Pick<ProxyHeader, 'alpn' | 'authority' | 'uniqueId' | 'netns' | 'ssl'> {
  verifyChecksum(bytes, tlvs);
  const uniqueId = fieldOf(tlvs, UNIQUE_ID);
  if (uniqueId !== null && uniqueId.length > MAX_UNIQUE_ID) throw malformed('a unique ID of more than 128 bytes');
  const ssl = fieldOf(tlvs, SSL);
  return {
    alpn: fieldOf(tlvs, ALPN)?.toString('latin1') ?? null,
    authority: textOf(tlvs, AUTHORITY),
    uniqueId,
    netns: textOf(tlvs, NETNS),
    ssl: ssl === null ? null : parseSSL(ssl),
  };
}

function fieldOf(tlvs: readonly ProxyTLV[], type: number): Buffer | null {
  return tlvs.find((tlv) => tlv.type === type)?.value ?? null;
}

function textOf(tlvs: readonly ProxyTLV[], type: number): string | null {
  return fieldOf(tlvs, type)?.toString() ?? null;
}

function verifyChecksum(bytes: Buffer, tlvs: readonly ProxyTLV[]): void {
  const [checksum, another] = tlvs.filter(({ type }) => type === CRC32C);
  if (checksum === undefined) return;
  const { value } = checksum;
  if (value.length !== 4 || another !== undefined) throw malformed('a checksum that is none');
  if (crc32c(bytes, value.byteOffset - bytes.byteOffset) !== value.readUInt32BE()) throw malformed('a wrong checksum');
}

// The bits of the client, a 32-bit number, and fields of its own.
const SSL_HEAD = 5;

function parseSSL(value: Buffer): ProxySSL {
  const tlvs = value.length < SSL_HEAD ? null : splitTLVs(value, SSL_HEAD);
  if (tlvs === null) throw malformed('an SSL field that does not come out even');
  return {
    client: value[0] as number,
    verify: value.readUInt32BE(1),
    version: textOf(tlvs, SSL_VERSION),
    commonName: textOf(tlvs, SSL_CN),
    cipher: textOf(tlvs, SSL_CIPHER),
    signatureAlgorithm: textOf(tlvs, SSL_SIG_ALG),
    keyAlgorithm: textOf(tlvs, SSL_KEY_ALG),
    tlvs,
  };
}

/** The fields as they are sent; a checksum is still zeros. */
export function formatTLVs(tlvs: readonly ProxyTLVInit[]): Buffer {
  return Buffer.concat(tlvs.flatMap((tlv, i) => formatTLV(`header.tlvs[${i}]`, tlv)));
}

function formatTLV(name: string, tlv: ProxyTLVInit): Buffer[] {
  checkObject(name, tlv);
  checkInteger(`${name}.type`, tlv.type, 0, 255);
  const value = bytesOf(`${name}.value`, tlv);
  const most = tlv.type === UNIQUE_ID ? MAX_UNIQUE_ID : 65535;
  if (value.length > most) throw outOfRange(`${name}.value.length`, `<= ${most}`, value.length);
  const head = Buffer.alloc(HEAD);
  head[0] = tlv.type;
  head.writeUInt16BE(value.length, 1);
  return [head, value];
}

function bytesOf(name: string, { type, value = '' }: ProxyTLVInit): Buffer {
  if (type === CRC32C) return Buffer.alloc(4);
  if (typeof value === 'string') return Buffer.from(value);
  checkBytes(name, value);
  return Buffer.from(value.buffer, value.byteOffset, value.length);
}

/** Puts the checksum in its place, in a whole header whose fields begin there. */
export function fillChecksum(header: Buffer, from: number): void {
  const [checksum, another] = (splitTLVs(header, from) ?? []).filter(({ type }) => type === CRC32C);
  if (another !== undefined) throw invalidValue('header.tlvs', 'must not have two checksums', another);
  const { value } = checksum ?? {};
  value?.writeUInt32BE(crc32c(header, value.byteOffset - header.byteOffset));
}
