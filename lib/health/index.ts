// The public surface of `spliceway/health`.

export { AdaptiveTimeout, type AdaptiveTimeoutOptions } from './adaptive-timeout';
export type { HealthFigures, HealthState, HealthTransition } from './figures';
export { Health, type HealthListener } from './health';
export type { HealthOptions } from './options';
export { StreamHealth, type WatchOptions, watch } from './watch';
