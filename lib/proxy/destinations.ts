// The targets of a proxy, in the groups that its connections are balanced among.

import { Group, Member } from './balance';
import type { ProxyTargetStats } from './events';
import type { Settings } from './options';
import { Routes } from './routes';
import { nameOf, Target, type TargetSpec } from './target';

export class Destinations {
  /** A target that is in several groups is one target: what one of them learns of it holds for all. */
  private readonly targets = new Map<string, Target>();
  private readonly unnamed: Group | null;
  private readonly named: Routes<Group>;

  constructor(private readonly settings: Settings) {
    const { targets, routes } = settings;
    this.unnamed = targets.length === 0 ? null : this.group(targets);
    this.named = new Routes(new Map([...routes].map(([name, specs]) => [name, this.group(specs)])));
  }

  /** Whether it depends on the name that a client asks for. */
  get areNamed(): boolean {
    return !this.named.isEmpty;
  }

  /** The targets for a client that asks for a name, or for none; null where there are none. */
  find(serverName: string | null): Group | null {
    return (serverName === null ? undefined : this.named.find(serverName)) ?? this.unnamed;
  }

  get stats(): ProxyTargetStats[] {
    return [...this.targets.values()].map(({ stats }) => stats);
  }

  private group(specs: readonly TargetSpec[]): Group {
    const shares = new Map<Target, number>();
    for (const spec of specs) {
      const target = this.target(spec);
      shares.set(target, (shares.get(target) ?? 0) + spec.weight);
    }
    const members = [...shares].map(([target, weight]) => new Member(target, weight));
    return new Group(members, this.settings.balance);
  }

  private target(spec: TargetSpec): Target {
    const name = nameOf(spec);
    const known = this.targets.get(name);
    if (known !== undefined) return known;
    const target = new Target(spec.network, spec.address, this.settings.health);
    this.targets.set(name, target);
    return target;
  }
}
