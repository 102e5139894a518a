// TCP connections.

import { native } from './binding';
import { checkBoolean, checkDuration, checkInteger, checkObject } from './check';
import { type TCPInfo, tcpInfo } from './info';
import { SocketConn } from './stream/socket-conn';

/** Go's net.KeepAliveConfig, in milliseconds. */
export interface KeepAliveConfig {
  /** Whether to probe an idle peer. */
  enable: boolean;
  /** Quiet time before the first probe. 0 or absent: 15 s. Negative: the system's value is kept. */
  idle?: number | undefined;
  /** Time between probes. 0 or absent: 15 s. Negative: the system's value is kept. */
  interval?: number | undefined;
  /** Unanswered probes after which the connection is over. 0 or absent: 9. Negative: the system's value is kept. */
  count?: number | undefined;
}

const DEFAULT_SECONDS = 15;
const DEFAULT_COUNT = 9;
// What Linux takes in seconds (MAX_TCP_KEEPIDLE) and probes (MAX_TCP_KEEPCNT).
const MAX_SECONDS = 32767;
const MAX_COUNT = 127;

/** Applies a configuration to a native handle. Sub-second times are rounded up to whole seconds. */
export function applyKeepAlive(id: number, config: KeepAliveConfig): void {
  native.setKeepAlive(id, config.enable ? 1 : 0);
  native.setKeepAliveConfig(
    id,
    seconds(config.idle),
    seconds(config.interval),
    config.count === undefined || config.count === 0 ? DEFAULT_COUNT : Math.max(config.count, -1),
  );
}

function seconds(milliseconds = 0): number {
  if (milliseconds < 0) return -1;
  return milliseconds === 0 ? DEFAULT_SECONDS : Math.ceil(milliseconds / 1000);
}

export function checkKeepAlive(name: string, config: unknown): asserts config is KeepAliveConfig {
  checkObject(name, config);
  const { enable, idle, interval, count } = config as KeepAliveConfig;
  checkBoolean(`${name}.enable`, enable);
  const max = MAX_SECONDS * 1000;
  if (idle !== undefined) checkInteger(`${name}.idle`, idle, -max, max);
  if (interval !== undefined) checkInteger(`${name}.interval`, interval, -max, max);
  if (count !== undefined) checkInteger(`${name}.count`, count, -MAX_COUNT, MAX_COUNT);
}

/** A TCP connection (Go's net.TCPConn). No-delay and keep-alive are on, as in Go. */
export class TCPConn extends SocketConn {
  /** @internal */
  get addrNetwork(): string {
    return 'tcp';
  }

  /**
   * Sends small writes at once (true, the default here) or lets the kernel gather them (Nagle).
   * @throws OpError `op: 'set'`
   */
  setNoDelay(on: boolean): void {
    checkBoolean('on', on);
    this.set(() => native.setNoDelay(this.id, on ? 1 : 0));
  }

  /** Switches keep-alive probes on or off. On by default: 15 s idle, 15 s between, 9 probes. */
  setKeepAlive(on: boolean): void {
    checkBoolean('on', on);
    this.set(() => native.setKeepAlive(this.id, on ? 1 : 0));
  }

  /** Sets the quiet time before the first probe, in milliseconds, rounded up to whole seconds. 0: 15 s. Negative: unchanged. */
  setKeepAlivePeriod(milliseconds: number): void {
    checkInteger('milliseconds', milliseconds, -MAX_SECONDS * 1000, MAX_SECONDS * 1000);
    this.set(() => native.setKeepAliveConfig(this.id, seconds(milliseconds), -1, -1));
  }

  /** Sets all of it, as in Go also where `enable` is false: for when probes are switched on. */
  setKeepAliveConfig(config: KeepAliveConfig): void {
    checkKeepAlive('config', config);
    this.set(() => applyKeepAlive(this.id, config));
  }

  /**
   * What close() does with bytes that the peer has not acknowledged.
   * @param seconds negative: they are sent in the background (the default); 0: they are dropped and the
   *   peer sees a reset; more: the kernel keeps trying that long, while close() returns at once
   */
  setLinger(seconds: number): void {
    checkInteger('seconds', seconds, -1, 65535);
    this.set(() => native.setLinger(this.id, seconds));
  }

  /**
   * How long sent bytes may stay unacknowledged before the connection is over (TCP_USER_TIMEOUT, on
   * macOS TCP_RXT_CONNDROPTIME in whole seconds). It also ends a healthy peer whose window stays
   * closed that long.
   * @param milliseconds 0: the system's own limit, some 15 minutes
   */
  setUserTimeout(milliseconds: number): void {
    checkDuration('milliseconds', milliseconds);
    checkInteger('milliseconds', Math.ceil(milliseconds), 0, 2 ** 31 - 1);
    this.set(() => native.setUserTimeout(this.id, Math.ceil(milliseconds)));
  }

  /**
   * What the kernel knows of the connection: round trips, windows, losses, rates and counts. Works
   * during a relay too.
   * @throws OpError `op: 'get'`
   */
  info(): TCPInfo {
    return this.ask(() => tcpInfo(this.id));
  }
}
