// What native code has counted: native/binding/chaos.cc.

import { native } from '../binding';

/** What passed one way. */
export interface ChaosDirectionStats {
  /** Bytes that came out. */
  readonly bytes: number;
  /** Segments that decisions were drawn for, the end of a stream included. */
  readonly segments: number;
  /** How many of them were lost, once or more. */
  readonly lost: number;
}

export interface ChaosStats {
  /** Connections that were accepted. */
  readonly accepted: number;
  /** Those that are there now. */
  readonly active: number;
  /** Those that were reset since the target could not be connected to. */
  readonly failed: number;
  readonly toTarget: ChaosDirectionStats;
  readonly toClient: ChaosDirectionStats;
}

const counters = new Float64Array(9);

export function statsOf(id: number): ChaosStats {
  native.chaosCounters(id, counters);
  const [accepted = 0, active = 0, failed = 0] = counters;
  return { accepted, active, failed, toTarget: directionAt(3), toClient: directionAt(6) };
}

function directionAt(index: number): ChaosDirectionStats {
  const [bytes = 0, segments = 0, lost = 0] = counters.subarray(index);
  return { bytes, segments, lost };
}
