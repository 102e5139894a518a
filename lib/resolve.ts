// From the text of an address to the addresses it stands for (Go's net.internetAddrList). Names are
// looked up on other threads, and files read there: nothing here holds up the loop.

import { lookup as dnsLookup } from 'node:dns';
import { isIP } from 'node:net';
import {
  type SocketAddr as Addr,
  canonicalHost,
  IPAddr,
  portNumber,
  splitHostPort,
  TCPAddr,
  UDPAddr,
  UnixAddr,
} from './addr';
import { checkFunction, checkObject, checkSignal, checkString } from './check';
import { AddrError, asError, DNSError, OpError, textOf, UnknownNetworkError } from './errors';
import { livingFor } from './lifetime';
import { isIPNetwork, isTCP, isUDP, isUnix } from './network';
import { lookupPort, lookupProtocol } from './services';

/**
 * Resolves a name in place of the system's resolver.
 * @param hostname never a numeric address
 * @param options.family 4 or 6 where the network asks for one; else 0
 * @param options.signal aborted when the dial is; an answer after that is not looked at
 * @returns numeric addresses, best first; each a string or an object with `address`, as dns.lookup gives
 */
export type Lookup = (
  hostname: string,
  options: { family: 0 | 4 | 6; signal: AbortSignal | undefined },
) => Promise<readonly (string | { address: string })[]>;

export interface ResolveOptions {
  lookup?: Lookup | undefined;
  signal?: AbortSignal | undefined;
}

/** The family that a network's name asks for: `tcp4` is 4, `tcp` is 0. */
export function familyOf(network: string): 0 | 4 | 6 {
  return network.endsWith('4') ? 4 : network.endsWith('6') ? 6 : 0;
}

type Make<A> = (ip: string, port: number, zone: string) => A;

const toTCP: Make<TCPAddr> = (ip, port, zone) => new TCPAddr(ip, port, zone);
const toUDP: Make<UDPAddr> = (ip, port, zone) => new UDPAddr(ip, port, zone);
const toIP: Make<IPAddr> = (ip, _port, zone) => new IPAddr(ip, zone);

/**
 * The addresses behind `host:port`, in the resolver's order.
 * @throws AddrError, DNSError (as a rejection), or the signal's reason
 */
function resolveTCP(network: string, address: string, options: ResolveOptions = {}): Promise<TCPAddr[]> {
  return resolvePorted(network, address, toTCP, options);
}

/** The same for UDP. */
export function resolveUDP(network: string, address: string, options: ResolveOptions = {}): Promise<UDPAddr[]> {
  return resolvePorted(network, address, toUDP, options);
}

/** The same for raw IP, where an address is a host alone. @param network without its protocol */
export function resolveIP(network: string, address: string, options: ResolveOptions = {}): Promise<IPAddr[]> {
  return resolveHost(network, address, 0, toIP, options);
}

/**
 * The addresses that a network and an address stand for, in the order in which they should be tried.
 * @throws UnknownNetworkError, AddrError, DNSError (as a rejection), or the signal's reason
 */
export async function resolveAddrs(network: string, address: string, options: ResolveOptions = {}): Promise<Addr[]> {
  if (isTCP(network)) return resolveTCP(network, address, options);
  if (isUDP(network)) return resolveUDP(network, address, options);
  if (isUnix(network) || network === 'unixgram') return [resolveUnix(network as UnixAddr['network'], address)];
  return resolveIP((await parseIPNetwork(network)).network, address, options);
}

/**
 * The address to listen on.
 * @param fits whether a network that is known is one to listen on in this way
 * @throws OpError `op: 'listen'` (as a rejection), or the signal's reason
 */
export async function resolveListen(
  network: string,
  address: string,
  options: ResolveOptions,
  fits: (network: string) => boolean,
): Promise<Addr> {
  let addr: Addr;
  try {
    addr = favorite(await livingFor(resolveAddrs(network, address, options)));
  } catch (error) {
    // The signal's reason, and mistakes of the caller's lookup function, are not ours to wrap.
    if (options.signal?.aborted === true || error instanceof TypeError) throw error;
    throw new OpError('listen', network, null, null, error as Error);
  }
  if (fits(network)) return addr;
  throw new OpError('listen', network, null, addr, new AddrError('unexpected address type', address));
}

