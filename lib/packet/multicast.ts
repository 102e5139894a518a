// Options of sockets that carry IP: groups, broadcast, hop limits.

import { isIP } from 'node:net';
import { constants, networkInterfaces } from 'node:os';
import type { IPAddr, UDPAddr } from '../addr';
import { native } from '../binding';
import { checkBoolean, checkInteger, checkObject, checkString } from '../check';
import { AddrError, OpError, SyscallError } from '../errors';
import { PacketSocketConn } from './packet-socket';

export interface GroupOptions {
  /** The interface, by its name or an address of its own. Default: the system's choice. */
  interface?: string | undefined;
  /** Only what comes from this address (source-specific multicast). */
  source?: string | undefined;
}

export abstract class MulticastConn<A extends UDPAddr | IPAddr> extends PacketSocketConn<A> {
  /**
   * Receives what is sent to a group of IPv4 or IPv6 from now on.
   * @param group a multicast address, such as `224.0.0.251` or `ff02::fb`
   * @throws OpError `op: 'set'`: `EADDRINUSE` where it has joined already, `ENODEV` without a suitable interface, …
   */
  joinGroup(group: string, options: GroupOptions = {}): void {
    this.changeMembership(true, group, options);
  }

  /** Undoes joinGroup() with the same arguments. @throws OpError `op: 'set'` */
  leaveGroup(group: string, options: GroupOptions = {}): void {
    this.changeMembership(false, group, options);
  }

  /** Whether this machine receives what it sends to groups that it has joined (the default). */
  setMulticastLoopback(on: boolean): void {
    checkBoolean('on', on);
    this.set(() => native.setMulticastLoopback(this.id, on ? 1 : 0));
  }

  /** How many networks what is sent to a group may cross. @param hops 0 to 255; by default 1 */
  setMulticastTTL(hops: number): void {
    checkInteger('hops', hops, 0, 255);
    this.set(() => native.setMulticastHops(this.id, hops));
  }

  /** The interface that sends to groups. @param name its name, or an address of its own; empty: the system's choice */
  setMulticastInterface(name: string): void {
    checkString('name', name);
    this.set(() => native.setMulticastInterface(this.id, interfaceIndex(name)));
  }

  /** How many networks everything else may cross (TTL, hop limit). @param hops 1 to 255; by default 64 on most systems */
  setTTL(hops: number): void {
    checkInteger('hops', hops, 1, 255);
    this.set(() => native.setHops(this.id, hops));
  }

  /** Whether sending to a broadcast address is allowed (the default, as in Go). */
  setBroadcast(on: boolean): void {
    checkBoolean('on', on);
    this.set(() => native.setBroadcast(this.id, on ? 1 : 0));
  }

  private changeMembership(join: boolean, group: string, options: GroupOptions): void {
    checkString('group', group);
    checkObject('options', options);
    const { interface: name = '', source = '' } = options;
    checkString('options.interface', name);
    checkString('options.source', source);
    for (const host of source === '' ? [group] : [group, source]) {
      if (isIP(host) === 0) {
        throw new OpError('set', this.net, null, this.localAddr, new AddrError('invalid IP address', host));
      }
    }
    this.set(() => native.changeMembership(this.id, join, interfaceIndex(name), group, source));
  }
}

/** @throws SyscallError `ENODEV` where there is no such interface */
export function interfaceIndex(name: string): number {
  if (name === '') return 0;
  const index = native.interfaceIndex(isIP(name) === 0 ? name : interfaceOf(name));
  if (index === 0) throw new SyscallError('setsockopt', -constants.errno.ENODEV);
  return index;
}

/** The name of the interface that has the address. */
function interfaceOf(address: string): string {
  const all = Object.entries(networkInterfaces());
  return all.find(([, addresses]) => addresses?.some((each) => each.address === address))?.[0] ?? '';
}
