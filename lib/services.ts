// The names of ports and of IP protocols: what Go has built in, and what the system's files add.

import { readFile } from 'node:fs/promises';
import { AddrError, DNSError } from './errors';

const SERVICES: Readonly<Record<string, number>> = {
  'domain/udp': 53,
  'ftp/tcp': 21,
  'ftps/tcp': 990,
  'gopher/tcp': 70,
  'http/tcp': 80,
  'https/tcp': 443,
  'imap2/tcp': 143,
  'imap3/tcp': 220,
  'imaps/tcp': 993,
  'pop3/tcp': 110,
  'pop3s/tcp': 995,
  'smtp/tcp': 25,
  'submissions/tcp': 465,
  'ssh/tcp': 22,
  'telnet/tcp': 23,
};

const PROTOCOLS: Readonly<Record<string, number>> = { icmp: 1, igmp: 2, tcp: 6, udp: 17, 'ipv6-icmp': 58 };

type Table = Map<string, number>;

/** The fields of each line, less comments. A machine without the file has none. */
async function linesOf(file: string): Promise<string[][]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').map((line) => line.replace(/#.*/, '').split(/\s+/).filter(Boolean));
}

// "http 80/tcp www"
async function readServices(): Promise<Table> {
  const table: Table = new Map(Object.entries(SERVICES));
  for (const [name, port, ...aliases] of await linesOf('/etc/services')) {
    const [, number, protocol] = /^(\d+)\/(\w+)$/.exec(port ?? '') ?? [];
    if (number === undefined) continue;
    for (const each of [name, ...aliases]) table.set(`${each}/${protocol}`, Number(number));
  }
  return table;
}

// "icmp 1 ICMP"; what is built in stays as it is.
async function readProtocols(): Promise<Table> {
  const table: Table = new Map(Object.entries(PROTOCOLS));
  for (const [name = '', number = '', ...aliases] of await linesOf('/etc/protocols')) {
    if (!/^\d+$/.test(number)) continue;
    for (const each of [name, ...aliases]) if (!table.has(each)) table.set(each, Number(number));
  }
  return table;
}

let services: Promise<Table> | null = null;
let protocols: Promise<Table> | null = null;

/**
 * The port of a service's name.
 * @throws DNSError `lookup tcp/name: unknown port` (as a rejection)
 */
export async function lookupPort(network: string, name: string): Promise<number> {
  services ??= readServices();
  const port = (await services).get(`${name.toLowerCase()}/${network.startsWith('udp') ? 'udp' : 'tcp'}`);
  if (port === undefined) throw new DNSError(`${network}/${name}`, 'unknown port', 'ENOTFOUND');
  return port;
}

/**
 * The number of an IP protocol's name.
 * @throws AddrError (as a rejection)
 */
export async function lookupProtocol(name: string): Promise<number> {
  protocols ??= readProtocols();
  const number = (await protocols).get(name.toLowerCase());
  if (number === undefined) throw new AddrError('unknown IP protocol specified', name);
  return number;
}
