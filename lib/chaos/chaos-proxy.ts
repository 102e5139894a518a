// ChaosProxy: a bad network between clients and a target, on a thread that JavaScript does not hold up.

import { randomInt } from 'node:crypto';
import { inspect } from 'node:util';
import type { Addr, NativeAddr } from '../addr';
import { native } from '../binding';
import { checkBoolean, checkInteger, checkObject } from '../check';
import { remoteNative } from '../dialing/connect';
import { invalidValue, OpError, wrapping } from '../errors';
import { livingFor } from '../lifetime';
import { listen } from '../listen';
import type { SocketListener } from '../listener';
import type { StreamNetwork } from '../network';
import { parseTarget, type TargetSpec } from '../proxy/target';
import { resolveAddrs } from '../resolve';
import {
  type ChaosOptions,
  type ChaosSettings,
  type CompleteImpairment,
  changed,
  DIRECTIONS,
  type Direction,
  directionsOf,
  type Impairment,
  UNIMPAIRED,
} from './options';
import { type ChaosStats, statsOf } from './stats';

/**
 * Forwards what comes to an address to a target, with the delays, losses and interruptions that it is told.
 * Its thread keeps the time to the millisecond, whatever JavaScript does. It lives, and the process with it,
 * until close().
 */
export class ChaosProxy implements AsyncDisposable, Disposable {
  /** The address it listens on, with the real port; still there afterwards. */
  readonly addr: Addr;
  /** What its decisions are drawn from: the same seed and the same bytes meet the same. */
  readonly seed: number;
  private readonly id: number;
  private impairments = { toTarget: UNIMPAIRED, toClient: UNIMPAIRED };
  private final: ChaosStats | null = null;

  /**
   * Listens, and forwards from then on.
   * @param network `tcp`, `tcp4`, `tcp6` or `unix`
   * @param address as listen() takes it
   * @throws TypeError, RangeError (as rejections); OpError: `op: 'listen'`, or `op: 'dial'` for the target's address
   */
  static async listen(
    network: Exclude<StreamNetwork, 'unixpacket'>,
    address: string,
    options: ChaosOptions,
  ): Promise<ChaosProxy> {
    checkObject('options', options);
    const target = streamTarget(options.target);
    const { seed = randomInt(2 ** 48 - 1), toTarget, toClient } = options;
    checkInteger('options.seed', seed, 0, Number.MAX_SAFE_INTEGER);
    if ((network as unknown) === 'unixpacket') throw invalidValue('network', 'must be one of byte streams', network);
    const settings = afterChange({ toTarget: UNIMPAIRED, toClient: UNIMPAIRED }, { toTarget, toClient });
    const to = await resolved(target);
    return new ChaosProxy(await listen(network, address, options.listen), to, seed, settings);
  }

  private constructor(
    private readonly listener: SocketListener,
    target: NativeAddr,
    seed: number,
    settings: Record<Direction, CompleteImpairment>,
  ) {
    this.addr = listener.addr;
    this.seed = seed;
    this.id = openOn(listener, target, seed);
    this.apply(settings, DIRECTIONS);
    native.beginChaos(this.id);
    running.add(this);
  }

  /** The impairment of each direction as it is now. */
  get settings(): Record<Direction, Required<Impairment>> {
    const { toTarget, toClient } = this.impairments;
    return { toTarget: { ...toTarget }, toClient: { ...toClient } };
  }

  /** What it has counted up to now. */
  get stats(): ChaosStats {
    return this.final ?? statsOf(this.id);
  }

  /**
   * Changes what is given, and leaves the rest: for bytes that come from now on, while those on their way keep
   * their time. A black hole, slices and bandwidth hold for all. Without effect once it is closed.
   * @throws TypeError, RangeError
   */
  set(settings: ChaosSettings): void {
    checkObject('settings', settings);
    this.apply(
      afterChange(this.impairments, settings),
      DIRECTIONS.filter((direction) => settings[direction] !== undefined),
    );
  }

  /** Turns the black hole of a direction, or of both, on or off. @throws TypeError */
  blackHole(direction: Direction | 'both' = 'both', on = true): void {
    checkBoolean('on', on);
    this.set(Object.fromEntries(directionsOf(direction).map((each) => [each, { blackHole: on }])));
  }

  /** Resets every connection, at both sides (those of Unix sockets are closed), black hole or not. */
  reset(): void {
    if (this.final === null) native.resetChaos(this.id);
  }

  /** Closes the listener and every connection at once. True for the call that closed it. */
  close(): boolean {
    if (this.final !== null) return false;
    this.final = { ...statsOf(this.id), active: 0 };
    running.delete(this);
    native.close(this.id);
    this.listener.close();
    return true;
  }

  /** close() */
  [Symbol.dispose](): void {
    this.close();
  }

  /** close() */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return `ChaosProxy { ${this.addr}, seed ${this.seed}, ${this.stats.active} active }`;
  }

  private apply(settings: Record<Direction, CompleteImpairment>, directions: readonly Direction[]): void {
    this.impairments = settings;
    if (this.final !== null) return;
    for (const direction of directions) setNative(this.id, direction, settings[direction]);
  }
}

// One that nobody holds forwards on.
const running = new Set<ChaosProxy>();

function streamTarget(target: ChaosOptions['target']): TargetSpec {
  const spec = parseTarget('options.target', target);
  if (spec.network !== 'unixpacket') return spec;
  throw invalidValue('options.target.network', 'must be one of byte streams', spec.network);
}

async function resolved({ network, address }: TargetSpec): Promise<NativeAddr> {
  try {
    const [first] = await livingFor(resolveAddrs(network, address));
    return remoteNative(network, first as NonNullable<typeof first>);
  } catch (error) {
    throw new OpError('dial', network, null, null, error as Error);
  }
}

function afterChange(
  before: Record<Direction, CompleteImpairment>,
  { toTarget = {}, toClient = {} }: ChaosSettings,
): Record<Direction, CompleteImpairment> {
  return {
    toTarget: changed('options.toTarget', before.toTarget, toTarget),
    toClient: changed('options.toClient', before.toClient, toClient),
  };
}

function openOn(listener: SocketListener, target: NativeAddr, seed: number): number {
  try {
    return wrapping(
      () => native.openChaos(listener.id, ...target, seed),
      (cause) => listener.error('listen', cause),
    );
  } catch (error) {
    listener.close();
    throw error;
  }
}

function setNative(id: number, direction: Direction, to: CompleteImpairment): void {
  const { delay, jitter, loss, retransmitTimeout, bandwidth, slice, sliceGap, blackHole } = to;
  const index = DIRECTIONS.indexOf(direction);
  native.setChaos(id, index, delay, jitter, loss, retransmitTimeout, bandwidth, slice, sliceGap, blackHole);
}
