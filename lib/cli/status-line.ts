// A line at the bottom of a terminal that is written anew each second. What else goes to standard error
// is printed above it.

const EVERY = 1000;
// Back to the line's start, and all of it away.
const CLEAR = '\r\x1b[K';

export class StatusLine {
  private timer: NodeJS.Timeout | null = null;
  private shown = '';

  /** @param text what there is to say now. Where standard error is no terminal it is never asked */
  constructor(private readonly text: () => string) {}

  start(): void {
    if (process.stderr.isTTY !== true || process.env.TERM === 'dumb') return;
    this.timer = setInterval(() => this.renew(), EVERY);
    this.timer.unref();
  }

  /** A line that stays. */
  print(line: string): void {
    if (this.timer !== null) process.stderr.write(CLEAR);
    console.error(line);
    if (this.timer !== null) process.stderr.write(this.shown);
  }

  stop(): void {
    if (this.timer === null) return;
    clearInterval(this.timer);
    process.stderr.write(CLEAR);
  }

  private renew(): void {
    // A line that wraps could not be taken away again.
    this.shown = this.text().slice(0, (process.stderr.columns || 80) - 1);
    process.stderr.write(CLEAR + this.shown);
  }
}
