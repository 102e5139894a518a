// The public surface of `spliceway/chaos`.

export { ChaosProxy } from './chaos-proxy';
export type { ChaosOptions, ChaosSettings, Direction, Impairment } from './options';
export type { ChaosDirectionStats, ChaosStats } from './stats';
