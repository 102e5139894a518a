// What a person is told of a proxy, on standard error: troubles, and on a terminal how it stands.

import type { Counters, PlainEvent, Reporter } from './proxy-events';
import { StatusLine } from './status-line';
import { showSize } from './units';

/** A failure as an event has it. */
type Failure = { message: string };

export class TextReporter implements Reporter {
  private readonly status: StatusLine;
  private before: { at: number; counters: Counters } | null = null;
  // Targets that are known to be down: further failures say nothing new.
  private readonly down = new Set<string>();
  // Reasons for which connections were rejected: a crowd is not to fill a disk.
  private readonly told = new Set<unknown>();

  constructor(counters: () => Counters) {
    this.status = new StatusLine(() => this.statusText(counters()));
  }

  listening(network: string, address: string): void {
    console.log(`listening ${network} ${address}`);
    this.status.start();
  }

  event(event: PlainEvent): void {
    const text = this.textOf(event);
    if (text === null) return;
    this.status.print(event.worker === undefined ? text : `worker ${event.worker}: ${text}`);
  }

  stopped(): void {
    this.status.stop();
  }

  private textOf(event: PlainEvent): string | null {
    const target = `${event.worker} ${event.target}`;
    switch (event.event) {
      case 'dialFailed':
        return this.down.has(target) ? null : (event.error as Failure).message;
      case 'targetDown':
        this.down.add(target);
        return `target ${event.target} is down after ${event.failures} failures; it is tried again from time to time`;
      case 'targetUp':
        this.down.delete(target);
        return `target ${event.target} is up again, after ${seconds(event.downFor)}`;
      case 'reject':
        return this.firstRejection(event.reason);
      case 'workerEnded':
        return `it has ended (${event.signal ?? event.code}), and is not started again`;
      case 'error':
        return (event.error as Failure).message;
      default:
        return null;
    }
  }

  // Targets that fail are told of by themselves, and clients that leave are nobody's trouble.
  private firstRejection(reason: unknown): string | null {
    if (reason === 'noTarget' || reason === 'clientGone' || reason === 'closed' || this.told.has(reason)) return null;
    this.told.add(reason);
    return `a connection was rejected: ${reason} (further ones are counted, and told with --json)`;
  }

  private statusText(counters: Counters): string {
    const { active, total, rejected, bytesToTargets, bytesToClients, targetsDown } = counters;
    const at = performance.now();
    const before = this.before ?? { at, counters };
    const rate = (field: 'bytesToTargets' | 'bytesToClients') =>
      showSize(Math.round((1000 * (counters[field] - before.counters[field])) / Math.max(at - before.at, 1)));
    this.before = { at, counters };
    return [
      `${active} active, ${total} in all, ${rejected} rejected`,
      `to targets ${showSize(bytesToTargets)} (${rate('bytesToTargets')}/s)`,
      `to clients ${showSize(bytesToClients)} (${rate('bytesToClients')}/s)`,
      ...(targetsDown === 0 ? [] : [`${targetsDown} down`]),
    ].join(' | ');
  }
}

const seconds = (milliseconds: unknown): string => `${(Number(milliseconds) / 1000).toFixed(1)} s`;
