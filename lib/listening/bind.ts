// From a socket to a listener, one system call at a time.

import { type Addr, fromNative, type NativeAddr } from '../addr';
import { native } from '../binding';
import { runControl } from '../control';
import { OpError, thrownCause } from '../errors';
import type { ListenOptions } from '../listen';
import { socketType } from '../network';

/** What differs between the networks. */
export interface Binding {
  readonly network: string;
  /** The address as it was asked for: in errors, and for the control hook. */
  readonly addr: Addr;
  readonly to: NativeAddr;
  /** 0: the network's own. */
  readonly protocol?: number;
  /** Sets the socket's options. */
  prepare?(socket: number): void;
  /** Between bind(2) and listen(2). */
  bound?(): void;
}

/**
 * The id of a native listener.
 * @throws OpError `op: 'listen'`
 */
export function bindAndListen(binding: Binding, options: ListenOptions): number {
  const { network, addr, to, protocol = 0 } = binding;
  let socket = -1;
  try {
    socket = native.openSocket(to[0], socketType(network), protocol);
    binding.prepare?.(socket);
    runControl(options.control, network, to[0], addr, socket);
    options.signal?.throwIfAborted();
    native.bind(socket, ...to);
    binding.bound?.();
    return native.listen(socket, options.backlog ?? 0);
  } catch (error) {
    native.close(socket);
    throw new OpError('listen', network, null, addr, thrownCause(error));
  }
}

/** The address that the kernel gave a socket. */
export function addressOf(id: number, network: string): Addr {
  return fromNative(native.localAddr(id) ?? [''], network);
}
