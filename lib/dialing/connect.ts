// One address: a socket, its settings, and a connect(2) that may take its time.

import { type SocketAddr as Addr, type NativeAddr, toNative, UnixAddr } from '../addr';
import { AGAIN, EXPIRED, IP4, IP6, native, ONCE, WRITE, WRITE_EXPIRED, WRITE_SIDE } from '../binding';
import { runControl } from '../control';
import type { DialOptions } from '../dial';
import { unwatch, type Waiter, watch } from '../dispatch';
import { causeOf, ErrDeadlineExceeded, SyscallError } from '../errors';
import { keepAliveOf } from '../keep-alive';
import { isTCP, socketType } from '../network';
import { Pending } from '../pending';
import { familyOf } from '../resolve';
import { applyKeepAlive } from '../tcp-conn';

/** What one attempt is to do. */
export interface Attempt {
  readonly network: string;
  readonly local: Addr | null;
  readonly remote: Addr;
  /** Milliseconds since the epoch; NaN for none. */
  readonly deadline: number;
  readonly options: DialOptions;
  /** Told of the connect that is under way, so that it can be ended. */
  readonly onConnecting: (connecting: Connecting) => void;
}

/** One connect(2) in progress. Resolves to the id of the native stream. */
export class Connecting extends Pending<number> implements Waiter {
  /** @param deadline milliseconds since the epoch, or NaN */
  constructor(
    readonly id: number,
    deadline: number,
  ) {
    super();
    watch(this);
    if (native.setDeadline(id, WRITE_SIDE, deadline) !== 0) this.end(causeOf(EXPIRED, 'connect'));
    else native.awaitNotice(id, WRITE, ONCE);
  }

  /** From the reactor. */
  notice(bits: number): void {
    const status = native.finishConnect(this.id, true);
    if (status >= 0) {
      unwatch(this.id);
      this.resolve(status);
    } else if (status !== AGAIN || (bits & WRITE_EXPIRED) !== 0) {
      this.end(causeOf(status === AGAIN ? EXPIRED : status, 'connect'));
    }
  }

  end(cause: unknown): void {
    unwatch(this.id);
    native.close(this.id);
    this.fail(cause);
  }
}

/** Protocols of openSocket: the network's own, or Multipath TCP (linux/in.h). */
const DEFAULT_PROTOCOL = 0;
export const IPPROTO_MPTCP = 262;

// Go's number: connections to oneself, and the kernel's choice of a port that is taken, are rare and
// do not repeat.
const RETRIES = 2;

/** The id of a native stream to the address; rejects with what the OpError's cause is to be. */
export async function connectStream(attempt: Attempt): Promise<number> {
  if (attempt.options.multipathTCP === true && isTCP(attempt.network)) {
    try {
      return await connectWith(attempt, IPPROTO_MPTCP);
    } catch (error) {
      // Whatever stands in the way of Multipath TCP, the answer is plain TCP: Go's dialMPTCP.
      if (attempt.options.signal?.aborted === true || error === ErrDeadlineExceeded) throw error;
    }
  }
  return connectWith(attempt, DEFAULT_PROTOCOL);
}

async function connectWith(attempt: Attempt, protocol: number): Promise<number> {
  for (let retries = isAnyPort(attempt) ? RETRIES : 0; ; retries--) {
    try {
      const id = await connectOnce(attempt, protocol);
      if (retries === 0 || !isSelfConnect(attempt, id)) return id;
      native.close(id);
    } catch (error) {
      if (retries === 0 || !(error instanceof SyscallError) || error.code !== 'EADDRNOTAVAIL') throw error;
    }
  }
}

function isAnyPort({ network, local }: Attempt): boolean {
  return isTCP(network) && (local === null || ('port' in local && local.port === 0));
}

// TCP knows simultaneous opens, so a connect to a port of this machine that nobody listens on succeeds
// when the kernel happens to pick that very port for it (golang/go#2690).
function isSelfConnect({ remote }: Attempt, id: number): boolean {
  const local = native.localAddr(id);
  if (!('port' in remote) || local?.[1] !== remote.port) return false;
  return local[0] === native.peerAddr(id)?.[0];
}

async function connectOnce(attempt: Attempt, protocol: number): Promise<number> {
  const { id, status } = begin(attempt, protocol);
  if (status >= 0) return status;
  if (status !== AGAIN) {
    native.close(id);
    throw causeOf(status, 'connect');
  }
  return waitFor(attempt, new Connecting(id, attempt.deadline));
}

function begin(attempt: Attempt, protocol: number): { id: number; status: number } {
  const { network, local, remote, options } = attempt;
  const to = remoteNative(network, remote);
  const id = native.openSocket(to[0], socketType(network), protocol);
  try {
    prepare(network, id, options);
    runControl(options.control, network, to[0], remote, id);
    options.signal?.throwIfAborted();
    if (local !== null) native.bind(id, ...localNative(local, to[0]));
    const status = native.connect(id, ...to);
    return { id, status: status === 0 ? native.finishConnect(id, false) : status };
  } catch (error) {
    native.close(id);
    throw error;
  }
}

function prepare(network: string, id: number, options: DialOptions): void {
  if (!isTCP(network)) return;
  native.setNoDelay(id, 1);
  const keepAlive = keepAliveOf(options);
  if (keepAlive.enable) applyKeepAlive(id, keepAlive);
}

function waitFor({ options: { signal }, onConnecting }: Attempt, connecting: Connecting): Promise<number> {
  onConnecting(connecting);
  if (signal !== undefined) connecting.abortOn(signal, () => connecting.end(signal.reason));
  return connecting.promise;
}

/** An empty host is this machine: the kernel connects the wildcard address to the loopback interface. */
export function remoteNative(network: string, remote: Addr): NativeAddr {
  if (remote instanceof UnixAddr || remote.ip !== '') return toNative(remote);
  return wildcard(familyOf(network) === 6 ? IP6 : IP4, remote);
}

function localNative(local: Addr, family: number): NativeAddr {
  if (local instanceof UnixAddr || local.ip !== '') return toNative(local);
  return wildcard(family, local);
}

function wildcard(family: number, addr: Addr): NativeAddr {
  const port = 'port' in addr ? addr.port : 0;
  return family === IP6 ? [IP6, '::', port, 0] : [IP4, '0.0.0.0', port, 0];
}
