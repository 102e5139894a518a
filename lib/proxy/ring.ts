// Consistent hashing: a ring on which each target has many points, and a key belongs to the next point
// (as libketama does it). A target that goes away moves the keys that were its own and no others.

import { createHash } from 'node:crypto';

/** SHA-256 gives eight points; 160 points for each unit of weight, as libketama has, keep shares within some 10 %. */
const POINTS_OF_DIGEST = 8;
const DIGESTS = 20;

/** What has a place on a ring. */
export interface Ringed {
  /** Its points are hashes of this. */
  readonly name: string;
  readonly weight: number;
}

interface Point<T> {
  readonly at: number;
  readonly owner: T;
}

export class Ring<T extends Ringed> {
  private readonly points: readonly Point<T>[];

  constructor(members: readonly T[]) {
    this.points = members.flatMap(pointsOf).sort((a, b) => a.at - b.at);
  }

  /** The first member from the key's place on for which `fits` holds. */
  find(key: string, fits: (member: T) => boolean): T | undefined {
    const { points } = this;
    const first = this.firstFrom(digestOf(key).readUInt32BE(0));
    for (let i = 0; i < points.length; i++) {
      const { owner } = points[(first + i) % points.length] as Point<T>;
      if (fits(owner)) return owner;
    }
    return undefined;
  }

  private firstFrom(at: number): number {
    let low = 0;
    let high = this.points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.points[middle] as Point<T>).at < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function pointsOf<T extends Ringed>(owner: T): Point<T>[] {
  return Array.from({ length: DIGESTS * owner.weight }, (_, i) => digestOf(`${owner.name}-${i}`)).flatMap((digest) =>
    Array.from({ length: POINTS_OF_DIGEST }, (_, k) => ({ at: digest.readUInt32BE(4 * k), owner })),
  );
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();
