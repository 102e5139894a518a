// Classes that may be called without `new`, and whose constructor may be called on an object that
// inherits from them: node:net's are plain functions, and older code makes use of both.

export interface CallableClass<T, A extends unknown[]> {
  new (...args: A): T;
  (...args: A): T;
  readonly prototype: T;
}

/**
 * Makes a plain function the constructor of a class.
 * @param methods the class, which nobody else makes objects of
 * @param parent whose static members it inherits
 */
export function constructs<T extends object, A extends unknown[]>(
  construct: (this: T, ...args: A) => T | undefined,
  methods: { readonly prototype: T },
  parent: object,
): CallableClass<T, A> {
  const { prototype } = methods;
  construct.prototype = prototype;
  Object.defineProperty(prototype, 'constructor', { value: construct, writable: true, configurable: true });
  Object.setPrototypeOf(construct, parent);
  return construct as unknown as CallableClass<T, A>;
}

/**
 * Lets `instanceof` hold for node:net's own objects too: whoever asks it of what Node's http or tls made wants
 * to know whether that is a socket, not whose. A subclass has only its own.
 */
export function countsAlso(ours: object, theirs: object): void {
  const has = Function.prototype[Symbol.hasInstance];
  const value = function (this: unknown, object: unknown): boolean {
    return has.call(this, object) || (this === ours && has.call(theirs, object));
  };
  Object.defineProperty(ours, Symbol.hasInstance, { value });
}

/** What node:net shows to whoever enumerates an object's properties, ours shows too: methods of plain functions. */
export function enumerateAs(ours: object, theirs: object): void {
  for (const name of Object.keys(theirs)) {
    if (Object.hasOwn(ours, name)) Object.defineProperty(ours, name, { enumerable: true });
  }
}
