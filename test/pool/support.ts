// Connections that are no sockets, for what a pool does whatever it holds.

import { Pool, type PoolOptions } from 'spliceway/pool';

export class Thing {
  closed = 0;
  constructor(readonly n: number) {}

  close(): void {
    this.closed++;
  }
}

export interface Factory {
  made: Thing[];
  connect(): Thing;
}

export function factory(): Factory {
  const made: Thing[] = [];
  return {
    made,
    connect() {
      const thing = new Thing(made.length);
      made.push(thing);
      return thing;
    },
  };
}

/** A pool of things, and those that it made. */
export function thingPool(options: Partial<PoolOptions<Thing>> = {}): { pool: Pool<Thing>; made: Thing[] } {
  const { made, connect } = factory();
  return { pool: new Pool({ connect, ...options }), made };
}

/** A promise that is settled from outside. */
export function deferred<T>(): {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}
