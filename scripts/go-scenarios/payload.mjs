// The bytes that a step sends.

/** Byte i is (i*31 + floor(i/256)*7 + seed*17) mod 256. */
function fill(length, seed = 0) {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8) * 7 + seed * 17) & 255;
  return bytes;
}

function build({ data, fill: pattern, chunkFill, rep }) {
  if (typeof data === 'string') return Buffer.from(data);
  if (pattern) return fill(pattern.bytes, pattern.seed);
  if (chunkFill) return fill(chunkFill.count * chunkFill.size, chunkFill.seed);
  if (rep) return Buffer.from(rep.text.repeat(rep.times));
  return Buffer.alloc(0);
}

/** The payloads of all steps, made before the first one so that making them counts against no deadline. */
export class Payloads {
  #built = new Map();

  constructor(steps) {
    for (const step of steps) this.#add(step);
  }

  #add(step) {
    if (step.step) this.#add(step.step);
    this.#built.set(step, build(step));
  }

  of(step) {
    return this.#built.get(step);
  }

  /** The members of a batch write. */
  listOf(step) {
    const list = (step.chunks ?? []).map((text) => Buffer.from(text));
    if (!step.chunkFill) return list;
    const { count, size } = step.chunkFill;
    const all = this.of(step);
    return [...list, ...Array.from({ length: count }, (_, i) => all.subarray(i * size, (i + 1) * size))];
  }
}
