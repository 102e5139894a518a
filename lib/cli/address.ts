// Addresses on the command line: `host:port`, `:port` or `unix:/path`.

import { InvalidArgumentError } from 'commander';
import { parsePort, splitHostPort } from '../addr';
import { Trust } from '../proxy-protocol/trust';

export interface Endpoint {
  network: 'tcp' | 'unix';
  address: string;
}

export function parseEndpoint(text: string): Endpoint {
  if (text.startsWith('unix:')) {
    const address = text.slice('unix:'.length);
    if (address === '') throw new InvalidArgumentError('a path is missing after unix:');
    return { network: 'unix', address };
  }
  try {
    parsePort(splitHostPort(text).port);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message} (expected host:port, :port or unix:/path)`);
  }
  return { network: 'tcp', address: text };
}

/** Where to forward to, and how many shares it gets. */
export interface Target extends Endpoint {
  weight: number;
}

const MAX_WEIGHT = 100;

/** An address with `,weight=N` behind it, or without: `10.0.0.5:80,weight=3`. */
export function parseTarget(text: string): Target {
  const [, address = '', shares = '1'] = /^(.*?)(?:,weight=(.*))?$/s.exec(text) ?? [];
  const weight = /^\d{1,3}$/.test(shares) ? Number(shares) : 0;
  if (weight < 1 || weight > MAX_WEIGHT) throw new InvalidArgumentError(`a weight is 1 to ${MAX_WEIGHT}`);
  return { ...parseEndpoint(address), weight };
}

/** For arguments that may be repeated. */
export function collectTargets(text: string, before: readonly Target[] = []): Target[] {
  return [...before, parseTarget(text)];
}

/** Targets by the name that a client asks for. */
export type Routes = Record<string, Target[]>;

const ROUTE = /^((?:\*\.)?[\w-]+(?:\.[\w-]+)*)=(.+)$/;

/** `name=target`: one more target of that name. */
export function collectRoutes(text: string, before: Routes = {}): Routes {
  const [, name, target] = ROUTE.exec(text) ?? [];
  if (name === undefined || target === undefined)
    throw new InvalidArgumentError('expected name=target or *.name=target');
  const others = Object.hasOwn(before, name) ? (before[name] as Target[]) : [];
  return { ...before, [name]: [...others, parseTarget(target)] };
}

/** Networks whose PROXY headers are read: an address, a range of them, or `unix`. */
export function collectNetworks(text: string, before: readonly string[] = []): string[] {
  try {
    new Trust([text]);
  } catch {
    throw new InvalidArgumentError('expected an IP address, a range such as 10.0.0.0/8, or unix');
  }
  return [...before, text];
}
