// Keep-alive probes as dial() and listen() take them: Go's KeepAlive and KeepAliveConfig.

import { checkInteger } from './check';
import { invalidType } from './errors';
import { checkKeepAlive, type KeepAliveConfig } from './tcp-conn';

export interface KeepAliveOptions {
  /**
   * Quiet time before the first probe, in milliseconds, rounded up to whole seconds; 15 s between
   * probes, 9 of them. 0, true or absent: 15 s. Negative or false: no probes. TCP only.
   */
  keepAlive?: number | boolean | undefined;
  /** The same in detail; where present, it wins over `keepAlive`. */
  keepAliveConfig?: KeepAliveConfig | undefined;
}

const LONGEST = 32767 * 1000; // Linux's MAX_TCP_KEEPIDLE

export function checkKeepAliveOptions({ keepAlive, keepAliveConfig }: KeepAliveOptions): void {
  if (keepAliveConfig !== undefined) checkKeepAlive('options.keepAliveConfig', keepAliveConfig);
  if (keepAlive === undefined || typeof keepAlive === 'boolean') return;
  if (typeof keepAlive !== 'number') throw invalidType('options.keepAlive', 'of type number or boolean', keepAlive);
  checkInteger('options.keepAlive', keepAlive, -LONGEST, LONGEST);
}

/** What both options together come to (Go's newTCPConn). */
export function keepAliveOf({ keepAlive = 0, keepAliveConfig }: KeepAliveOptions): KeepAliveConfig {
  if (keepAliveConfig !== undefined) return keepAliveConfig;
  if (typeof keepAlive === 'boolean') return { enable: keepAlive };
  return keepAlive < 0 ? { enable: false } : { enable: true, idle: keepAlive };
}
