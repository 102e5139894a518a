// --json: each event is a JSON document on a line of its own, behind the line that every server prints.

import type { ShutdownResult } from '../serve';
import type { PlainEvent, Reporter } from './proxy-events';
import type { ProxySettings } from './proxy-options';

export class JsonReporter implements Reporter {
  constructor(private readonly settings: ProxySettings) {}

  listening(where: string): void {
    console.log(`listening ${where}`);
    const [network = '', address = ''] = where.split(' ');
    const { targets, routes } = this.settings.options;
    this.event({ event: 'start', network, address, pid: process.pid, targets, routes });
  }

  event({ event, ...fields }: PlainEvent): void {
    console.log(JSON.stringify({ event, time: new Date().toISOString(), ...fields }));
  }

  stopped(result: ShutdownResult): void {
    this.event({ event: 'stop', ...result });
  }
}
