// A line at the bottom of a terminal that is written anew each second. What else goes to standard error
// is printed above it.

const EVERY = 1000;
// Back to the line's start, and all of it away.
const CLEAR = '\r\x1b[K';

export class StatusLine {
  private readonly timer: NodeJS.Timeout | null = null;

  /** @param text what there is to say now. Where standard error is no terminal it is never asked */
  constructor(private readonly text: () => string) {
    if (!StatusLine.isPossible) return;
    this.timer = setInterval(() => this.draw(), EVERY);
    this.timer.unref();
  }

  static get isPossible(): boolean {
    return process.stderr.isTTY === true && process.env.TERM !== 'dumb';
  }

  /** A line that stays. */
  print(line: string): void {
    if (this.timer !== null) process.stderr.write(CLEAR);
    console.error(line);
    if (this.timer !== null) this.draw();
  }

  stop(): void {
    if (this.timer === null) return;
    clearInterval(this.timer);
    process.stderr.write(CLEAR);
  }

  private draw(): void {
    // A line that wraps could not be taken away again.
    process.stderr.write(CLEAR + this.text().slice(0, process.stderr.columns - 1));
  }
}
