// What a proxy is told: checked, and with every default in its place.

import { checkDuration, checkFunction, checkInteger, checkObject, checkSignal } from '../check';
import { MAX_TIMER } from '../deadline';
import { Dialer, type DialerOptions } from '../dial';
import { invalidValue } from '../errors';
import type { ListenOptions, ProxyListenOptions } from '../listen';
import { formatProxyHeader, type ProxyFormat } from '../proxy-protocol/format';
import type { ProxyBalance } from './balance';
import type { ProxyEvent } from './events';
import type { HealthLimits, ProxyHealthOptions } from './health';
import { routeName } from './routes';
import { type ProxyTarget, parseTarget, type TargetSpec } from './target';

/** One target or several: `host:port`, `unix:/path`, or an object. */
export type ProxyTargets = string | ProxyTarget | readonly (string | ProxyTarget)[];

export interface ProxyOptions {
  /** How Proxy.listen() listens. With `proxyProtocol` the clients are those that PROXY headers tell of. */
  listen?: ListenOptions | ProxyListenOptions | undefined;
  /** Where connections go that no route names. May be left out where there are routes. */
  targets?: ProxyTargets | undefined;
  /**
   * TLS pass-through: where a client goes that asks for a name in its ClientHello (SNI). `*.example.com`
   * is every name below example.com; the most specific one holds. What names no route, and what is not
   * TLS, goes to `targets`.
   */
  routes?: Readonly<Record<string, ProxyTargets>> | undefined;
  /** With routes: how long a client may take to send its ClientHello, in milliseconds: 1 to 2^31 - 1. Default 5000. */
  helloTimeout?: number | undefined;
  /** How targets are chosen. Default `roundRobin`. */
  balance?: ProxyBalance | undefined;
  /**
   * How long one attempt to connect to a target may take, name resolution included, in milliseconds.
   * 0: as long as the system likes. Default 5000.
   */
  connectTimeout?: number | undefined;
  /** How targets are dialed, beyond that. */
  dial?: Omit<DialerOptions, 'timeout' | 'deadline'> | undefined;
  /** When a target that cannot be connected to is skipped, and for how long. */
  health?: ProxyHealthOptions | undefined;
  /** Sends each target a PROXY header ahead of the client's bytes, with the client's address. Default: none. */
  sendProxyHeader?: ProxyFormat | undefined;
  /** Ends a connection on which no byte has moved, either way, for so many milliseconds. Default 0: never. */
  idleTimeout?: number | undefined;
  /** The same, in its place, from when one side has sent FIN. Default 0: `idleTimeout` holds to the end. */
  halfCloseTimeout?: number | undefined;
  /** Bytes a second that pass, in each direction of each connection. Default 0: no limit. */
  rateLimit?: number | undefined;
  /** Connections at a time; those beyond are closed at once. Default 0: no limit. */
  maxConnections?: number | undefined;
  /** The same for each IP address that connects. Clients of Unix sockets have none, and no such limit. */
  maxPerSource?: number | undefined;
  /** Told of each thing that happens, in its turn. */
  onEvent?: ((event: ProxyEvent) => void) | undefined;
  /** Aborting it calls close(). */
  signal?: AbortSignal | undefined;
}

/** The options as the proxy works with them. */
export interface Settings {
  readonly targets: readonly TargetSpec[];
  readonly routes: ReadonlyMap<string, readonly TargetSpec[]>;
  readonly helloTimeout: number;
  readonly balance: ProxyBalance;
  readonly dial: DialerOptions;
  readonly sendProxyHeader: ProxyFormat | null;
  readonly health: HealthLimits;
  readonly relay: RelaySettings;
  readonly maxConnections: number;
  readonly maxPerSource: number;
}

/** What relay() is told, in its own words. */
export interface RelaySettings {
  readonly idleTimeout: number;
  readonly halfCloseTimeout: number;
  readonly rateLimit: number | undefined;
}

const CONNECT_TIMEOUT = 5000;
const HELLO_TIMEOUT = 5000;
const HEALTH: HealthLimits = { failures: 3, backoff: 1000, maxBackoff: 30_000 };
const BALANCES: readonly ProxyBalance[] = ['roundRobin', 'leastConnections', 'sourceHash'];

