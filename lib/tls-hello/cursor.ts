// Reads TLS's structures: numbers, and vectors that their length precedes.

/** Bytes that do not say what they should. */
export class Malformed extends Error {}

export class Cursor {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  get done(): boolean {
    return this.at === this.bytes.length;
  }

  /** The next n bytes, as a view. */
  take(n: number): Buffer {
    if (n > this.bytes.length - this.at) throw new Malformed();
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }

  /** A number of so many bytes, 1 to 3. */
  number(size: number): number {
    return this.take(size).readUIntBE(0, size);
  }

  /** A vector whose length is a number of so many bytes, from `min` to `max`. */
  vector(size: number, min = 0, max = 2 ** 24): Cursor {
    const length = this.number(size);
    if (length < min || length > max) throw new Malformed();
    return new Cursor(this.take(length));
  }

  rest(): Buffer {
    return this.take(this.bytes.length - this.at);
  }

  /** What `next` reads, again and again up to the end. */
  list<T>(next: (cursor: Cursor) => T): T[] {
    const items: T[] = [];
    while (!this.done) items.push(next(this));
    return items;
  }
}
