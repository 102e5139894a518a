// Addresses in Node's form, from and to the form of native calls.

import { TCPAddr as Addr, fromNative, type NativeAddr, type TCPAddr, toNative } from '../addr';
import { type AddressTuple, IP4, IP6 } from '../binding';

/** What address() gives for TCP. */
export interface AddressInfo {
  address: string;
  family: string;
  port: number;
}

export type Family = 4 | 6;

/** @param family of the socket, which shows an IPv4 peer as IPv4 mapped into IPv6 where it is 6 */
export function infoOf(tuple: AddressTuple, family: Family): AddressInfo {
  const [host, port = 0, scope = 0] = tuple;
  return { address: family === 6 ? sixOf(host, port, scope) : host, family: `IPv${family}`, port };
}

function sixOf(host: string, port: number, scope: number): string {
  if (!host.includes(':')) return `::ffff:${host}`;
  if (scope === 0) return host;
  const { ip, zone } = fromNative([host, port, scope], 'tcp') as TCPAddr;
  return `${ip}%${zone}`;
}

/** An address of a family; it may name a zone. */
export function nativeOf(address: string, port: number, family: Family): NativeAddr {
  const at = address.indexOf('%');
  if (at < 0) return [family === 6 ? IP6 : IP4, address, port, 0];
  return toNative(new Addr(address.slice(0, at), port, address.slice(at + 1)));
}

/** A path as native calls take it: there `@` stands for the NUL that Linux's abstract names begin with. */
export function nativePath(path: string): string {
  if (path.startsWith('\0')) return `@${path.slice(1)}`;
  return path.startsWith('@') ? `./${path}` : path;
}
