// One dial: its addresses, its time, and which of them are tried when.

import { type Addr, TCPAddr, UnixAddr } from '../addr';
import { MAX_TIMER, toEpoch } from '../deadline';
import type { DialOptions } from '../dial';
import { AddrError, ErrDeadlineExceeded, OpError, thrownCause, UnknownNetworkError } from '../errors';
import { connOn, isDatagram, isTCP, isUnix } from '../network';
import { resolveTCP, resolveUnix, versionOf } from '../resolve';
import type { TCPConn } from '../tcp-conn';
import type { UnixConn } from '../unix-conn';
import { type Connecting, connectStream } from './connect';
import { type Racer, race } from './race';

type SocketConnection = TCPConn | UnixConn;

/** RFC 8305's "connection attempt delay" as Go has it, in milliseconds. */
const FALLBACK_DELAY = 300;

// Go's dialSerial: no address gets less than this of the time that remains, while there is that much.
const FAIR_SHARE_AT_LEAST = 2000;

export class Dial {
  /** Milliseconds since the epoch; NaN for none. */
  readonly deadline: number;
  private local: Addr | null = null;
  /** What each attempt met that failed, in that order. */
  private readonly errors: OpError[] = [];

  constructor(
    readonly network: string,
    readonly address: string,
    readonly options: DialOptions,
  ) {
    this.deadline = earliest(options);
  }

  async run(): Promise<SocketConnection> {
    const remotes = await this.resolve();
    try {
      return await this.connect(remotes);
    } catch (error) {
      if (this.options.signal?.aborted === true) throw this.options.signal.reason;
      throw this.withAttempts(error);
    }
  }

  /** Go's DialContext: two families race where there are two; else one address after the other. */
  private connect(remotes: readonly Addr[]): Promise<SocketConnection> {
    const { fallbackDelay = 0 } = this.options;
    const isPrimary = (addr: Addr) => familyOfAddr(addr) === familyOfAddr(remotes[0] as Addr);
    const fallbacks = fallbackDelay >= 0 && this.network === 'tcp' ? remotes.filter((addr) => !isPrimary(addr)) : [];
    if (fallbacks.length === 0) return new Serial(this, remotes).run();
    return race(
      new Serial(this, remotes.filter(isPrimary)),
      new Serial(this, fallbacks),
      fallbackDelay === 0 ? FALLBACK_DELAY : fallbackDelay,
    );
  }

  /** One address (Go's dialSingle). */
  async attempt(remote: Addr, deadline: number, onConnecting: (each: Connecting) => void): Promise<SocketConnection> {
    const { network, local, options } = this;
    try {
      const id = await connectStream({ network, local, remote, deadline, options, onConnecting });
      return connOn(id, network, null);
    } catch (error) {
      const failed = new OpError('dial', network, local, remote, thrownCause(error));
      this.errors.push(failed);
      throw failed;
    }
  }

  private withAttempts(error: unknown): unknown {
    if (this.errors.length > 1 && error instanceof OpError) error.errors = this.errors;
    return error;
  }

  private async resolve(): Promise<Addr[]> {
    try {
      return await this.within(this.resolveBoth());
    } catch (error) {
      if (this.options.signal?.aborted === true || error instanceof TypeError) throw error;
      throw new OpError('dial', this.network, null, null, error as Error);
    }
  }

  private async resolveBoth(): Promise<Addr[]> {
    this.local = await this.resolveLocal();
    return this.resolveRemote(this.local);
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
}

/** Addresses one after the other (Go's dialSerial): each a share of the time, the first error if none connects. */
class Serial implements Racer<SocketConnection> {
  private connecting: Connecting | null = null;
  private cancelled = false;

  constructor(
    private readonly dial: Dial,
    private readonly remotes: readonly Addr[],
  ) {}

  async run(): Promise<SocketConnection> {
    let first: unknown;
    for (const [i, remote] of this.remotes.entries()) {
      try {
        return await this.attempt(remote, this.remotes.length - i);
      } catch (error) {
        first ??= error;
        if (this.isOver()) break;
      }
    }
    throw first;
  }

  cancel(): void {
    this.cancelled = true;
    this.connecting?.end(ErrDeadlineExceeded);
  }

  private async attempt(remote: Addr, left: number): Promise<SocketConnection> {
    const onConnecting = (connecting: Connecting) => {
      this.connecting = connecting;
    };
    try {
      const conn = await this.dial.attempt(remote, share(this.dial.deadline, left), onConnecting);
      if (this.cancelled) conn.close();
      return conn;
    } finally {
      this.connecting = null;
    }
  }

  private isOver(): boolean {
    const { deadline, options } = this.dial;
    return this.cancelled || deadline <= Date.now() || options.signal?.aborted === true;
  }
}

/** When the next of `left` addresses must be done (Go's partialDeadline). */
function share(deadline: number, left: number): number {
  if (Number.isNaN(deadline)) return deadline;
  const now = Date.now();
  const remaining = deadline - now;
  return now + Math.max(remaining / left, Math.min(remaining, FAIR_SHARE_AT_LEAST));
}

function familyOfAddr(addr: Addr): number {
  return addr instanceof UnixAddr ? 0 : versionOf(addr.ip);
}

// A negative timeout is over at once, as in Go; 0 is none.
function earliest({ timeout = 0, deadline = null }: DialOptions): number {
  const byTimeout = timeout === 0 ? Number.NaN : Date.now() + timeout;
  const byDeadline = toEpoch(deadline);
  if (Number.isNaN(byTimeout)) return byDeadline;
  return Number.isNaN(byDeadline) ? byTimeout : Math.min(byTimeout, byDeadline);
}
