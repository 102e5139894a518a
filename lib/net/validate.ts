// What callers hand in, checked as node:net checks it.

import { badPort, invalidType, outOfRange } from './errors';

export function validateNumber(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
}

export function validateBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value);
}

export function validateString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
}

export function validateFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') throw invalidType(name, 'of type function', value);
}

const MAX_INT32 = 2 ** 31 - 1;

/** An integer from `min` up to 2^31 - 1. */
export function validateInt32(value: unknown, name: string, min: number): asserts value is number {
  validateNumber(value, name);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > MAX_INT32) throw outOfRange(name, `>= ${min} && <= ${MAX_INT32}`, value);
}

/** A port as a number or as text; 0 to 65535. */
export function validatePort(port: unknown, name = 'Port'): void {
  const isText = typeof port === 'string';
  const fits = (typeof port === 'number' || (isText && port.trim() !== '')) && Number(port) === Number(port) >>> 0;
  if (!fits || Number(port) > 0xffff) throw badPort(name, port);
}

/** Whatever has the face of an AbortSignal. */
export function validateSignal(signal: unknown, name: string): asserts signal is AbortSignal {
  if (typeof signal === 'object' && signal !== null && 'aborted' in signal) return;
  throw invalidType(name, 'an instance of AbortSignal', signal);
}

/** Milliseconds for a timer: 0 up to what timers take, which what is longer is cut to. */
export function timerDuration(milliseconds: unknown, name: string): number {
  validateNumber(milliseconds, name);
  if (milliseconds < 0 || !Number.isFinite(milliseconds)) {
    throw outOfRange(name, 'a non-negative finite number', milliseconds);
  }
  if (milliseconds <= MAX_INT32) return milliseconds;
  process.emitWarning(
    `${milliseconds} does not fit into a 32-bit signed integer.\nTimer duration was truncated to ${MAX_INT32}.`,
    'TimeoutOverflowWarning',
  );
  return MAX_INT32;
}

/** keepAliveInitialDelay, as the constructors take it: a negative one is none. */
export function keepAliveDelay(options: { keepAliveInitialDelay?: unknown } | null | undefined): void {
  const delay = options?.keepAliveInitialDelay;
  if (delay === undefined) return;
  validateNumber(delay, 'options.keepAliveInitialDelay');
  if (delay < 0) (options as { keepAliveInitialDelay: number }).keepAliveInitialDelay = 0;
}
