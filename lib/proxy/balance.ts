// Which target a connection is for.

import { Ring } from './ring';
import type { Target } from './target';

/**
 * - `roundRobin`: each in its turn
 * - `leastConnections`: the one with the fewest connections; among equals, each in its turn
 * - `sourceHash`: always the same one for a client's IP address
 */
export type ProxyBalance = 'roundRobin' | 'leastConnections' | 'sourceHash';

/** A target in a group, with its share there. */
export class Member {
  /** Of the smooth weighted round robin. */
  credit = 0;

  constructor(
    readonly target: Target,
    readonly weight: number,
  ) {}

  get name(): string {
    return this.target.name;
  }

  get load(): number {
    return this.target.active / this.weight;
  }
}

/** Picks one of those that can be had now; there is at least one. `source` is the client's IP address. */
type Pick = (able: readonly Member[], source: string) => Member;

// nginx's: with weights 3, 1, 1 it gives a a b a c, not a a a b c.
function inTurn(able: readonly Member[]): Member {
  let best = able[0] as Member;
  let total = 0;
  for (const member of able) {
    member.credit += member.weight;
    total += member.weight;
    if (member.credit > best.credit) best = member;
  }
  best.credit -= total;
  return best;
}

function leastLoaded(able: readonly Member[]): Member {
  const least = Math.min(...able.map(({ load }) => load));
  return inTurn(able.filter(({ load }) => load === least));
}

function bySource(members: readonly Member[]): Pick {
  const ring = new Ring(members);
  return (able, source) => ring.find(source, (member) => able.includes(member)) as Member;
}

/** The targets among which a connection is balanced: all of the proxy's, or those of a route. */
export class Group {
  private readonly pick: Pick;

  constructor(
    private readonly members: readonly Member[],
    balance: ProxyBalance,
  ) {
    if (balance === 'sourceHash') this.pick = bySource(members);
    else this.pick = balance === 'leastConnections' ? leastLoaded : inTurn;
  }

  /**
   * The targets to try for a connection, each at most once. It is decided which is next when it is
   * asked for. Where none can be had, the one whose last failure is longest ago is tried all the same:
   * that every target should be down is likelier a fault of ours, or over by now.
   */
  *candidates(source: string): Generator<Target, undefined> {
    let left = this.members;
    for (;;) {
      const able = left.filter(({ target }) => target.health.isAvailable);
      if (able.length === 0) break;
      const next = this.pick(able, source);
      left = left.filter((member) => member !== next);
      yield next.target;
    }
    if (left.length === this.members.length) yield this.leastRecentlyFailed();
  }

  private leastRecentlyFailed(): Target {
    const targets = this.members.map(({ target }) => target);
    return targets.reduce((a, b) => (b.health.failedAt < a.health.failedAt ? b : a));
  }
}
