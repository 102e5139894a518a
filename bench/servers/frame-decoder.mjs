// Frames of docs/wire-format.md, decoded in JavaScript alone.

import { crc32 } from 'node:zlib';

const HEAD = 12;
const MAGIC_AND_VERSION = 0x424d01;
const MAX_FRAME = 2 ** 20;
// From here on a call of zlib's, and the view it takes, cost less than the table.
const BY_ZLIB = 96;

const SLICES = 8;
const table = new Int32Array(SLICES * 256);
for (let byte = 0; byte < 256; byte++) {
  let state = byte;
  for (let bit = 0; bit < 8; bit++) state = (state >>> 1) ^ ((state & 1) === 0 ? 0 : 0xedb88320);
  table[byte] = state;
}
for (let i = 256; i < table.length; i++) table[i] = (table[i - 256] >>> 8) ^ table[table[i - 256] & 0xff];

function eightBytes(state, p, i) {
  const word = state ^ (p[i] | (p[i + 1] << 8) | (p[i + 2] << 16) | (p[i + 3] << 24));
  return (
    table[1792 + (word & 0xff)] ^
    table[1536 + ((word >>> 8) & 0xff)] ^
    table[1280 + ((word >>> 16) & 0xff)] ^
    table[1024 + (word >>> 24)] ^
    table[768 + p[i + 4]] ^
    table[512 + p[i + 5]] ^
    table[256 + p[i + 6]] ^
    table[p[i + 7]]
  );
}

function crcOfFrame(p, at, length) {
  const state = eightBytes(-1, p, at);
  const body = at + HEAD;
  if (length >= BY_ZLIB) return crc32(p.subarray(body, body + length), ~state >>> 0) | 0;
  let crc = state;
  let i = body;
  for (const end = body + length - 7; i < end; i += 8) crc = eightBytes(crc, p, i);
  for (const end = body + length; i < end; i++) crc = (crc >>> 8) ^ table[(crc ^ p[i]) & 0xff];
  return ~crc;
}

const word = (p, i) => (p[i] << 24) | (p[i + 1] << 16) | (p[i + 2] << 8) | p[i + 3];

export class FrameDecoder {
  #rest = Buffer.allocUnsafeSlow(HEAD);
  #held = 0;

  /** @param onFrame is given the command, and the memory, the start and the length of the body */
  constructor(onFrame) {
    this.onFrame = onFrame;
  }

  /** Goes on with the first n bytes of a chunk. */
  feed(chunk, n) {
    let at = this.#held > 0 ? this.#finishHeld(chunk, n) : 0;
    for (let size = this.#whole(chunk, at, n); size > 0; size = this.#whole(chunk, at, n)) {
      this.#give(chunk, at, size - HEAD);
      at += size;
    }
    if (at < n) this.#hold(chunk, at, n);
  }

  /** A frame's size where it is whole, else 0. */
  #whole(p, at, end) {
    if (end - at < HEAD) return 0;
    if (word(p, at) >>> 8 !== MAGIC_AND_VERSION) throw new Error('no frame');
    const length = word(p, at + 4) >>> 0;
    if (length > MAX_FRAME) throw new Error('too large');
    return end - at < HEAD + length ? 0 : HEAD + length;
  }

  #give(p, at, length) {
    if (crcOfFrame(p, at, length) !== word(p, at + 8)) throw new Error('a wrong CRC');
    this.onFrame(p[at + 3], p, at + HEAD, length);
  }

  /** Fills up what is held until it is a frame; answers how much of the chunk that took. */
  #finishHeld(chunk, n) {
    let at = this.#take(chunk, 0, n, HEAD);
    if (this.#held < HEAD) return at;
    const size = HEAD + (word(this.#rest, 4) >>> 0);
    if (size > HEAD + MAX_FRAME) throw new Error('too large');
    at = this.#take(chunk, at, n, size);
    if (this.#whole(this.#rest, 0, this.#held) === 0) return at;
    this.#held = 0;
    this.#give(this.#rest, 0, size - HEAD);
    return at;
  }

  /** Holds bytes of the chunk from `at` on until there are `size`. */
  #take(chunk, at, n, size) {
    const to = Math.min(n, at + Math.max(size - this.#held, 0));
    this.#hold(chunk, at, to);
    return to;
  }

  #hold(chunk, at, to) {
    const size = this.#held + to - at;
    if (this.#rest.length < size) {
      const larger = Buffer.allocUnsafeSlow(Math.max(size, 2 * this.#rest.length));
      larger.set(this.#rest.subarray(0, this.#held));
      this.#rest = larger;
    }
    this.#rest.set(chunk.subarray(at, to), this.#held);
    this.#held = size;
  }
}
