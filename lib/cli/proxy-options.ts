// spliceway proxy: what it is told on the command line.

import { type Command, CommanderError, Option } from 'commander';
import type { ProxyBalance } from '../proxy/balance';
import type { ProxyOptions } from '../proxy/options';
import type { Endpoint, Routes, Target } from './address';
import { addresses, listenArgument, targetsArgument } from './arguments';
import { countFrom, parseDuration, parseLimit, parseSize } from './units';

/** What a proxy does, in plain data: it goes to workers as a message. */
export interface ProxySettings {
  readonly at: Endpoint;
  readonly targets: readonly Target[];
  readonly routes: Routes;
  /** All else that the proxy is told. */
  readonly options: ProxyOptions;
  /** Milliseconds that connections get to end after the first signal. */
  readonly drainTimeout: number;
  /** Processes; 0: this one alone. */
  readonly workers: number;
  readonly json: boolean;
}

interface Flags {
  balance: ProxyBalance;
  sni?: Routes;
  helloTimeout: number;
  acceptProxy?: string[];
  proxyOptional?: true;
  proxyTimeout: number;
  sendProxy?: 'v1' | 'v2';
  connectTimeout: number;
  idleTimeout: number;
  halfCloseTimeout: number;
  healthFailures: number;
  healthBackoff: number;
  healthMaxBackoff: number;
  maxConnections: number;
  maxPerSource: number;
  rate: number;
  mode?: number;
  removeStale?: true;
  drainTimeout: number;
  workers: number;
  json?: true;
}

const EXAMPLES = `
Examples:
  spliceway proxy :8080 10.0.0.5:80 10.0.0.6:80,weight=2
  spliceway proxy :5432 db1:5432 db2:5432 --balance leastConnections --idle-timeout 10m
  spliceway proxy unix:/run/front.sock unix:/run/back.sock --mode 660 --remove-stale
  spliceway proxy :443 10.0.0.5:443 --sni api.example.com=10.0.0.7:443 --sni '*.example.com=10.0.0.8:443'

Times are 250ms, 5s, 5m or 1h; sizes 64KiB, 10MiB or a number of bytes; 0 is none.`;

const duration = (flags: string, what: string, byDefault: number, shown: string): Option =>
  new Option(`${flags} <time>`, what).argParser(parseDuration).default(byDefault, shown);

const limit = (flags: string, what: string): Option =>
  new Option(`${flags} <time>`, what).argParser(parseLimit).default(5000, '5s');

const count = (flags: string, what: string, byDefault: number, shown = String(byDefault)): Option =>
  new Option(`${flags} <n>`, what).argParser(countFrom(0)).default(byDefault, shown);

export function addProxy(spliceway: Command): void {
  const command = spliceway
    .command('proxy')
    .description('forward TCP and Unix streams in the kernel, to one of several targets')
    .usage('[options] <listen> <target...>')
    .addArgument(listenArgument())
    .addArgument(targetsArgument())
    .addHelpText('after', EXAMPLES)
    .action(async (at: Endpoint, targets: Target[], flags: Flags) => {
      const settings = settingsOf(at, targets, flags);
      const { runProxy } = await import('./proxy.js');
      await runProxy(settings);
    });
  for (const option of [...forwarding(), ...headers(), ...limits(), ...running()]) command.addOption(option);
}

function forwarding(): Option[] {
  return [
    new Option('--balance <how>', 'how a target is chosen')
      .choices(['roundRobin', 'leastConnections', 'sourceHash'])
      .default('roundRobin'),
    new Option(
      '--sni <name=target>',
      'TLS: where a client goes that asks for this name; may be repeated',
    ).argParser<Routes>((text, before) => addresses().collectRoutes(text, before)),
    limit('--hello-timeout', 'with --sni: how long a client may take to send its ClientHello'),
    duration('--connect-timeout', 'how long an attempt to connect to a target may take', 5000, '5s'),
    duration('--idle-timeout', 'end a connection on which no byte has moved for so long', 0, 'none'),
    duration('--half-close-timeout', 'the same, once one side has sent FIN', 0, 'as before'),
    count('--health-failures', 'failures to connect, in a row, after which a target is skipped', 3),
    duration('--health-backoff', 'how long it is skipped at first; doubled each time', 1000, '1s'),
    duration('--health-max-backoff', 'how long it is skipped at most', 30_000, '30s'),
  ];
}

