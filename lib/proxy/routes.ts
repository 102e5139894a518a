// Routes by name: which group of targets a TLS client asks for.

import { invalidValue } from '../errors';

const NAME = /^(\*\.)?[\w-]+(\.[\w-]+)*$/;

/** A name as it is looked up: DNS knows no case, and a dot at the end says nothing. */
export function routeName(name: string): string {
  const plain = normal(name);
  if (!NAME.test(plain)) throw invalidValue('options.routes', 'must have names of hosts, or *.name', name);
  return plain;
}

const normal = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** What is said of exact names, and of all names below one (`*.example.com`); the most specific holds. */
export class Routes<T> {
  constructor(private readonly byName: ReadonlyMap<string, T>) {}

  get isEmpty(): boolean {
    return this.byName.size === 0;
  }

  find(serverName: string): T | undefined {
    const name = normal(serverName);
    const exact = this.byName.get(name);
    if (exact !== undefined) return exact;
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const below = this.byName.get(`*${name.slice(dot)}`);
      if (below !== undefined) return below;
    }
    return undefined;
  }
}
