// Addresses of datagrams on their way through the slots that native code shares with us.

import { type Addr, addrAt, IPAddr, type Packed, packedOf, UDPAddr, UnixAddr } from '../addr';
import { FAMILY, HOST, IP4, IP6, PORT, SCOPE, SLOT, slotBytes, slots, UNIX } from '../binding';
import { AddrError } from '../errors';

/** No address: the datagram goes to the peer. */
export function putNone(slot: number): void {
  slots[slot + FAMILY] = 0;
}

/** A destination that suits a socket of the family; see unsuitableHost(). */
export function put(addr: Addr, family: number, slot: number): void {
  if (addr instanceof UnixAddr) putPath(addr.path, slot);
  else putHost(packedOf(addr as UDPAddr | IPAddr), (addr as UDPAddr).port, family, slot);
}

function putPath(path: string, slot: number): void {
  slots[slot + FAMILY] = UNIX;
  slots[slot + PORT] = slotBytes.write(path, 4 * (slot + HOST), 4 * (SLOT - HOST));
}

// The third word of an IPv4 address that is mapped into IPv6: ::ffff:0:0.
const MAPPED = new Int32Array(new Uint8Array([0, 0, 0xff, 0xff]).buffer)[0] as number;

function putHost({ family: own, words, scope }: Packed, port: number, family: number, slot: number): void {
  slots[slot + FAMILY] = family;
  slots[slot + PORT] = port;
  slots[slot + SCOPE] = scope;
  if (family === IP4) {
    slots[slot + HOST] = words[0];
    return;
  }
  const mapped = own === IP4;
  slots[slot + HOST] = mapped ? 0 : words[0];
  slots[slot + HOST + 1] = mapped ? 0 : words[1];
  // The IPv4 wildcard is the IPv6 one on a socket that carries both.
  slots[slot + HOST + 2] = mapped ? (words[0] === 0 ? 0 : MAPPED) : words[2];
  slots[slot + HOST + 3] = mapped ? words[0] : words[3];
}

/** Why an address cannot be put for a socket of the family; null if it can. */
export function unsuitableHost(addr: UDPAddr | IPAddr, family: number): AddrError | null {
  try {
    return family === IP4 && packedOf(addr).family === IP6 ? new AddrError('non-IPv4 address', addr.ip) : null;
  } catch (error) {
    return error as AddrError;
  }
}

// Who sends one datagram is likely to send the next, and making an address costs as much as receiving
// it. They are frozen, so that one object serves for all of them.
const REMEMBERED = 1024;
const senders: (Sender | undefined)[] = new Array(REMEMBERED).fill(undefined);

interface Sender {
  readonly addr: UDPAddr;
  readonly family: number;
  readonly port: number;
  readonly scope: number;
  readonly words: readonly [number, number, number, number];
}

const toUDP = (ip: string, port: number, zone: string) => new UDPAddr(ip, port, zone);
const toIP = (ip: string, _port: number, zone: string) => new IPAddr(ip, zone);

/** The sender of a UDP datagram. */
export function udpAddrAt(slot: number): UDPAddr {
  const index = indexOf(slot);
  const known = senders[index];
  if (known !== undefined && isSame(known, slot)) return known.addr;
  const addr = addrAt(slot, toUDP);
  const { family, words, scope } = packedOf(addr);
  senders[index] = { addr, family, words, scope, port: addr.port };
  return addr;
}

function indexOf(slot: number): number {
  const last = slots[slot + FAMILY] === IP4 ? slots[slot + HOST] : slots[slot + HOST + 3];
  const mixed = Math.imul(last as number, 0x9e3779b1) ^ Math.imul(slots[slot + PORT] as number, 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) & (REMEMBERED - 1);
}

function isSame({ family, port, scope, words }: Sender, slot: number): boolean {
  if (port !== slots[slot + PORT] || words[0] !== slots[slot + HOST] || family !== slots[slot + FAMILY]) return false;
  if (family === IP4) return true;
  const at = slot + HOST;
  return (
    words[1] === slots[at + 1] &&
    words[2] === slots[at + 2] &&
    words[3] === slots[at + 3] &&
    scope === slots[slot + SCOPE]
  );
}

/** The sender of a raw IP packet. */
export function ipAddrAt(slot: number): IPAddr {
  return addrAt(slot, toIP);
}

/** The sender of a Unix datagram; null for one without a name. */
export function unixgramAddrAt(slot: number): UnixAddr | null {
  if (slots[slot + FAMILY] !== UNIX) return null;
  const from = 4 * (slot + HOST);
  return new UnixAddr(slotBytes.toString('utf8', from, from + (slots[slot + PORT] as number)), 'unixgram');
}
