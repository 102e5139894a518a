// What a promise rejected with.

import type { OpError } from 'spliceway';

/** The reason; fails the test if there is none. */
export async function caught<E = OpError>(promise: Promise<unknown>): Promise<E> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error as E;
  }
  throw new Error(`expected a rejection, got ${String(value)}`);
}
