// The public surface of `spliceway/health`.

export type { HealthFigures, HealthState, HealthTransition } from './figures';
export { Health, type HealthListener } from './health';
export type { HealthOptions } from './options';
