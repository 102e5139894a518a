// Keeping so many connections idle. What fails is tried again later and later.

const FIRST_DELAY = 100;
const LONGEST_DELAY = 30_000;

export class Refill {
  private scheduled = false;
  private stopped = false;
  private delay = 0;
  private timer: NodeJS.Timeout | null = null;

  /** @param fill opens what is missing */
  constructor(private readonly fill: () => void) {}

  /** Something may be missing. */
  soon(): void {
    if (this.scheduled || this.stopped || this.timer !== null) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      if (!this.stopped && this.timer === null) this.fill();
    });
  }

  /** A connection was used: they are worth something. */
  succeeded(): void {
    this.delay = 0;
  }

  /** None was made, or it came to nothing before it was used. */
  failed(): void {
    if (this.stopped || this.timer !== null) return;
    this.delay = Math.min(Math.max(this.delay * 2, FIRST_DELAY), LONGEST_DELAY);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.fill();
    }, this.delay);
    this.timer.unref();
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }
}
