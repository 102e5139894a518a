// Addresses on the command line: `host:port`, `:port` or `unix:/path`.

import { InvalidArgumentError } from 'commander';
import { parsePort, splitHostPort } from '../addr';

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

/** For arguments that may be repeated. */
export function collectEndpoints(text: string, before: Endpoint[] | undefined): Endpoint[] {
  return [...(before ?? []), parseEndpoint(text)];
}
