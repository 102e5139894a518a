// How long a frame may take from its first byte to its last.

import { MAX_TIMER } from '../deadline';

/**
 * One timer for each connection with half a frame at hand. It is not moved with every frame, but looks,
 * when it rings, how old that half is.
 */
export class FrameTimer {
  private since = 0;
  private found = -1;
  private partial = false;
  private timer: NodeJS.Timeout | null = null;

  /**
   * @param limit milliseconds; 0 for none
   * @param isReading whether more bytes would be taken: where they would not, the sender is not to blame
   */
  constructor(
    private readonly limit: number,
    private readonly isReading: () => boolean,
    private readonly onLate: () => void,
  ) {}

  /** After every chunk. @param found how many frames came so far: with one more, another is at hand */
  note(partial: boolean, found: number): void {
    if (this.limit === 0) return;
    if (partial && (!this.partial || found !== this.found)) {
      this.since = performance.now();
      this.found = found;
      this.arm(this.limit);
    }
    this.partial = partial;
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.partial = false;
  }

  private arm(wait: number): void {
    // What waits for the frame keeps the process alive, not this.
    this.timer ??= setTimeout(() => this.ring(), Math.min(Math.ceil(wait), MAX_TIMER)).unref();
  }

  private ring(): void {
    // What came while this thread was busy is delivered before it is called late.
    setImmediate(() => {
      this.timer = null;
      if (!this.partial) return;
      if (!this.isReading()) this.since = performance.now();
      const left = this.since + this.limit - performance.now();
      if (left > 0) this.arm(left);
      else this.onLate();
    });
  }
}
