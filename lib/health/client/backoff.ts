// How long to wait before the next attempt, so that many who failed together do not come back together.

/** Full jitter: anything from 0 to a ceiling, which doubles with each failure. */
export class Backoff {
  private failures = 0;

  /** @param base the first ceiling, in milliseconds @param cap the last */
  constructor(
    private readonly base: number,
    private readonly cap: number,
  ) {}

  /** After one more failure. */
  next(): number {
    const ceiling = Math.min(this.cap, this.base * 2 ** this.failures);
    if (ceiling < this.cap) this.failures++;
    return Math.random() * ceiling;
  }

  reset(): void {
    this.failures = 0;
  }
}
