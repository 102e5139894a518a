// What a pool is told, and what of it stands where it was not.

import { checkBoolean, checkDuration, checkFunction, checkInteger, checkObject, checkRange } from '../check';
import type { CallOptions } from '../conn';
import { invalidType, outOfRange } from '../errors';
import type { LeakReport } from './leaks';
import type { Pool } from './pool';

/** What can be pooled: a Conn of any kind, or anything else with a close(). */
export interface Poolable {
  close(): unknown;
}

export interface ConnectContext<E = undefined> {
  /** One of `endpoints`; undefined where there are none. */
  endpoint: E;
  /** Aborted when `connectTimeout` is over and when the pool closes. A connection that comes later is closed. */
  signal: AbortSignal;
}

export interface PoolOptions<T extends Poolable, E = undefined> {
  /** Makes a connection. What it throws or rejects with goes to the borrower who has waited longest. */
  connect(context: ConnectContext<E>): T | Promise<T>;
  /**
   * Whether a connection is still good; one that is not is closed. Throwing, rejecting and taking longer than
   * `checkTimeout` say that it is not.
   */
  validate?(conn: T): boolean | Promise<boolean>;
  /** Makes a connection that was returned ready for the next borrower; if it fails, the connection is closed. */
  reset?(conn: T): unknown;

  /** The most that may be open, those being made included: 1 or more. Default Infinity. */
  maxOpen?: number | undefined;
  /** The most that may idle: 0 or more. Default 200. */
  maxIdle?: number | undefined;
  /** So many are kept idle, as far as `maxOpen` allows: 0 to `maxIdle`. Default 0. */
  minIdle?: number | undefined;
  /** Calls validate() before a connection is lent; without that hook the kernel is asked. Default false. */
  validateOnBorrow?: boolean | undefined;
  /** Calls validate() when a connection is returned. Default true. */
  validateOnReturn?: boolean | undefined;

  /** Closes connections that were idle for so many milliseconds, those of `minIdle` too. Default Infinity. */
  idleTimeout?: number | undefined;
  /** Closes connections of that age in milliseconds, once they are not in use. Default Infinity. */
  maxLifetime?: number | undefined;
  /** Each lifetime is shorter by a random part of this share of it: 0 to 1. Default 0.1. */
  lifetimeJitter?: number | undefined;
  /** Closes a connection that was lent so many times: 1 or more. Default Infinity. */
  maxUses?: number | undefined;

  /** How long borrow() waits, in milliseconds. Default Infinity. */
  borrowTimeout?: number | undefined;
  /** How long one call of connect() may take, in milliseconds. Default 30000. */
  connectTimeout?: number | undefined;
  /** How long validate() or reset() may take, in milliseconds. Default 5000. */
  checkTimeout?: number | undefined;
  /** Calls validate() on the idle connections every so many milliseconds. Default Infinity: never. */
  healthCheckInterval?: number | undefined;

  /** Reports connections that are not returned for so many milliseconds. Default Infinity: never. */
  leakTimeout?: number | undefined;
  /** Is told of them. Default: a process warning for each. */
  onLeak?(report: LeakReport<T>): void;

  /** Where to connect to: each new connection goes to the endpoint that is up and has the fewest. */
  endpoints?: readonly E[] | undefined;
  /** An endpoint is down after so many failures in a row: 1 or more. Default 3. */
  ejectAfter?: number | undefined;
  /** How long it is then left alone, in milliseconds; doubled for each further failure, up to 30 s. Default 1000. */
  ejectTime?: number | undefined;
  /** A pool that takes the borrowers whom this one cannot connect, and all of them while every endpoint is down. */
  standby?: Pool<T, unknown> | undefined;
}

export interface BorrowOptions extends CallOptions {
  /** How long to wait, in milliseconds; Infinity: without end. Default: the pool's `borrowTimeout`. */
  timeout?: number | undefined;
}

type Numbers =
  | 'maxOpen'
  | 'maxIdle'
  | 'minIdle'
  | 'idleTimeout'
  | 'maxLifetime'
  | 'lifetimeJitter'
  | 'maxUses'
  | 'borrowTimeout'
  | 'connectTimeout'
  | 'checkTimeout'
  | 'healthCheckInterval'
  | 'leakTimeout'
  | 'ejectAfter'
  | 'ejectTime';

