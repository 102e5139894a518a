// The hosts of a header, as bytes of one family.

import { hostBytes } from '../addr';
import { AddrError } from '../errors';

/** What precedes an IPv4 address in IPv6. */
export const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

/** The bytes of both hosts, of 4 or of 16: IPv4 becomes a mapped address beside IPv6. */
export function sameFamily(source: { ip: string }, destination: { ip: string }): [Buffer, Buffer] {
  const from = bytesOf(source.ip);
  const to = bytesOf(destination.ip);
  return from.length === to.length ? [from, to] : [mapped(from), mapped(to)];
}

const mapped = (host: Buffer): Buffer => (host.length === 4 ? Buffer.concat([MAPPED, host]) : host);

function bytesOf(ip: string): Buffer {
  const bytes = hostBytes(ip === '' ? '0.0.0.0' : ip);
  if (bytes === null) throw new AddrError('invalid IP address', ip);
  return bytes;
}
