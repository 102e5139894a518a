// What a proxy tells, in plain data: for JSON, and for the way from a worker to its parent.

import type { ProxyEvent, ProxyStats } from '../proxy/events';
import type { ShutdownResult } from '../serve';

/** An event: addresses as text, errors as message and code, times to the microsecond. */
export interface PlainEvent {
  readonly event: string;
  /** Which worker tells it, 1, 2, …, where there are any. */
  readonly worker?: number;
  readonly [field: string]: unknown;
}

/** Who is told what a proxy does. */
export interface Reporter {
  /** Once it accepts. */
  listening(network: string, address: string): void;
  event(event: PlainEvent): void;
  stopped(result: ShutdownResult): void;
}

/** What a status line shows. */
export interface Counters {
  active: number;
  total: number;
  rejected: number;
  bytesToTargets: number;
  bytesToClients: number;
  targetsDown: number;
}

export function toPlain({ type, ...fields }: ProxyEvent): PlainEvent {
  const plain = Object.entries(fields).map(([name, value]) => [name, plainValue(name, value)]);
  return { event: type, ...Object.fromEntries(plain) };
}

function plainValue(name: string, value: unknown): unknown {
  if (value instanceof Error) return { message: value.message, code: (value as { code?: string }).code ?? null };
  if (typeof value === 'number') return Math.round(value * 1000) / 1000;
  return name === 'source' ? String(value) : value;
}

/** Whether a reporter has a use for an event: of most it has none, unless each is printed. */
export function isTold(type: ProxyEvent['type'], json: boolean): boolean {
  return type !== 'connect' && (json || type !== 'end');
}

export function countersOf(stats: ProxyStats): Counters {
  const { active, total, bytesToTargets, bytesToClients, targets } = stats;
  const reasons = [...Object.values(stats.rejected), ...Object.values(stats.proxyHeaders ?? {})];
  const rejected = reasons.reduce((sum, each) => sum + each, 0);
  const targetsDown = targets.filter(({ state }) => state === 'down').length;
  return { active, total, rejected, bytesToTargets, bytesToClients, targetsDown };
}

/** Of several workers, which have the same targets. */
export function together(all: readonly Counters[]): Counters {
  const sum = (field: keyof Counters) => all.reduce((so, each) => so + each[field], 0);
  return {
    active: sum('active'),
    total: sum('total'),
    rejected: sum('rejected'),
    bytesToTargets: sum('bytesToTargets'),
    bytesToClients: sum('bytesToClients'),
    targetsDown: Math.max(0, ...all.map(({ targetsDown }) => targetsDown)),
  };
}
