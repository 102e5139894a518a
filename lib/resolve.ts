// From the text of an address to the addresses it stands for (Go's net.internetAddrList).

import { lookup as dnsLookup } from 'node:dns';
import { isIP } from 'node:net';
import { parsePort, splitHostPort, TCPAddr, UnixAddr } from './addr';
import { AddrError, DNSError } from './errors';

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

/**
 * The addresses behind `host:port`, in the resolver's order.
 * @throws AddrError, DNSError (as a rejection), or the signal's reason
 */
export async function resolveTCP(network: string, address: string, options: ResolveOptions = {}): Promise<TCPAddr[]> {
  const { host, port } = address === '' ? { host: '', port: '' } : splitHostPort(address);
  const number = parsePort(port);
  if (host === '') return [new TCPAddr('', number)];
  const family = familyOf(network);
  const fitting = (await hostAddresses(host, family, options)).filter(
    ({ ip }) => family === 0 || versionOf(ip) === family,
  );
  if (fitting.length === 0) throw new AddrError('no suitable address found', host);
  return fitting.map(({ ip, zone }) => new TCPAddr(ip, number, zone));
}

interface HostAddress {
  ip: string;
  zone: string;
}

async function hostAddresses(host: string, family: 0 | 4 | 6, options: ResolveOptions): Promise<HostAddress[]> {
  const literal = parseLiteral(host);
  if (literal !== null) return [literal];
  const answers = await lookupHost(host, family, options);
  return answers.map((answer) => {
    const text = typeof answer === 'string' ? answer : answer.address;
    const parsed = parseLiteral(text);
    if (parsed === null) throw new DNSError(host, `invalid address ${text} from lookup`, 'EBADRESP');
    return parsed;
  });
}

/** A numeric address, with its zone apart and IPv4-mapped IPv6 as plain IPv4; null for a name. */
export function parseLiteral(host: string): HostAddress | null {
  const percent = host.indexOf('%');
  const bare = percent < 0 ? host : host.slice(0, percent);
  if (isIP(bare) === 0 || (percent >= 0 && isIP(bare) !== 6)) return null;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare);
  return { ip: mapped?.[1] ?? bare, zone: percent < 0 ? '' : host.slice(percent + 1) };
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
    lookup(host, { family, signal })
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
  const { code, syscall } = error as NodeJS.ErrnoException;
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
