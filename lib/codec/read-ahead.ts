// What is read of a connection while that which came before is still being handled.

const ONE_READ = 64 * 1024;
// What a chunk costs besides its bytes, about: a peer may send them one by one.
const EMPTY = 256;
// A reader that so often leaves it full, and never empty, is slower than its peer whatever is read ahead.
const FULL_TOO_OFTEN = 4;

/**
 * How much may be read ahead. It begins with one read and follows the reader: who empties what was full takes
 * bursts, and is given twice as much; who never catches up gains nothing by more, and has it halved.
 */
class Window {
  /** Bytes. */
  size: number;
  private timesFull = 0;

  constructor(private readonly most: number) {
    this.size = Math.min(ONE_READ, most);
  }

  /** There is no room for more. */
  filled(): void {
    if (++this.timesFull > FULL_TOO_OFTEN) this.resize(this.size / 2);
  }

  /** The reader has taken all there was. */
  emptied(): void {
    if (this.timesFull > 0) this.resize(this.size * 2);
  }

  private resize(size: number): void {
    this.size = Math.min(Math.max(size, ONE_READ), this.most);
    this.timesFull = 0;
  }
}

/** Chunks that wait until those before them are handled, in order. */
export class ReadAhead {
  private readonly chunks: Buffer[] = [];
  private readonly window: Window;
  private waiting = 0;
  private handling: Promise<void> | null = null;
  private tellOfRoom: (() => void) | null = null;

  /**
   * @param most bytes, about; 0 for no reading ahead
   * @param handle a promise holds up what comes after the chunk; it never rejects
   */
  constructor(
    readonly most: number,
    private readonly handle: (chunk: Buffer) => Promise<void> | undefined,
  ) {
    this.window = new Window(most);
  }

  /** Settles when all that was added is handled; null where that is so. */
  get pending(): Promise<void> | null {
    return this.handling;
  }

  /** Goes on while `held`, which never rejects, holds up what is added from now on. */
  begin(held: Promise<void>): void {
    this.handling = held.then(() => this.handleAll());
  }

  /** Takes a chunk whose memory is its own. A promise: nothing more, until it settles. */
  add(chunk: Buffer): Promise<void> | undefined {
    this.chunks.push(chunk);
    this.waiting += chunk.length + EMPTY;
    if (this.waiting < this.window.size) return undefined;
    this.window.filled();
    return new Promise((resolve) => {
      this.tellOfRoom = resolve;
    });
  }

  private async handleAll(): Promise<void> {
    for (let chunk = this.chunks.shift(); chunk !== undefined; chunk = this.chunks.shift()) {
      this.waiting -= chunk.length + EMPTY;
      if (this.waiting < this.window.size) this.tellOfRoom?.();
      await this.handle(chunk);
    }
    this.window.emptied();
    this.handling = null;
  }
}
