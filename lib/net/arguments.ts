// The several ways to call connect() and listen(), as one.

/** What node:net calls normalized: an object of options, and the callback or null. */
export type Normalized<O> = [options: O, callback: (() => void) | null];

const normalized = new WeakSet<object>();

/** (options[, callback]), (path[, callback]) or ([port][, host][, callback]) */
export function normalizeArgs<O extends object>(args: readonly unknown[]): Normalized<O> {
  const last = args[args.length - 1];
  const result: Normalized<O> = [optionsOf(args) as O, typeof last === 'function' ? (last as () => void) : null];
  normalized.add(result);
  return result;
}

/** Whether connect() was given the result of an earlier normalizeArgs(). */
export function isNormalized(value: unknown): value is Normalized<object> {
  return Array.isArray(value) && normalized.has(value);
}

function optionsOf(args: readonly unknown[]): object {
  if (args.length === 0) return {};
  const [first, second] = args;
  if (typeof first === 'object' && first !== null) return first;
  if (isPipeName(first)) return { path: first };
  return args.length > 1 && typeof second === 'string' ? { port: first, host: second } : { port: first };
}

/** A string that is no number is a path. */
export function isPipeName(value: unknown): value is string {
  return typeof value === 'string' && toNumber(value) === false;
}

export function toNumber(value: unknown): number | false {
  const number = Number(value);
  return number >= 0 ? number : false;
}
