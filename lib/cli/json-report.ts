// --json: each event is a JSON document on a line of its own, behind the line that every server prints.

import { nameOf } from '../proxy/target';
import type { ShutdownResult } from '../serve';
import type { Target } from './address';
import type { PlainEvent, Reporter } from './proxy-events';
import type { ProxySettings } from './proxy-options';

export class JsonReporter implements Reporter {
  constructor(private readonly settings: ProxySettings) {}

  listening(network: string, address: string): void {
    console.log(`listening ${network} ${address}`);
    const { targets, routes } = this.settings;
    const named = Object.entries(routes).map(([name, each]) => [name, each.map(shown)]);
    this.event({
      event: 'start',
      network,
      address,
      pid: process.pid,
      targets: targets.map(shown),
      routes: Object.fromEntries(named),
    });
  }

  event({ event, ...fields }: PlainEvent): void {
    console.log(JSON.stringify({ event, time: new Date().toISOString(), ...fields }));
  }

  stopped(result: ShutdownResult): void {
    this.event({ event: 'stop', ...result });
  }
}

/** A target as the other events name it. */
const shown = (target: Target) => ({ name: nameOf(target), weight: target.weight });
