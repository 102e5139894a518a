// The bytes that go through the proxy: each transfer's begin at a place of its own in one stretch of random
// bytes, so that a byte lost, doubled, swapped or another transfer's is another byte.

import { randomOf } from './random.mjs';

const SIZE = 2 ** 23;

export class Content {
  static size = SIZE;
  #bytes;

  constructor(seed) {
    const random = randomOf(seed, -1);
    this.#bytes = Buffer.from(Uint32Array.from({ length: SIZE / 4 }, () => random() * 2 ** 32).buffer);
  }

  /** At most so many bytes from a place on; fewer where the stretch ends, and goes on at 0. */
  at(place, length) {
    const from = place % SIZE;
    return this.#bytes.subarray(from, Math.min(from + length, SIZE));
  }

  /** The index of the first byte that is not as it was sent; -1 where all are. */
  firstWrong(place, chunk) {
    for (let i = 0; i < chunk.length; ) {
      const expected = this.at(place + i, chunk.length - i);
      const got = chunk.subarray(i, i + expected.length);
      if (!got.equals(expected)) return i + got.findIndex((byte, k) => byte !== expected[k]);
      i += expected.length;
    }
    return -1;
  }
}
