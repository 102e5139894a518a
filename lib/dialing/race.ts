// Happy eyeballs (RFC 8305) as Go does it: the addresses of one family after the other's, with a head
// start for the first.

/** One list of addresses, tried in order. */
export interface Racer<C> {
  run(): Promise<C>;
  /** Ends what it is at; its outcome is not looked at any more. */
  cancel(): void;
}

/**
 * The first connection of the two (Go's dialParallel). The second racer starts after `delay`
 * milliseconds, or as soon as the first one has failed; when both fail, the first one's error counts.
 */
export function race<C>(first: Racer<C>, second: Racer<C>, delay: number): Promise<C> {
  return new Promise((resolve, reject) => {
    let failures = 0;
    let firstError: unknown;
    const run = (racer: Racer<C>, other: Racer<C>) => {
      racer.run().then(
        (conn) => {
          clearTimeout(timer);
          other.cancel();
          resolve(conn);
        },
        (error: unknown) => {
          if (racer === first) firstError = error;
          if (++failures === 2) reject(firstError);
          else if (racer === first) startSecond();
        },
      );
    };
    let started = false;
    const startSecond = () => {
      clearTimeout(timer);
      if (started) return;
      started = true;
      run(second, first);
    };
    const timer = setTimeout(startSecond, delay);
    run(first, second);
  });
}
