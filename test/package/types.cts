// What a CommonJS module sees of the types, by both ways to ask for them.

import spliceway = require('spliceway');

import { type Conn, dial } from 'spliceway';

export async function connect(address: string): Promise<Conn> {
  // @ts-expect-error: there is no such network
  await spliceway.dial('smoke', address);
  return spliceway.dial === dial ? dial('tcp', address) : spliceway.dial('tcp', address);
}
