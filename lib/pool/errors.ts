// What the pool itself fails with. Errors of the `connect` hook are passed on as they are.

/** The pool has no connection to give. */
export class PoolError extends Error {
  /** `ERR_SPLICEWAY_POOL_CLOSED` or `ERR_SPLICEWAY_POOL_TIMEOUT`. */
  readonly code: string;
  /** There was none in time. */
  readonly timeout: boolean;

  constructor(message: string, code: string, timeout: boolean) {
    super(message);
    this.name = 'PoolError';
    this.code = code;
    this.timeout = timeout;
  }
}

export function poolClosed(): PoolError {
  return new PoolError('the pool is closed', 'ERR_SPLICEWAY_POOL_CLOSED', false);
}

export function timedOut(what: string, timeout: number): PoolError {
  return new PoolError(`${what} within ${timeout} ms`, 'ERR_SPLICEWAY_POOL_TIMEOUT', true);
}
