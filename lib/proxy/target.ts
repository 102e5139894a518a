// Where a proxy forwards to: how targets are written, and what each of them has seen.

import { portNumber, splitHostPort } from '../addr';
import { checkInteger, checkString } from '../check';
import { AddrError, invalidType, invalidValue, OpError } from '../errors';
import { isTCP, isUnix, type StreamNetwork } from '../network';
import type { Relaying } from '../relay';
import type { ProxyTargetStats } from './events';
import { Health, type HealthLimits } from './health';

/** A place to forward to. */
export interface ProxyTarget {
  /** Default `tcp`. */
  network?: StreamNetwork | undefined;
  /** As dial() takes it: `host:port`, or a path. */
  address: string;
  /** Its share beside the other targets, an integer from 1 to 100. Default 1. */
  weight?: number | undefined;
}

const MAX_WEIGHT = 100;

/** A target as it is written, with every field there. */
export interface TargetSpec {
  readonly network: StreamNetwork;
  readonly address: string;
  readonly weight: number;
}

/** `host:port`, `unix:/path`, or an object. @throws TypeError, RangeError; OpError for text that is no address */
export function parseTarget(name: string, target: unknown): TargetSpec {
  if (typeof target === 'string') return parseText(target);
  if (typeof target !== 'object' || target === null) throw invalidType(name, 'of type string or object', target);
  const { network = 'tcp', address, weight = 1 } = target as ProxyTarget;
  checkString(`${name}.network`, network);
  checkString(`${name}.address`, address);
  checkInteger(`${name}.weight`, weight, 1, MAX_WEIGHT);
  if (!isTCP(network) && !isUnix(network)) throw invalidValue(`${name}.network`, 'must be one of streams', network);
  checkAddress(network, address);
  return { network, address, weight };
}

function parseText(text: string): TargetSpec {
  const unix = text.startsWith('unix:');
  const spec = {
    network: unix ? 'unix' : 'tcp',
    address: unix ? text.slice('unix:'.length) : text,
    weight: 1,
  } as const;
  checkAddress(spec.network, spec.address);
  return spec;
}

// What dial() would say, before the first client comes.
function checkAddress(network: string, address: string): void {
  try {
    if (isTCP(network)) portNumber(splitHostPort(address).port);
    else if (address === '') throw new AddrError('missing address', '');
  } catch (error) {
    throw new OpError('dial', network, null, null, error as Error);
  }
}

/** A target of a running proxy. */
export class Target {
  readonly health: Health;
  /** Connections that are being made to it, or are joined to it. */
  active = 0;
  /** Connections that were made. */
  total = 0;
  /** Attempts that failed. */
  failed = 0;
  private readonly relays = new Set<Relaying>();
  private readonly ended = { aToB: 0, bToA: 0 };

  constructor(
    readonly network: StreamNetwork,
    readonly address: string,
    limits: HealthLimits,
  ) {
    this.health = new Health(limits);
  }

  /** As it is written on a command line. */
  get name(): string {
    return nameOf(this);
  }

  /** What passes between a client (a) and this target (b) counts from now on. */
  joined(relaying: Relaying): void {
    this.relays.add(relaying);
  }

  /** That is over; again, and nothing happens. */
  parted(relaying: Relaying): void {
    if (!this.relays.delete(relaying)) return;
    this.ended.aToB += relaying.aToB;
    this.ended.bToA += relaying.bToA;
    this.active--;
  }

  get stats(): ProxyTargetStats {
    const { name, health, active, total, failed, relays } = this;
    let { aToB: bytesToTarget, bToA: bytesToClients } = this.ended;
    for (const { aToB = 0, bToA = 0 } of relays) {
      bytesToTarget += aToB;
      bytesToClients += bToA;
    }
    return { name, state: health.isUp ? 'up' : 'down', active, total, failed, bytesToTarget, bytesToClients };
  }
}

/** What tells targets apart: two of one name are one target. */
export function nameOf({ network, address }: { network: StreamNetwork; address: string }): string {
  return network === 'tcp' ? address : `${network}:${address}`;
}
