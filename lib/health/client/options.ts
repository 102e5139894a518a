// What a HealingClient is told: checked, and with every default in its place.

import { checkBoolean, checkFunction, checkInteger, checkObject, checkSignal } from '../../check';
import { checkFramedOptions, type FramedConnOptions } from '../../codec/framed-conn';
import type { CallOptions } from '../../conn';
import { MAX_TIMER } from '../../deadline';
import { invalidType, invalidValue, outOfRange } from '../../errors';
import { type ProxyTarget, parseTarget, type TargetSpec } from '../../proxy/target';
import type { Carrier } from './carrier';
import type { ClientEvent } from './events';

export interface ConnectContext {
  /** One of `endpoints`, as it was given. */
  readonly endpoint: Endpoint;
  /** Aborted when `connectTimeout` is over and when the client closes. A connection that comes later is closed. */
  readonly signal: AbortSignal;
}

/** `host:port`, `unix:/path`, or an object. */
export type Endpoint = string | Omit<ProxyTarget, 'weight'>;

export interface HealingClientOptions {
  /**
   * Where to connect to, in the order in which they are tried. The standby is at another one than the active
   * connection, where there is another.
   */
  endpoints: readonly Endpoint[];
  /** Makes a connection. Default: dials the endpoint, and makes a FramedConn with `frames`. */
  connect?: ((context: ConnectContext) => Promise<Carrier>) | undefined;
  /** Options of those FramedConns. `session` is on. With `heartbeat` a connection is left when it is ill, too. */
  frames?: Omit<FramedConnOptions, 'session'> | undefined;
  /** Prepares a connection that was made, before it counts as one: authenticates, warms caches. Rejecting says that it is no good. */
  warmUp?: ((carrier: Carrier, context: ConnectContext) => unknown) | undefined;
  /** How long connecting may take, name resolution and `warmUp` included, in milliseconds: 1 to 2^31 - 1. Default 3000. */
  connectTimeout?: number | undefined;
  /** Connections that are kept ready beside the active one: 0 to 16. Default 1. */
  standby?: number | undefined;
  /** The first ceiling of the back-off, in milliseconds: 1 to 2^31 - 1. Default 200. */
  backoff?: number | undefined;
  /** The last one: `backoff` to 2^31 - 1. Default 30000. */
  maxBackoff?: number | undefined;
  /** How many of the requests under way on a connection that is left move at a time: a share, above 0 to 1. Default 0.5. */
  drainShare?: number | undefined;
  /** How long it is from one such move to the next, in milliseconds: 1 to 2^31 - 1. Default 10. */
  drainPace?: number | undefined;
  /** How long requests that cannot move may still be answered there, in milliseconds: 0 to 2^31 - 1. Default 8000. */
  drainTimeout?: number | undefined;
  /** How long a request may take, in milliseconds: 1 to 2^31 - 1. Default 8000. */
  timeout?: number | undefined;
  /** Requests that may wait for a connection: 0 or more. Default 10000. */
  maxQueued?: number | undefined;
  /** Told of each thing that happens, in its turn. */
  onEvent?: ((event: ClientEvent) => void) | undefined;
}

export interface ClientRequestOptions extends CallOptions {
  /** Carrying it out twice does what carrying it out once does: it may be sent again. Default false. */
  idempotent?: boolean | undefined;
  /** How long it may take, in milliseconds: 1 to 2^31 - 1. Default: the client's. */
  timeout?: number | undefined;
  /** The command of its frame. Default 0. */
  command?: number | undefined;
}

type Numbers =
  | 'connectTimeout'
  | 'standby'
  | 'backoff'
  | 'maxBackoff'
  | 'drainShare'
  | 'drainPace'
  | 'drainTimeout'
  | 'timeout'
  | 'maxQueued';

export interface Config extends Readonly<Record<Numbers, number>> {
  readonly endpoints: readonly { readonly given: Endpoint; readonly target: TargetSpec }[];
  readonly connect: HealingClientOptions['connect'];
  readonly frames: FramedConnOptions;
  readonly warmUp: HealingClientOptions['warmUp'];
  readonly onEvent: HealingClientOptions['onEvent'];
}

const DEFAULTS: Record<Numbers, number> = {
  connectTimeout: 3000,
  standby: 1,
  backoff: 200,
  maxBackoff: 30_000,
  drainShare: 0.5,
  drainPace: 10,
  drainTimeout: 8000,
  timeout: 8000,
  maxQueued: 10_000,
};

const RANGES: readonly (readonly [Numbers, min: number, max: number])[] = [
  ['connectTimeout', 1, MAX_TIMER],
  ['standby', 0, 16],
  ['backoff', 1, MAX_TIMER],
  ['drainPace', 1, MAX_TIMER],
  ['drainTimeout', 0, MAX_TIMER],
  ['timeout', 1, MAX_TIMER],
  ['maxQueued', 0, Number.MAX_SAFE_INTEGER],
];

/** @throws TypeError, RangeError; OpError for an endpoint whose text is no address */
export function configOf(options: HealingClientOptions): Config {
  checkObject('options', options);
  const { connect, warmUp, onEvent, frames = {} } = options;
  for (const [name, hook] of Object.entries({ connect, warmUp, onEvent })) {
    if (hook !== undefined) checkFunction(`options.${name}`, hook);
  }
  checkObject('options.frames', frames);
  checkFramedOptions({ ...frames, session: true });
  return { ...numbersOf(options), endpoints: endpointsOf(options), connect, warmUp, onEvent, frames };
}

function numbersOf(options: HealingClientOptions): Record<Numbers, number> {
  const names = Object.keys(DEFAULTS) as Numbers[];
  const given = names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]);
  const numbers: Record<Numbers, number> = { ...DEFAULTS, ...Object.fromEntries(given) };
  for (const [name, min, max] of RANGES) checkInteger(`options.${name}`, numbers[name], min, max);
  checkInteger('options.maxBackoff', numbers.maxBackoff, numbers.backoff, MAX_TIMER);
  const { drainShare } = numbers;
  if (typeof drainShare !== 'number') throw invalidType('options.drainShare', 'of type number', drainShare);
  if (!(drainShare > 0 && drainShare <= 1)) throw outOfRange('options.drainShare', '> 0 and <= 1', drainShare);
  return numbers;
}

function endpointsOf({ endpoints }: HealingClientOptions): Config['endpoints'] {
  if (!Array.isArray(endpoints)) throw invalidType('options.endpoints', 'an array', endpoints);
  if (endpoints.length === 0) throw invalidValue('options.endpoints', 'must have an endpoint', endpoints);
  // Of an array with holes map() would skip these.
  return Array.from(endpoints, (given: Endpoint, i) => ({
    given,
    target: parseTarget(`options.endpoints[${i}]`, given),
  }));
}

export function checkRequest(options: ClientRequestOptions): void {
  checkObject('options', options);
  const { idempotent, timeout, command, signal } = options;
  if (idempotent !== undefined) checkBoolean('options.idempotent', idempotent);
  if (timeout !== undefined) checkInteger('options.timeout', timeout, 1, MAX_TIMER);
  if (command !== undefined) checkInteger('options.command', command, 0, 0xffff);
  if (signal !== undefined) checkSignal(signal);
}
