// The loop behind `for await`: the same call again and again.

import { ErrClosed, isClosedPipe, type OpError } from './errors';

/** Yields what `next` resolves to, until that is null or close() has ended it; anything else is thrown. */
export async function* untilClosed<T>(
  next: () => Promise<T | null>,
  isClosed: () => boolean,
): AsyncGenerator<T, undefined> {
  for (;;) {
    let value: T | null;
    try {
      value = await next();
    } catch (error) {
      if (isClosed() && ((error as OpError).cause === ErrClosed || isClosedPipe(error))) return;
      throw error;
    }
    if (value === null) return;
    yield value;
  }
}