/** The options, checked and complete. */
export type Config<T extends Poolable, E> = PoolOptions<T, E> &
  Record<Numbers, number> &
  Record<'validateOnBorrow' | 'validateOnReturn', boolean>;

const DEFAULTS = {
  maxOpen: Number.POSITIVE_INFINITY,
  maxIdle: 200,
  minIdle: 0,
  validateOnBorrow: false,
  validateOnReturn: true,
  idleTimeout: Number.POSITIVE_INFINITY,
  maxLifetime: Number.POSITIVE_INFINITY,
  lifetimeJitter: 0.1,
  maxUses: Number.POSITIVE_INFINITY,
  borrowTimeout: Number.POSITIVE_INFINITY,
  connectTimeout: 30_000,
  checkTimeout: 5000,
  healthCheckInterval: Number.POSITIVE_INFINITY,
  leakTimeout: Number.POSITIVE_INFINITY,
  ejectAfter: 3,
  ejectTime: 1000,
};

const HOOKS = ['validate', 'reset', 'onLeak'] as const;
const NAMES = [
  ...(Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]),
  ...HOOKS,
  'connect' as const,
  'endpoints' as const,
  'standby' as const,
];
const DURATIONS = ['borrowTimeout', 'connectTimeout', 'checkTimeout', 'ejectTime'] as const;
// Of these 0 would close every connection at once, or never stop.
const INTERVALS = ['idleTimeout', 'maxLifetime', 'healthCheckInterval', 'leakTimeout'] as const;

export function configOf<T extends Poolable, E>(options: PoolOptions<T, E>): Config<T, E> {
  checkObject('options', options);
  checkFunction('options.connect', options.connect);
  for (const name of HOOKS) if (options[name] !== undefined) checkFunction(`options.${name}`, options[name]);
  const config = complete(options);
  checkCounts(config);
  checkTimes(config);
  checkEndpoints(config);
  checkBoolean('options.validateOnBorrow', config.validateOnBorrow);
  checkBoolean('options.validateOnReturn', config.validateOnReturn);
  return config;
}

// Options may be an object of a class: hooks are called on it.
function complete<T extends Poolable, E>(options: PoolOptions<T, E>): Config<T, E> {
  const config: Record<string, unknown> = { ...DEFAULTS };
  for (const name of NAMES) {
    const value: unknown = options[name];
    if (value !== undefined) config[name] = typeof value === 'function' ? value.bind(options) : value;
  }
  return config as unknown as Config<T, E>;
}

function checkCounts<T extends Poolable, E>(config: Config<T, E>): void {
  checkCount('options.maxOpen', config.maxOpen, 1);
  checkCount('options.maxIdle', config.maxIdle, 0);
  checkCount('options.maxUses', config.maxUses, 1);
  checkCount('options.ejectAfter', config.ejectAfter, 1);
  const most = Math.min(config.maxIdle, config.maxOpen, Number.MAX_SAFE_INTEGER);
  checkInteger('options.minIdle', config.minIdle, 0, most);
}

function checkCount(name: string, value: unknown, min: number): void {
  if (value !== Number.POSITIVE_INFINITY) checkInteger(name, value, min, Number.MAX_SAFE_INTEGER);
}

function checkTimes<T extends Poolable, E>(config: Config<T, E>): void {
  for (const name of DURATIONS) checkTimeout(`options.${name}`, config[name]);
  for (const name of INTERVALS) {
    checkTimeout(`options.${name}`, config[name]);
    if (config[name] === 0) throw outOfRange(`options.${name}`, '> 0 milliseconds', 0);
  }
  checkRange('options.lifetimeJitter', config.lifetimeJitter, 0, 1);
}

/** A duration in milliseconds, or Infinity. */
export function checkTimeout(name: string, value: unknown): asserts value is number {
  if (value !== Number.POSITIVE_INFINITY) checkDuration(name, value);
}

function checkEndpoints<T extends Poolable, E>({ endpoints, standby }: Config<T, E>): void {
  if (endpoints !== undefined) {
    if (!Array.isArray(endpoints)) throw invalidType('options.endpoints', 'an array', endpoints);
    if (endpoints.length === 0) throw outOfRange('options.endpoints.length', '>= 1', 0);
  }
  if (standby !== undefined) checkFunction('options.standby.borrow', (standby as Partial<Pool<T>> | null)?.borrow);
}
