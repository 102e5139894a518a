// Classes that may be called without `new`, and whose constructor may be called on an object that
// inherits from them: node:net's are plain functions, and older code makes use of both.

type Initialize<T> = (self: T, options: unknown, more: unknown) => void;

export interface CallableClass<T, A extends unknown[]> {
  new (...args: A): T;
  (...args: A): T;
  readonly prototype: T;
}

/**
 * A constructor for the class whose methods `methods` has.
 * @param parent what node:net's own inherits from
 */
export function callable<T extends object, A extends unknown[]>(
  name: string,
  methods: { readonly prototype: T },
  parent: object,
  initialize: Initialize<T>,
): CallableClass<T, A> {
  function construct(this: T | undefined, options: unknown, more: unknown): T | undefined {
    if (!(this instanceof construct)) return new (construct as unknown as new (a: unknown, b: unknown) => T)(options, more);
    initialize(this, options, more);
    return undefined;
  }
  const { prototype } = methods;
  construct.prototype = prototype;
  Object.defineProperty(construct, 'name', { value: name });
  Object.defineProperty(prototype, 'constructor', { value: construct, writable: true, configurable: true });
  Object.setPrototypeOf(construct, parent);
  return construct as unknown as CallableClass<T, A>;
}