/**
 * The parts of `ip4:icmp`: the network, and the protocol's number.
 * @throws UnknownNetworkError, also where there is no protocol; AddrError for one that is unknown
 */
export async function parseIPNetwork(network: string): Promise<{ network: string; protocol: number }> {
  const colon = network.lastIndexOf(':');
  if (colon < 0 || !isIPNetwork(network)) throw new UnknownNetworkError(network);
  const name = network.slice(colon + 1);
  const protocol = /^\d+$/.test(name) ? Number(name) : await lookupProtocol(name);
  return { network: network.slice(0, colon), protocol };
}

async function resolvePorted<A>(
  network: string,
  address: string,
  make: Make<A>,
  options: ResolveOptions,
): Promise<A[]> {
  const { host, port } = address === '' ? { host: '', port: '' } : splitHostPort(address);
  return resolveHost(network, host, portNumber(port) ?? (await lookupPort(network, port)), make, options);
}

async function resolveHost<A>(
  network: string,
  host: string,
  port: number,
  make: Make<A>,
  options: ResolveOptions,
): Promise<A[]> {
  options.signal?.throwIfAborted();
  if (host === '') return [make('', port, '')];
  const family = familyOf(network);
  const all = await hostAddresses(host, family, options);
  // Where IPv6 is only half configured, "::" can be bound to and not connected to (golang/go#18806).
  if (all.length === 1 && all[0]?.ip === '::') all.push({ ip: '0.0.0.0', zone: '' });
  const fitting = all.filter(({ ip }) => family === 0 || versionOf(ip) === family);
  if (fitting.length === 0) throw new AddrError('no suitable address found', host);
  return fitting.map(({ ip, zone }) => make(ip, port, zone));
}

interface HostAddress {
  ip: string;
  zone: string;
}

async function hostAddresses(host: string, family: 0 | 4 | 6, options: ResolveOptions): Promise<HostAddress[]> {
  const literal = parseLiteral(host);
  if (literal !== null) return [literal];
  const answers = await lookupHost(host, family, options);
  if (!Array.isArray(answers)) throw badAnswer(host, answers);
  return answers.map((answer: unknown) => {
    const text = typeof answer === 'string' ? answer : (answer as { address?: unknown } | null)?.address;
    const parsed = typeof text === 'string' ? parseLiteral(text) : null;
    if (parsed === null) throw badAnswer(host, text);
    return parsed;
  });
}

function badAnswer(host: string, answer: unknown): DNSError {
  return new DNSError(host, `invalid address ${textOf(answer)} from lookup`, 'EBADRESP');
}

/** A numeric address in its usual form, with its zone apart and IPv4-mapped IPv6 as plain IPv4; null for a name. */
export function parseLiteral(host: string): HostAddress | null {
  const percent = host.indexOf('%');
  const bare = percent < 0 ? host : host.slice(0, percent);
  if (isIP(bare) === 0 || (percent >= 0 && isIP(bare) !== 6)) return null;
  const ip = bare.includes(':') ? canonicalHost(bare) : bare;
  return ip === null ? null : { ip, zone: percent < 0 ? '' : host.slice(percent + 1) };
}

export function versionOf(ip: string): 4 | 6 {
  return isIP(ip) === 6 ? 6 : 4;
}

function lookupHost(
  host: string,
  family: 0 | 4 | 6,
  { lookup = systemLookup, signal }: ResolveOptions,
): Promise<readonly (string | { address: string })[]> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal?.reason);
    if (signal?.aborted === true) return abort();
    signal?.addEventListener('abort', abort, { once: true });
    Promise.resolve(lookup(host, { family, signal }))
      .finally(() => signal?.removeEventListener('abort', abort))
      .then(resolve, (error: unknown) => reject(asDNSError(host, error)));
  });
}

// getaddrinfo on libuv's thread pool: it cannot be stopped, only no longer be waited for.
const systemLookup: Lookup = (host, { family }) =>
  new Promise((resolve, reject) => {
    dnsLookup(host, { family, all: true, verbatim: true }, (error, addresses) => {
      if (error === null) resolve(addresses);
      else reject(error);
    });
  });

function asDNSError(host: string, error: unknown): unknown {
  const { code, syscall } = asError(error) as NodeJS.ErrnoException;
  if (typeof code !== 'string' || error instanceof DNSError) return error;
  const notFound = code === 'ENOTFOUND' || code === 'ENODATA';
  return new DNSError(host, notFound ? 'no such host' : `${syscall ?? 'lookup'} ${code}`, code, { cause: error });
}

