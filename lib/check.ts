// What callers hand in, checked at the call that hands it in.

import { isUint8Array } from 'node:util/types';
import { isKnown } from './chunk';
import type { CallOptions } from './conn';
import { invalidType, invalidValue, outOfRange } from './errors';

// Not instanceof, which what only stands in front of an array passes as well.
/** A Uint8Array whose memory stays where it is: not detached, not resizable. */
export function checkBytes(name: string, p: unknown): asserts p is Uint8Array {
  if (!isUint8Array(p)) throw invalidType(name, 'an instance of Buffer or Uint8Array', p);
  checkMemory(name, p);
}

function checkMemory(name: string, p: Uint8Array): void {
  if (isKnown(p)) return;
  const buffer = p.buffer as ArrayBuffer & { resizable?: boolean; growable?: boolean };
  if (buffer.resizable === true || buffer.growable === true) {
    throw invalidValue(name, 'must not be backed by a resizable ArrayBuffer', p);
  }
  if (isDetached(p)) throw invalidValue(name, 'must not be detached', p);
}

/** What a write is given, as bytes: a string is UTF-8. */
export function toBytes(p: unknown): Uint8Array {
  checkBytesOrText('p', p);
  return typeof p === 'string' ? Buffer.from(p) : p;
}

export function checkBytesOrText(name: string, p: unknown): asserts p is Uint8Array | string {
  if (typeof p !== 'string') checkMemory(name, bytesToCopy(name, p));
}

/** What is copied at once, as bytes: its memory may be of any kind. A string is UTF-8. */
export function bytesToCopy(name: string, p: unknown): Uint8Array {
  if (typeof p === 'string') return Buffer.from(p);
  if (!isUint8Array(p)) throw invalidType(name, 'of type string or an instance of Buffer or Uint8Array', p);
  return p;
}

/** The number of bytes in a list. */
export function checkList(list: unknown): number {
  if (!Array.isArray(list)) throw invalidType('list', 'an array of Uint8Array', list);
  let length = 0;
  for (let i = 0; i < list.length; i++) {
    checkBytes(`list[${i}]`, list[i]);
    length += list[i].length;
  }
  return length;
}

/** Whether its memory was transferred away. A detached array looks empty, so only empty ones are asked. */
export function isDetached(p: Uint8Array): boolean {
  if (p.length > 0) return false;
  try {
    new Uint8Array(p.buffer, 0, 0);
    return false;
  } catch {
    return true;
  }
}

/** For a call whose buffer went away after it had been checked. */
export function detachedWhileWaiting(op: string): Error {
  const error = new TypeError(`The buffer of a ${op} was detached while the ${op} waited`);
  return Object.assign(error, { code: 'ERR_INVALID_ARG_VALUE' });
}

export function checkSignal(signal: unknown): asserts signal is AbortSignal {
  if (!(signal instanceof AbortSignal)) throw invalidType('options.signal', 'an instance of AbortSignal', signal);
}

/** Checks a call's options and returns their signal. */
export function signalOf(options: CallOptions | undefined): AbortSignal | undefined {
  if (options === undefined) return undefined;
  checkObject('options', options);
  const { signal } = options;
  if (signal !== undefined) checkSignal(signal);
  return signal;
}

export function checkObject(name: string, value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null) throw invalidType(name, 'of type object', value);
}

/** That it has these methods: an object, or a class with static ones. */
export function checkMethods(name: string, value: unknown, ...methods: string[]): void {
  const has = (method: string) => typeof (value as Record<string, unknown> | null | undefined)?.[method] === 'function';
  if (!methods.every(has)) throw invalidType(name, `something with ${methods.join('() and ')}()`, value);
}

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw invalidType(name, 'of type function', value);
}

/** An object that is iterated: no text, whose characters nobody means. */
export function checkIterable(name: string, value: unknown): asserts value is Iterable<unknown> {
  checkObject(name, value);
  if (typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] !== 'function') {
    throw invalidType(name, 'an iterable', value);
  }
}

export function checkBoolean(name: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value);
}

export function checkString(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
}

export function checkInteger(name: string, value: unknown, min: number, max: number): asserts value is number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw outOfRange(name, `an integer >= ${min} and <= ${max}`, value);
  }
}

/** A number, of which a unit may be told: 'milliseconds'. */
export function checkRange(name: string, value: unknown, min: number, max: number, unit = ''): asserts value is number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!(value >= min && value <= max)) throw outOfRange(name, `>= ${min} and <= ${max} ${unit}`.trimEnd(), value);
}

/** A number of milliseconds that may be negative, and is finite. */
export function checkNumber(name: string, value: unknown): asserts value is number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) throw outOfRange(name, 'a finite number', value);
}

/** A duration in milliseconds: 0 or more, and finite. */
export function checkDuration(name: string, value: unknown): asserts value is number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw outOfRange(name, '>= 0 milliseconds', value);
}
