// One dial: its addresses, its time, and which of them are tried when.

import { type SocketAddr as Addr, splitHostPort, UnixAddr } from '../addr';
import { MAX_TIMER, toEpoch } from '../deadline';
import type { DialOptions } from '../dial';
import { AddrError, DNSError, ErrDeadlineExceeded, OpError, thrownCause, UnknownNetworkError } from '../errors';
import { livingFor } from '../lifetime';
import { connOn, isDatagram, isIPNetwork, isTCP, isUnix } from '../network';
import { type Connected, openPacketSocket, type SocketPacketConn } from '../packet/open';
import { abortable } from '../pending';
import { favorite, parseIPNetwork, parseLiteral, resolveAddrs, versionOf } from '../resolve';
import type { TCPConn } from '../tcp-conn';
import type { UnixConn } from '../unix-conn';
import { type Connecting, connectStream } from './connect';
import { type Racer, race } from './race';

/** What a dial comes to. */
export type Dialed = TCPConn | UnixConn | Connected<SocketPacketConn>;

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

  async run(): Promise<Dialed> {
    return abortable(this.options.signal, async () => {
      const remotes = await this.resolve();
      try {
        return await this.connect(remotes);
      } catch (error) {
        throw this.withAttempts(error);
      }
    });
  }

  /** Go's DialContext: two families race where there are two; else one address after the other. */
  private connect(remotes: readonly Addr[]): Promise<Dialed> {
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
  async attempt(remote: Addr, deadline: number, onConnecting: (each: Connecting) => void): Promise<Dialed> {
    const { network, local, options } = this;
    try {
      if (deadline <= Date.now()) throw ErrDeadlineExceeded;
      if (!isTCP(network) && !isUnix(network)) return await openPacketSocket(network, local, remote, options);
      const id = await connectStream({ network, local, remote, deadline, options, onConnecting });
      return connOn(id, network, null);
    } catch (error) {
      const failed = error instanceof OpError ? error : new OpError('dial', network, local, remote, thrownCause(error));
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
      return await livingFor(this.within(this.resolveBoth()));
    } catch (error) {
      if (error instanceof TypeError) throw error;
      throw new OpError('dial', this.network, null, null, thrownCause(error));
    }
  }

  private async resolveBoth(): Promise<Addr[]> {
    if (!isKnown(this.network)) throw new UnknownNetworkError(this.network);
    if (isIPNetwork(this.network)) await parseIPNetwork(this.network);
    if (this.address === '') throw new AddrError('missing address', '');
    this.local = await this.resolveLocal();
    if (this.deadline <= Date.now()) this.mustBeNumeric();
    const remotes = await resolveAddrs(this.network, this.address, this.options);
    return this.local === null ? remotes : fittingOf(remotes, this.local);
  }

  // Past the deadline a numeric address is still looked at, and named in the error; a name is not.
  private mustBeNumeric(): void {
    const name = this.nameToLookUp();
    if (name !== null) throw timedOut(name);
  }

  private nameToLookUp(): string | null {
    if (isUnix(this.network) || this.network === 'unixgram') return null;
    const host = isIPNetwork(this.network) ? this.address : splitHostPort(this.address).host;
    return host === '' || parseLiteral(host) !== null ? null : host;
  }

  /** The promise's outcome, unless the dial's time is up before. */
  private within<T>(promise: Promise<T>): Promise<T> {
    if (Number.isNaN(this.deadline)) return promise;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(timedOut(this.nameToLookUp() ?? this.address)),
        Math.min(this.deadline - Date.now(), MAX_TIMER),
      );
      promise.finally(() => clearTimeout(timer)).then(resolve, reject);
    });
  }

  private async resolveLocal(): Promise<Addr | null> {
    const { localAddr } = this.options;
    if (localAddr === undefined || typeof localAddr !== 'string') return localAddr ?? null;
    return favorite(await resolveAddrs(this.network, localAddr, this.options), localAddr.includes('['));
  }
}

/** What Go's resolver says when its context ends. */
function timedOut(name: string): DNSError {
  return new DNSError(name, ErrDeadlineExceeded.message, ErrDeadlineExceeded.code);
}

const isKnown = (network: string): boolean =>
  isTCP(network) || isUnix(network) || isDatagram(network) || isIPNetwork(network);

/** The addresses that can be reached from a local one: those of its kind, and of its family. */
function fittingOf(remotes: Addr[], local: Addr): Addr[] {
  if (remotes.some(({ network }) => network !== local.network)) {
    throw new AddrError('mismatched local address type', `${local}`);
  }
  const fitting = remotes.filter((remote) => isSameFamily(remote, local));
  if (fitting.length === 0) throw new AddrError('no suitable address found', `${local}`);
  return fitting;
}

function isSameFamily(remote: Addr, local: Addr): boolean {
  if (remote instanceof UnixAddr || local instanceof UnixAddr) return true;
  return isAny(remote.ip) || isAny(local.ip) || versionOf(remote.ip) === versionOf(local.ip);
}

const isAny = (ip: string): boolean => ip === '' || ip === '0.0.0.0' || ip === '::';

/** Addresses one after the other (Go's dialSerial): each a share of the time, the first error if none connects. */
class Serial implements Racer<Dialed> {
  private connecting: Connecting | null = null;
  private cancelled = false;

  constructor(
    private readonly dial: Dial,
    private readonly remotes: readonly Addr[],
  ) {}

  async run(): Promise<Dialed> {
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

  private async attempt(remote: Addr, left: number): Promise<Dialed> {
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
