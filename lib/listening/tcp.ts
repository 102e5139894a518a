// TCP listeners: both families on one socket where the address is a wildcard.

import { type NativeAddr, type TCPAddr, toNative } from '../addr';
import { IP4, IP6, native } from '../binding';
import { IPPROTO_MPTCP } from '../dialing/connect';
import type { OpError } from '../errors';
import { keepAliveOf } from '../keep-alive';
import type { ListenOptions } from '../listen';
import { isWildcard, SocketListener } from '../listener';
import { familyOf } from '../resolve';
import { applyKeepAlive } from '../tcp-conn';
import { addressOf, bindAndListen } from './bind';

export function listenTCP(network: string, addr: TCPAddr, options: ListenOptions): SocketListener {
  const id = openTCP(network, addr, options);
  return new SocketListener(id, network, addressOf(id, network));
}

function openTCP(network: string, addr: TCPAddr, options: ListenOptions): number {
  if (!isWildcard(addr.ip)) return bindTCP(network, addr, toNative(addr), options);
  if (familyOf(network) === 4) return bindTCP(network, addr, [IP4, '0.0.0.0', addr.port, 0], options);
  try {
    return bindTCP(network, addr, [IP6, '::', addr.port, 0], options);
  } catch (error) {
    // A machine without IPv6 listens on IPv4 alone, as Go's does.
    if (familyOf(network) === 6 || (error as OpError).code !== 'EAFNOSUPPORT') throw error;
    return bindTCP(network, addr, [IP4, '0.0.0.0', addr.port, 0], options);
  }
}

function bindTCP(network: string, addr: TCPAddr, to: NativeAddr, options: ListenOptions): number {
  const prepare = (socket: number) => {
    native.setReuseAddr(socket);
    if (options.reusePort === true) native.setReusePort(socket);
    if (to[0] === IP6) native.setV6Only(socket, familyOf(network) === 6 ? 1 : 0);
    // Accepted connections inherit these, so that none of them costs a system call of its own.
    native.setNoDelay(socket, 1);
    const keepAlive = keepAliveOf(options);
    if (keepAlive.enable) applyKeepAlive(socket, keepAlive);
  };
  const binding = { network, addr, to, prepare };
  if (options.multipathTCP !== true) return bindAndListen(binding, options);
  try {
    return bindAndListen({ ...binding, protocol: IPPROTO_MPTCP }, options);
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    // Whatever stands in the way of Multipath TCP, the answer is plain TCP: Go's listenMPTCP.
    return bindAndListen(binding, options);
  }
}
