// What a server that counts lines tells its client: a dot for so many lines, and the sums at the end.

const LINES_PER_DOT = 4096;

export class Tally {
  lines = 0;
  bytes = 0;

  /** @param say sends text to the client */
  constructor(say) {
    this.say = say;
  }

  add(line) {
    this.lines++;
    this.bytes += line.length;
    if (this.lines % LINES_PER_DOT === 0) this.say('.');
  }

  addAll(lines) {
    for (const line of lines) this.add(line);
  }

  end() {
    this.say(`${this.lines} ${this.bytes}\n`);
  }
}
