// dial(): from a network and an address to a connection (Go's net.Dialer).

import { type SocketAddr as Addr, TCPAddr, toNative, UnixAddr } from './addr';
import { AGAIN, EXPIRED, IP4, IP6, native, ONCE, WRITE, WRITE_EXPIRED, WRITE_SIDE } from './binding';
import { checkDuration, checkFunction, checkObject, checkSignal, checkString } from './check';
import type { CallOptions } from './conn';
import { type Deadline, MAX_TIMER, toEpoch } from './deadline';
import { unwatch, type Waiter, watch } from './dispatch';
import {
  AddrError,
  causeOf,
  ErrDeadlineExceeded,
  invalidType,
  OpError,
  thrownCause,
  UnknownNetworkError,
} from './errors';
import { connOn, isDatagram, isTCP, isUnix, type StreamNetwork, socketType } from './network';
import { checked, Pending } from './pending';
import { familyOf, type Lookup, resolveTCP, resolveUnix, versionOf } from './resolve';
import { applyKeepAlive, checkKeepAlive, type KeepAliveConfig, type TCPConn } from './tcp-conn';
import type { UnixConn } from './unix-conn';

export interface DialOptions extends CallOptions {
  /** How long all of it may take, in milliseconds, name resolution included. 0 or absent: no limit of ours. */
  timeout?: number | undefined;
  /** The instant by which it must be done. With `timeout`, the earlier one holds. */
  deadline?: Deadline | undefined;
  /** Where to connect from: an address of this machine, or a Unix path to bind to. */
  localAddr?: Addr | string | undefined;
  /** Keep-alive of the connection. Default: on, 15 s idle, 15 s between, 9 probes. TCP only. */
  keepAliveConfig?: KeepAliveConfig | undefined;
  /** Resolves the host's name. Default: the system's resolver. */
  lookup?: Lookup | undefined;
}

type SocketConnection = TCPConn | UnixConn;

/**
 * Connects (Go's net.Dial). The addresses of a name are tried one after the other; the error of the
 * first is reported when all fail.
 *
 * @param network `tcp`, `tcp4`, `tcp6`, `unix`, `unixpacket`
 * @param address `host:port`, an empty host being this machine; for `unix` a path or `@name`
 * @throws OpError `op: 'dial'` (as a rejection): `ECONNREFUSED`, `ENOENT`, `ERR_SPLICEWAY_ADDRESS`,
 *   `ERR_SPLICEWAY_DEADLINE_EXCEEDED` (`timeout: true`), a DNSError as its cause, …
 */
export function dial(network: 'tcp' | 'tcp4' | 'tcp6', address: string, options?: DialOptions): Promise<TCPConn>;
export function dial(network: 'unix' | 'unixpacket', address: string, options?: DialOptions): Promise<UnixConn>;
export function dial(network: StreamNetwork, address: string, options?: DialOptions): Promise<SocketConnection>;
export function dial(network: StreamNetwork, address: string, options: DialOptions = {}): Promise<SocketConnection> {
  return checked(
    () => {
      checkString('network', network);
      checkString('address', address);
      checkOptions(options);
    },
    async () => {
      options.signal?.throwIfAborted();
      return new Dial(network, address, options).run();
    },
  );
}

function checkOptions(options: DialOptions): void {
  checkObject('options', options);
  const { timeout, deadline, signal, localAddr, keepAliveConfig, lookup } = options;
  if (timeout !== undefined) checkDuration('options.timeout', timeout);
  if (deadline !== undefined) toEpoch(deadline);
  if (signal !== undefined) checkSignal(signal);
  if (localAddr !== undefined) checkAddr('options.localAddr', localAddr);
  if (keepAliveConfig !== undefined) checkKeepAlive('options.keepAliveConfig', keepAliveConfig);
  if (lookup !== undefined) checkFunction('options.lookup', lookup);
}

function checkAddr(name: string, addr: unknown): void {
  if (typeof addr === 'string' || addr instanceof TCPAddr || addr instanceof UnixAddr) return;
  throw invalidType(name, 'of type string or an instance of TCPAddr or UnixAddr', addr);
}

/** One connect(2) in progress. Resolves to the id of the native stream. */
class Connecting extends Pending<number> implements Waiter {
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

// Go's dialSerial: no address gets less than this of the time that remains, while there is that much.
const FAIR_SHARE_AT_LEAST = 2000;

/** One dial: its addresses, its time and who may end it. */
class Dial {
  /** Milliseconds since the epoch; NaN for none. */
  private readonly deadline: number;

  constructor(
    private readonly network: string,
    private readonly address: string,
    private readonly options: DialOptions,
  ) {
    this.deadline = earliest(options);
  }

  async run(): Promise<SocketConnection> {
    const { local, remotes } = await this.resolve();
    return this.serial(local, remotes);
  }

  private async resolve(): Promise<{ local: Addr | null; remotes: Addr[] }> {
    try {
      const local = await this.resolveLocal();
      const remotes = await this.within(this.resolveRemote(local));
      return { local, remotes };
    } catch (error) {
      if (this.options.signal?.aborted === true || error instanceof TypeError) throw error;
      throw new OpError('dial', this.network, null, null, error as Error);
    }
  }

