// Socket options that have no method of their own, by name or by number.

import { native, scratch, scratchIds } from './binding';
import { checkBytes, checkInteger } from './check';
import { ownChunk } from './chunk';
import { invalidType, invalidValue } from './errors';

/**
 * The numbers of this system's socket options, and of their levels, by their names in C:
 * `socketOptions.SO_REUSEADDR`. Node has none of them, and they differ from system to system.
 */
export const socketOptions: Readonly<Record<string, number>> = Object.freeze(native.optionNumbers());

const INT = 4;
const MAX_INT = 2 ** 31 - 1;

/** Checks what a caller asks for; the result asks the kernel, and throws what that says. */
export function optionGetter(level: unknown, name: unknown, length: unknown): (id: number) => number | Buffer {
  const levelNumber = numberOf('level', level);
  const nameNumber = numberOf('name', name);
  if (length !== undefined) checkInteger('length', length, 1, scratch.length);
  return (id) => {
    const got = native.getOption(id, levelNumber, nameNumber, length ?? INT);
    if (length !== undefined) return ownChunk(got);
    // Some options of Linux are a single byte where they are asked as one.
    return got === INT ? (scratchIds[0] as number) : (scratch[0] as number);
  };
}

/** The same for setting. */
export function optionSetter(level: unknown, name: unknown, value: unknown): (id: number) => void {
  const levelNumber = numberOf('level', level);
  const nameNumber = numberOf('name', name);
  const bytes = bytesOf(value);
  return (id) => native.setOption(id, levelNumber, nameNumber, bytes);
}

function numberOf(argument: string, value: unknown): number {
  if (typeof value === 'number') {
    checkInteger(argument, value, -MAX_INT - 1, MAX_INT);
    return value;
  }
  if (typeof value !== 'string') throw invalidType(argument, 'of type string or number', value);
  if (Object.hasOwn(socketOptions, value)) return socketOptions[value] as number;
  throw invalidValue(argument, 'must be a name that this system has, or a number', value);
}

function bytesOf(value: unknown): Uint8Array {
  if (typeof value !== 'number') {
    if (!(value instanceof Uint8Array))
      throw invalidType('value', 'of type number or an instance of Uint8Array', value);
    checkBytes('value', value);
    return value;
  }
  // Some options are unsigned: SO_MARK.
  checkInteger('value', value, -MAX_INT - 1, 2 ** 32 - 1);
  return new Uint8Array(Int32Array.of(value).buffer);
}
