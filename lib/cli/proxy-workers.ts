// spliceway proxy --workers: processes that share the port, and one that watches over them.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { joinHostPort, splitHostPort, type TCPAddr } from '../addr';
import { listen } from '../listen';
import type { ShutdownResult } from '../serve';
import type { Endpoint } from './address';
import { JsonReporter } from './json-report';
import { type Counters, type Reporter, together } from './proxy-events';
import type { ProxySettings } from './proxy-options';
import type { FromWorker, ToWorker } from './proxy-worker';
import { firstSignal } from './serving';
import { TextReporter } from './text-report';

/** Until SIGINT or SIGTERM, and then until every worker has ended. */
export async function superviseWorkers(settings: ProxySettings): Promise<void> {
  const { at, json } = settings;
  const addr = await freeAddr(at);
  const workers: Worker[] = [];
  const reporter: Reporter = json
    ? new JsonReporter(settings)
    : new TextReporter(() => together(workers.map(({ counters }) => counters)));
  const theirs = sharing(settings, addr);
  for (let id = 1; id <= settings.workers; id++) workers.push(new Worker(id, theirs, reporter));
  await allListening(workers);
  const signalled = firstSignal(() => {
    for (const worker of workers) worker.close();
  });
  reporter.listening(at.network, `${addr}`);
  const ended = Promise.all(workers.map((worker) => worker.ended));
  await Promise.race([signalled, ended]);
  for (const worker of workers) worker.drain();
  reporter.stopped(sumOf(await ended));
}

/** The address with a port that nobody has. */
async function freeAddr({ network, address }: Endpoint): Promise<TCPAddr> {
  // Without SO_REUSEPORT: with it, another server's port would be shared, and not refused.
  const probe = await listen(network, address);
  probe.close();
  return probe.addr as TCPAddr;
}

/** The settings of each worker. */
function sharing(settings: ProxySettings, { port }: TCPAddr): ProxySettings {
  const { at, options } = settings;
  const { host } = splitHostPort(at.address);
  return {
    ...settings,
    at: { ...at, address: joinHostPort(host, port) },
    options: { ...options, listen: { ...options.listen, reusePort: true } },
  };
}

async function allListening(workers: readonly Worker[]): Promise<void> {
  try {
    await Promise.all(workers.map(({ listening }) => listening));
  } catch (error) {
    for (const worker of workers) worker.drain();
    throw error;
  }
}

function sumOf(results: readonly ShutdownResult[]): ShutdownResult {
  const finished = results.reduce((sum, each) => sum + each.finished, 0);
  const forced = results.reduce((sum, each) => sum + each.forced, 0);
  return { finished, forced };
}

class Worker {
  readonly listening: Promise<void>;
  /** Resolves once the process is no more, to what came of its connections. */
  readonly ended: Promise<ShutdownResult>;
  counters: Counters = together([]);
  private result: ShutdownResult = { finished: 0, forced: 0 };
  private draining = false;
  private readonly child: ChildProcess;

  constructor(
    private readonly id: number,
    settings: ProxySettings,
    private readonly reporter: Reporter,
  ) {
    this.child = fork(join(__dirname, 'proxy-worker.js'));
    this.tell({ start: settings });
    // Its last words may come after its exit.
    const silent = once(this.child, 'disconnect');
    this.ended = Promise.all([once(this.child, 'exit'), silent]).then(([[code, signal]]) =>
      this.hasEnded(code, signal),
    );
    this.listening = new Promise((resolve, reject) => {
      this.child.on('message', (message: FromWorker) => {
        if ('listening' in message) resolve();
        else if ('failed' in message) reject(new Error(message.failed));
        else this.heard(message);
      });
      this.ended.then(() => reject(new Error(`worker ${id} ended before it listened`)), reject);
    });
  }

  drain(): void {
    this.draining = true;
    this.tell({ drain: true });
  }

  close(): void {
    this.tell({ close: true });
  }

  private tell(message: ToWorker): void {
    // One that has just ended is told of by its exit.
    if (this.child.connected) this.child.send(message, () => {});
  }

  private heard(message: FromWorker): void {
    if ('event' in message) this.reporter.event({ ...message.event, worker: this.id });
    else if ('counters' in message) this.counters = message.counters;
    else if ('stopped' in message) this.result = message.stopped;
  }

  private hasEnded(code: number | null, signal: NodeJS.Signals | null): ShutdownResult {
    this.counters = { ...this.counters, active: 0 };
    if (!this.draining) this.reporter.event({ event: 'workerEnded', worker: this.id, code, signal });
    if (code !== 0) process.exitCode = 1;
    return this.result;
  }
}
