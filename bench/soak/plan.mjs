// What is to happen on each relay: the seed and the relay's number say it all.

import { Content } from './content.mjs';
import { between, oneOf, randomOf } from './random.mjs';

// About which sizes the pump does something else: its buffer, its pipe, and what a socket takes at once.
const EDGES = [16, 64, 256, 1024].map((kibibytes) => kibibytes * 1024);
const LARGEST = 2 ** 20;
const HUGE = 2 ** 23;
const STUCK = 2 ** 22;

/** How often each kind of relay comes, of 100. */
const KINDS = [
  ['both', 35],
  ['client first', 10],
  ['target first', 10],
  ['slow client', 8],
  ['slow target', 7],
  ['cut', 25],
  ['idle', 5],
];

export const CUTS = ['client resets', 'target resets', 'client leaves', 'target leaves', 'abort', 'close'];

/**
 * - `order`: who sends first; the other one waits for its FIN. Null: both at once
 * - `slow`: who takes its time to read
 * - `cut`: who ends the relay, once the end `watch` has received so many bytes
 * - `idle`: no FIN comes from either end, and the relay's idle timeout has to end it
 */
export function planOf(seed, id) {
  const random = randomOf(seed, id);
  const kind = kindAt(random() * 100);
  const flows = kind === 'idle' ? { up: small(random), down: small(random) } : { up: flow(random), down: flow(random) };
  return { id, kind, ...flows, order: null, slow: null, cut: null, idle: false, ...details(kind, flows, random) };
}

function kindAt(place) {
  let left = place;
  for (const [kind, share] of KINDS) {
    if (left < share) return kind;
    left -= share;
  }
}

function details(kind, flows, random) {
  if (kind === 'idle') return { idle: true };
  if (kind.startsWith('slow')) return { slow: kind.slice('slow '.length) };
  if (kind.endsWith('first')) return { order: kind.slice(0, -' first'.length) };
  if (kind === 'cut') return { cut: cutOf(flows, random), order: oneOf(random, [null, null, 'client', 'target']) };
  return {};
}

function cutOf({ up, down }, random) {
  const watch = oneOf(random, ['client', 'target']);
  const { bytes } = watch === 'target' ? up : down;
  return { by: oneOf(random, CUTS), watch, received: between(random, 0, bytes) };
}

/** One direction: how many bytes from which place, in how many pieces, with so many milliseconds between them. */
function flow(random) {
  const place = between(random, 0, Content.size - 1);
  return { bytes: sizeOf(random), place, pieces: between(random, 1, 6), gap: oneOf(random, [0, 0, 0, 1, 4]) };
}

const small = (random) => ({ ...flow(random), bytes: between(random, 0, 4096), gap: 0 });

function sizeOf(random) {
  const what = random();
  if (what < 0.03) return 0;
  if (what < 0.04) return between(random, LARGEST, HUGE);
  if (what < 0.15) return oneOf(random, EDGES) + between(random, -1, 1);
  return Math.floor(LARGEST ** random()); // as many of 10 to 100 as of 10,000 to 100,000
}

/**
 * Relays for the beginning, all at once: each has a reader that does not read for a while, and more bytes than
 * the sockets' buffers hold. So each takes a pipe, and what the proxy keeps of them is all that it will ever keep.
 */
export function stuckPlan(seed, id) {
  const random = randomOf(seed, id);
  const large = () => ({ ...flow(random), bytes: STUCK, pieces: 1, gap: 0 });
  return { id, kind: 'stuck', up: large(), down: large(), order: null, slow: 'both', cut: null, idle: false };
}
