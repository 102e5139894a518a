// What a server that counts lines or frames tells its client: a dot for so many bytes in them, and the sums at
// the end.

const BYTES_PER_DOT = 256 * 1024;

export class Tally {
  count = 0;
  bytes = 0;
  #next = BYTES_PER_DOT;

  /** @param say sends text to the client */
  constructor(say) {
    this.say = say;
  }

  add(length) {
    this.count++;
    this.bytes += length;
    if (this.bytes < this.#next) return;
    this.#next += BYTES_PER_DOT;
    this.say('.');
  }

  addAll(lines) {
    for (const { length } of lines) this.add(length);
  }

  end() {
    this.say(`${this.count} ${this.bytes}\n`);
  }
}