function headers(): Option[] {
  return [
    new Option(
      '--accept-proxy <network>',
      'PROXY headers are read from peers in this network (10.0.0.0/8, ::1, unix); may be repeated',
    ).argParser<string[]>((text, before) => addresses().collectNetworks(text, before)),
    new Option('--proxy-optional', 'with --accept-proxy: connections without a header are served too'),
    limit('--proxy-timeout', 'with --accept-proxy: how long a header may take'),
    new Option('--send-proxy <version>', 'send targets a PROXY header of this version').choices(['v1', 'v2']),
  ];
}

function limits(): Option[] {
  return [
    count('--max-connections', 'connections at a time, in each worker', 0, 'no limit'),
    count('--max-per-source', 'the same for each IP address that connects', 0, 'no limit'),
    new Option('--rate <size>', 'bytes a second, in each direction of each connection')
      .argParser(parseSize)
      .default(0, 'no limit'),
  ];
}

function running(): Option[] {
  return [
    new Option('--mode <octal>', 'permissions of the Unix socket it listens on, such as 660').argParser(parseMode),
    new Option('--remove-stale', 'replace a Unix socket that nobody listens on any more'),
    duration('--drain-timeout', 'how long connections get to end after a signal', 3000, '3s'),
    count('--workers', 'processes that share the port', 0, 'this one alone'),
    new Option('--json', 'events on standard output, one JSON document on each line'),
  ];
}

function parseMode(text: string): number {
  if (/^0?[0-7]{3}$/.test(text)) return Number.parseInt(text, 8);
  throw usage(`option '--mode <octal>' argument '${text}' is invalid. expected three octal digits, such as 660`);
}

const usage = (what: string): CommanderError => new CommanderError(2, 'spliceway.usage', `error: ${what}`);

function settingsOf(at: Endpoint, targets: Target[], flags: Flags): ProxySettings {
  const { sni: routes = {}, drainTimeout, workers, json = false } = flags;
  if (targets.length === 0 && Object.keys(routes).length === 0) throw usage("missing required argument 'target'");
  if (at.network === 'unix' && workers > 0) throw usage('--workers needs a TCP address: a Unix socket has one process');
  if (at.network !== 'unix' && (flags.mode !== undefined || flags.removeStale)) {
    throw usage('--mode and --remove-stale are for Unix sockets');
  }
  if (flags.proxyOptional && flags.acceptProxy === undefined) throw usage('--proxy-optional is for --accept-proxy');
  return { at, targets, routes, options: optionsOf(flags), drainTimeout, workers, json };
}

function optionsOf(flags: Flags): ProxyOptions {
  const { helloTimeout, balance, connectTimeout, idleTimeout, halfCloseTimeout, maxConnections, maxPerSource, rate } =
    flags;
  const { healthFailures: failures, healthBackoff: backoff, healthMaxBackoff: maxBackoff, sendProxy } = flags;
  return {
    helloTimeout,
    balance,
    connectTimeout,
    idleTimeout,
    halfCloseTimeout,
    sendProxyHeader: sendProxy === undefined ? undefined : { version: sendProxy === 'v1' ? 1 : 2 },
    health: { failures, backoff, maxBackoff },
    maxConnections,
    maxPerSource,
    rateLimit: rate,
    listen: listenOf(flags),
  };
}

function listenOf({
  mode,
  removeStale,
  acceptProxy: trusted,
  proxyOptional,
  proxyTimeout,
}: Flags): ProxyOptions['listen'] {
  const listen = { mode, removeStale };
  if (trusted === undefined) return listen;
  return { ...listen, proxyProtocol: { trusted, required: !proxyOptional, timeout: proxyTimeout } };
}