  /** The promise's outcome, unless the dial's time is up before. */
  private within<T>(promise: Promise<T>): Promise<T> {
    if (Number.isNaN(this.deadline)) return promise;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(ErrDeadlineExceeded), Math.min(this.deadline - Date.now(), MAX_TIMER));
      promise.finally(() => clearTimeout(timer)).then(resolve, reject);
    });
  }

  private async resolveRemote(local: Addr | null): Promise<Addr[]> {
    const { network, address } = this;
    if (isUnix(network)) return [resolveUnix(network as UnixAddr['network'], address)];
    if (isDatagram(network)) throw new AddrError('unexpected address type', address);
    if (!isTCP(network)) throw new UnknownNetworkError(network);
    if (address === '') throw new AddrError('missing address', '');
    const remotes = await resolveTCP(network, address, this.options);
    if (local === null || !(local instanceof TCPAddr) || local.ip === '') return remotes;
    const fitting = remotes.filter(({ ip }) => ip === '' || versionOf(ip) === versionOf(local.ip));
    if (fitting.length === 0) throw new AddrError('no suitable address found', `${local}`);
    return fitting;
  }

  private async resolveLocal(): Promise<Addr | null> {
    const { localAddr } = this.options;
    if (localAddr === undefined) return null;
    const local = typeof localAddr === 'string' ? await this.parseLocal(localAddr) : localAddr;
    const fits = isUnix(this.network) ? local.network === this.network : local.network === 'tcp';
    if (!fits) throw new AddrError('mismatched local address type', `${local}`);
    return local;
  }

  private async parseLocal(text: string): Promise<Addr> {
    if (isUnix(this.network)) return resolveUnix(this.network as UnixAddr['network'], text);
    return (await resolveTCP(this.network, text, this.options))[0] as TCPAddr;
  }

  /** Go's dialSerial: each address a share of the time, the first error if none connects. */
  private async serial(local: Addr | null, remotes: readonly Addr[]): Promise<SocketConnection> {
    let first: OpError | null = null;
    for (const [i, remote] of remotes.entries()) {
      this.options.signal?.throwIfAborted();
      try {
        return await this.connect(local, remote, this.share(remotes.length - i));
      } catch (error) {
        if (!(error instanceof OpError)) throw error;
        first ??= error;
        if (this.isOver()) break;
      }
    }
    throw first as OpError;
  }

  private isOver(): boolean {
    return this.deadline <= Date.now();
  }

  /** When the next of `left` addresses must be done. */
  private share(left: number): number {
    if (Number.isNaN(this.deadline)) return this.deadline;
    const now = Date.now();
    const remaining = this.deadline - now;
    return now + Math.max(remaining / left, Math.min(remaining, FAIR_SHARE_AT_LEAST));
  }

  private async connect(local: Addr | null, remote: Addr, deadline: number): Promise<SocketConnection> {
    const { network } = this;
    try {
      const id = await this.connectSocket(local, remote, deadline);
      return connOn(id, network, null);
    } catch (error) {
      if (this.options.signal?.aborted === true) throw this.options.signal.reason;
      throw new OpError('dial', network, local, remote, thrownCause(error));
    }
  }

  private connectSocket(local: Addr | null, remote: Addr, deadline: number): Promise<number> | number {
    if (deadline <= Date.now()) throw ErrDeadlineExceeded;
    const to = remoteNative(this.network, remote);
    const id = native.openSocket(to[0], socketType(this.network), 0);
    let status: number;
    try {
      this.prepare(id);
      if (local !== null) native.bind(id, ...localNative(local, to[0]));
      status = native.connect(id, ...to);
      if (status === 0) status = native.finishConnect(id, false);
    } catch (error) {
      native.close(id);
      throw error;
    }
    if (status >= 0) return status;
    if (status !== AGAIN) {
      native.close(id);
      throw causeOf(status, 'connect');
    }
    return this.waitFor(new Connecting(id, deadline));
  }

  private waitFor(connecting: Connecting): Promise<number> {
    const { signal } = this.options;
    if (signal !== undefined) connecting.abortOn(signal, () => connecting.end(signal.reason));
    return connecting.promise;
  }

  private prepare(id: number): void {
    if (!isTCP(this.network)) return;
    native.setNoDelay(id, 1);
    applyKeepAlive(id, this.options.keepAliveConfig ?? { enable: true });
  }
}

function earliest({ timeout = 0, deadline = null }: DialOptions): number {
  const byTimeout = timeout > 0 ? Date.now() + timeout : Number.NaN;
  const byDeadline = toEpoch(deadline);
  if (Number.isNaN(byTimeout)) return byDeadline;
  return Number.isNaN(byDeadline) ? byTimeout : Math.min(byTimeout, byDeadline);
}

// An empty host is this machine: the kernel connects the wildcard address to the loopback interface.
function remoteNative(network: string, remote: Addr): ReturnType<typeof toNative> {
  if (remote instanceof UnixAddr || remote.ip !== '') return toNative(remote);
  return familyOf(network) === 6 ? [IP6, '::', remote.port, 0] : [IP4, '0.0.0.0', remote.port, 0];
}

function localNative(local: Addr, family: number): ReturnType<typeof toNative> {
  if (local instanceof UnixAddr || local.ip !== '') return toNative(local);
  return family === IP6 ? [IP6, '::', local.port, 0] : [IP4, '0.0.0.0', local.port, 0];
}
