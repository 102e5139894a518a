// Addresses as node:net tells them.

import { type Addr, TCPAddr } from '../addr';

/** What address() gives; nothing of what has no IP address. */
export interface AddressInfo {
  address: string;
  family: string;
  port: number;
}

export function infoOf(addr: Addr): Partial<AddressInfo> {
  if (!(addr instanceof TCPAddr)) return {};
  const { ip, port, zone } = addr;
  return { address: zone === '' ? ip : `${ip}%${zone}`, family: ip.includes(':') ? 'IPv6' : 'IPv4', port };
}
