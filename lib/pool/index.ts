// The public surface of `spliceway/pool`.

export type { DrainResult } from './draining';
export type { EndpointHealth } from './endpoints';
export { PoolError } from './errors';
export type { LeakReport } from './leaks';
export type { Lease } from './lease';
export type { BorrowOptions, ConnectContext, Poolable, PoolOptions } from './options';
export { Pool } from './pool';
export type { DiscardReason, PoolStats } from './stats';
