// The public surface of `spliceway/health`.

export { AdaptiveTimeout, type AdaptiveTimeoutOptions } from './adaptive-timeout';
export type { Carrier, CarrierHealth, CarrierTransition, Verdict } from './client/carrier';
export { HealingClient } from './client/client';
export { QueueFullError, UnknownOutcomeError } from './client/errors';
export type { ClientEvent, ClientStats } from './client/events';
export { FramedCarrier } from './client/framed-carrier';
export type { ClientRequestOptions, ConnectContext, Endpoint, HealingClientOptions } from './client/options';
export type { HealthFigures, HealthState, HealthTransition } from './figures';
export { Health, type HealthListener } from './health';
export type { HealthOptions } from './options';
export { StreamHealth, type WatchOptions, watch } from './watch';
