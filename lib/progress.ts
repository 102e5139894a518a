// Telling a caller how far something has come, now and then.

import { checkFunction, checkInteger } from './check';
import { MAX_TIMER } from './deadline';

export interface ProgressOptions<P> {
  /**
   * Called while bytes move, and not when none have moved since the last call; never after the end. What it
   * throws is an uncaught exception.
   */
  onProgress?: ((progress: P) => void) | undefined;
  /** Milliseconds between two calls. 10 to 2^31 - 1; default 1,000. */
  progressInterval?: number | undefined;
}

const DEFAULT_INTERVAL = 1000;
const SHORTEST = 10;

export function checkProgress({ onProgress, progressInterval }: ProgressOptions<never>): void {
  if (onProgress !== undefined) checkFunction('options.onProgress', onProgress);
  if (progressInterval === undefined) return;
  checkInteger('options.progressInterval', progressInterval, SHORTEST, MAX_TIMER);
}

/**
 * Calls onProgress, if there is one, with what `now` answers. Keeps no process alive: what it tells of does.
 * @param bytes how many have moved; the call is left out while it stays the same
 * @returns ends it; null where there is nobody to tell
 */
export function tellProgress<P>(options: ProgressOptions<P>, bytes: () => number, now: () => P): (() => void) | null {
  const { onProgress, progressInterval = DEFAULT_INTERVAL } = options;
  if (onProgress === undefined) return null;
  let told = 0;
  const timer = setInterval(() => {
    const moved = bytes();
    if (moved === told) return;
    told = moved;
    onProgress(now());
  }, progressInterval);
  timer.unref();
  return () => clearInterval(timer);
}
