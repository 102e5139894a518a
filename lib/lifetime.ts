// What keeps the process alive besides the sockets that something waits on.

import { MAX_TIMER } from './deadline';

/** Keeps the process alive until it is cleared. */
export function keepAlive(): NodeJS.Timeout {
  return setInterval(() => {}, MAX_TIMER);
}

/** The promise's outcome. Whatever it waits for, the process lives until then: it is a pending call. */
export async function livingFor<T>(promise: Promise<T>): Promise<T> {
  const alive = keepAlive();
  try {
    return await promise;
  } finally {
    clearInterval(alive);
  }
}
