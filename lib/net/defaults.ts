// The defaults of happy eyeballs, which start out as Node's own: its command line sets them.

import * as node from 'node:net';
import { validateBoolean, validateInt32 } from './validate';

let autoSelectFamily = node.getDefaultAutoSelectFamily();
let attemptTimeout = node.getDefaultAutoSelectFamilyAttemptTimeout();

/** RFC 8305's lower bound, in milliseconds. */
const SHORTEST = 10;

export function getDefaultAutoSelectFamily(): boolean {
  return autoSelectFamily;
}

export function setDefaultAutoSelectFamily(value: boolean): void {
  validateBoolean(value, 'value');
  autoSelectFamily = value;
}

/** Milliseconds. */
export function getDefaultAutoSelectFamilyAttemptTimeout(): number {
  return attemptTimeout;
}

/** @param value milliseconds; what is below 10 counts as 10 */
export function setDefaultAutoSelectFamilyAttemptTimeout(value: number): void {
  validateInt32(value, 'value', 1);
  attemptTimeout = Math.max(value, SHORTEST);
}

/** An option, or the default where there is none. */
export function autoSelectFamilyOf(value: unknown): boolean {
  if (value == null) return autoSelectFamily;
  validateBoolean(value, 'options.autoSelectFamily');
  return value;
}

export function attemptTimeoutOf(value: unknown): number {
  if (value == null) return attemptTimeout;
  validateInt32(value, 'options.autoSelectFamilyAttemptTimeout', 1);
  return Math.max(value, SHORTEST);
}