/** @throws TypeError, RangeError; OpError for a target whose text is no address */
export function settingsOf(options: ProxyOptions): Settings {
  checkObject('options', options);
  const { helloTimeout = HELLO_TIMEOUT, maxConnections = 0, maxPerSource = 0, onEvent, signal } = options;
  if (onEvent !== undefined) checkFunction('options.onEvent', onEvent);
  if (signal !== undefined) checkSignal(signal);
  checkInteger('options.helloTimeout', helloTimeout, 1, MAX_TIMER);
  checkCount('maxConnections', maxConnections);
  checkCount('maxPerSource', maxPerSource);
  return {
    ...destinations(options),
    helloTimeout,
    balance: balanceOf(options),
    dial: dialOf(options),
    sendProxyHeader: formatOf(options),
    health: healthOf(options),
    relay: relayOf(options),
    maxConnections,
    maxPerSource,
  };
}

function destinations({ targets = [], routes = {} }: ProxyOptions): Pick<Settings, 'targets' | 'routes'> {
  checkObject('options.routes', routes);
  const named = Object.entries(routes).map(
    ([name, each]) => [routeName(name), specsOf(`options.routes['${name}']`, each)] as const,
  );
  const empty = named.find(([, specs]) => specs.length === 0);
  if (empty !== undefined) throw invalidValue(`options.routes['${empty[0]}']`, 'must have a target', []);
  const unnamed = specsOf('options.targets', targets);
  if (unnamed.length === 0 && named.length === 0) throw invalidValue('options.targets', 'must have a target', targets);
  return { targets: unnamed, routes: together(named) };
}

// Two ways to write one name are one name.
function together(named: readonly (readonly [string, TargetSpec[]])[]): Map<string, TargetSpec[]> {
  const routes = new Map<string, TargetSpec[]>();
  for (const [name, specs] of named) routes.set(name, [...(routes.get(name) ?? []), ...specs]);
  return routes;
}

function specsOf(name: string, targets: ProxyTargets): TargetSpec[] {
  const list: readonly unknown[] = Array.isArray(targets) ? targets : [targets];
  return Array.from(list, (target, i) => parseTarget(`${name}[${i}]`, target));
}

function balanceOf({ balance = 'roundRobin' }: ProxyOptions): ProxyBalance {
  if (!BALANCES.includes(balance))
    throw invalidValue('options.balance', `must be one of ${BALANCES.join(', ')}`, balance);
  return balance;
}

function dialOf({ dial = {}, connectTimeout = CONNECT_TIMEOUT }: ProxyOptions): DialerOptions {
  checkObject('options.dial', dial);
  checkDuration('options.connectTimeout', connectTimeout);
  return new Dialer({ ...dial, timeout: connectTimeout }).options;
}

function formatOf({ sendProxyHeader: format }: ProxyOptions): ProxyFormat | null {
  if (format === undefined) return null;
  checkObject('options.sendProxyHeader', format);
  formatProxyHeader({ ...format }); // what is wrong with it is known now
  return format;
}

function healthOf({ health = {} }: ProxyOptions): HealthLimits {
  checkObject('options.health', health);
  const { failures = HEALTH.failures, backoff = HEALTH.backoff, maxBackoff = HEALTH.maxBackoff } = health;
  checkCount('health.failures', failures);
  checkDuration('options.health.backoff', backoff);
  checkDuration('options.health.maxBackoff', maxBackoff);
  return { failures, backoff, maxBackoff };
}

function relayOf({ idleTimeout = 0, halfCloseTimeout = 0, rateLimit = 0 }: ProxyOptions): RelaySettings {
  checkDuration('options.idleTimeout', idleTimeout);
  checkDuration('options.halfCloseTimeout', halfCloseTimeout);
  checkCount('rateLimit', rateLimit);
  return { idleTimeout, halfCloseTimeout, rateLimit: rateLimit || undefined };
}

function checkCount(name: string, value: unknown): void {
  checkInteger(`options.${name}`, value, 0, Number.MAX_SAFE_INTEGER);
}