// sun_path, less the NUL at a path's end: 108 bytes on Linux, 104 on the BSDs.
const UNIX_ROOM = process.platform === 'linux' ? 108 : 104;

/**
 * A Unix address from its text: a path, or `@name` for Linux's abstract namespace.
 * @throws AddrError when it does not fit into a socket address
 */
export function resolveUnix(network: UnixAddr['network'], path: string): UnixAddr {
  const abstract = path.startsWith('@');
  if (!abstract && path.includes('\0')) throw new AddrError('path contains a NUL byte', path.replaceAll('\0', '\\0'));
  const bytes = Buffer.byteLength(path) + (abstract ? 0 : 1);
  if (bytes > UNIX_ROOM) throw new AddrError(`name too long for a Unix socket (at most ${UNIX_ROOM - 1} bytes)`, path);
  return new UnixAddr(path, network);
}

/**
 * The TCP address that `host:port` stands for: of several, the first of IPv4 unless the host is an IPv6
 * literal (Go's net.ResolveTCPAddr). The port may be a service's name, such as `http`.
 *
 * @param network `tcp`, `tcp4`, `tcp6`; empty is the first, as in Go
 * @throws AddrError, UnknownNetworkError, DNSError, or the signal's reason (all as rejections)
 */
export function resolveTCPAddr(network: string, address: string, options: ResolveOptions = {}): Promise<TCPAddr> {
  return resolveOne(network === '' ? 'tcp' : network, address, options, isTCP, resolveTCP);
}

/** The same for `udp`, `udp4`, `udp6` (Go's net.ResolveUDPAddr). */
export function resolveUDPAddr(network: string, address: string, options: ResolveOptions = {}): Promise<UDPAddr> {
  return resolveOne(network === '' ? 'udp' : network, address, options, isUDP, resolveUDP);
}

/** The same for `ip`, `ip4`, `ip6`, also with a protocol as in `ip4:icmp`: the address is a host (Go's net.ResolveIPAddr). */
export function resolveIPAddr(network: string, address: string, options: ResolveOptions = {}): Promise<IPAddr> {
  return resolveOne(network === '' ? 'ip' : network, address, options, isIPNetwork, async (name, host, rest) => {
    const { network: bare } = name.includes(':') ? await parseIPNetwork(name) : { network: name };
    return resolveIP(bare, host, rest);
  });
}

/** The same for `unix`, `unixgram`, `unixpacket`, where nothing is looked up (Go's net.ResolveUnixAddr). */
export function resolveUnixAddr(network: string, address: string): Promise<UnixAddr> {
  const known = (name: string) => isUnix(name) || name === 'unixgram';
  return resolveOne(network, address, {}, known, async () => [resolveUnix(network as UnixAddr['network'], address)]);
}

async function resolveOne<A extends Addr>(
  network: string,
  address: string,
  options: ResolveOptions,
  known: (network: string) => boolean,
  resolveAll: (network: string, address: string, options: ResolveOptions) => Promise<A[]>,
): Promise<A> {
  checkString('network', network);
  checkString('address', address);
  checkResolveOptions(options);
  options.signal?.throwIfAborted();
  if (!known(network)) throw new UnknownNetworkError(network);
  return favorite(await livingFor(resolveAll(network, address, options)), isLiteral6(network, address));
}

function checkResolveOptions(options: ResolveOptions): void {
  checkObject('options', options);
  const { lookup, signal } = options;
  if (lookup !== undefined) checkFunction('options.lookup', lookup);
  if (signal !== undefined) checkSignal(signal);
}

function isLiteral6(network: string, address: string): boolean {
  return network === 'ip' ? address.includes(':') : (network === 'tcp' || network === 'udp') && address.includes('[');
}

/** Of several addresses, the first of IPv4, or with `want6` the first that is not; else the first of all. */
export function favorite<A extends Addr>(addrs: readonly A[], want6 = false): A {
  const isIPv4 = (addr: Addr) => !(addr instanceof UnixAddr) && isIP(addr.ip) === 4;
  return addrs.find((addr) => isIPv4(addr) !== want6) ?? (addrs[0] as A);
}
