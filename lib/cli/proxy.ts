// spliceway proxy: the class Proxy, with its ends at a terminal.

import { setFlagsFromString } from 'node:v8';
import type { ProxyEvent } from '../proxy/events';
import { Proxy as TcpProxy } from '../proxy/proxy';
import { JsonReporter } from './json-report';
import { countersOf, isTold, type Reporter, toPlain } from './proxy-events';
import type { ProxySettings } from './proxy-options';
import { superviseWorkers } from './proxy-workers';
import { firstSignal } from './serving';
import { TextReporter } from './text-report';

// How long the last of what is told may take to be read.
const LAST_WORDS = 1000;

/** Forwards until SIGINT or SIGTERM, and then until the connections have ended. */
export async function runProxy(settings: ProxySettings): Promise<void> {
  // Whoever reads either may leave: connections are worth more than what is told of them.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  if (settings.workers > 0) await superviseWorkers(settings);
  else await proxyHere(settings);
}

async function proxyHere(settings: ProxySettings): Promise<void> {
  const reporter: Reporter = settings.json
    ? new JsonReporter(settings)
    : new TextReporter(() => countersOf(proxy.stats));
  const proxy = await startProxy(settings, (event) => reporter.event(toPlain(event)));
  const signalled = firstSignal(() => proxy.close());
  reporter.listening(settings.at.network, `${proxy.addr}`);
  await signalled;
  reporter.stopped(await proxy.shutdown({ timeout: settings.drainTimeout }));
  endSoon();
}

/** Whoever has stopped reading what is told does not keep the process. */
function endSoon(): void {
  setTimeout(() => process.exit(), LAST_WORDS).unref();
}

/** A proxy as the settings have it, which tells what a reporter has a use for. */
export function startProxy(settings: ProxySettings, tell: (event: ProxyEvent) => void): Promise<TcpProxy> {
  // Connections that live long have V8's young generation grow, by up to 32 MiB that it does not give back
  // while the process is quiet. Keeping it small makes a connection no dearer here.
  setFlagsFromString('--semi-space-growth-factor=1');
  const { at, targets, routes, options, json } = settings;
  const onEvent = (event: ProxyEvent) => {
    if (isTold(event.type, json)) tell(event);
  };
  return TcpProxy.listen(at.network, at.address, { ...options, targets, routes, onEvent });
}
