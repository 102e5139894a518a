// A worker of `spliceway proxy --workers`: a process of its own, told by its parent what to do.
//
// A signal from a terminal reaches every process of the group, so SIGINT is left to the parent, which
// says what it is to mean. One who sends SIGTERM to a worker means that worker.

import type { ShutdownResult } from '../serve';
import { startProxy } from './proxy';
import { type Counters, countersOf, type PlainEvent, toPlain } from './proxy-events';
import type { ProxySettings } from './proxy-options';

/** What the parent says. */
export type ToWorker = { start: ProxySettings } | { drain: true } | { close: true };

/** What a worker says. */
export type FromWorker =
  | { listening: true }
  | { failed: string }
  | { event: PlainEvent }
  | { counters: Counters }
  | { stopped: ShutdownResult };

const COUNTERS_EVERY = 1000;

const say = (message: FromWorker): void => {
  if (process.connected) process.send?.(message);
};

const sayLast = (message: FromWorker): void => {
  if (process.connected) process.send?.(message, () => process.disconnect());
};

/** Resolves when it is to end: by its parent, by a signal of its own, or because the parent is no more. */
function toldToDrain(): Promise<void> {
  return new Promise((resolve) => {
    process.on('message', (message: ToWorker) => {
      if ('drain' in message) resolve();
    });
    process.on('SIGTERM', resolve);
    process.on('disconnect', resolve);
  });
}

async function run(settings: ProxySettings): Promise<void> {
  const drain = toldToDrain();
  const proxy = await startProxy(settings, (event) => say({ event: toPlain(event) }));
  process.on('message', (message: ToWorker) => {
    if ('close' in message) proxy.close();
  });
  const counting = setInterval(() => say({ counters: countersOf(proxy.stats) }), COUNTERS_EVERY);
  say({ listening: true });
  await drain;
  clearInterval(counting);
  sayLast({ stopped: await proxy.shutdown({ timeout: settings.drainTimeout }) });
}

process.on('SIGINT', () => {});
process.once('message', ({ start }: { start: ProxySettings }) => {
  run(start).catch((error: Error) => {
    process.exitCode = 1;
    sayLast({ failed: error.message });
  });
});
