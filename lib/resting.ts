// Connections that nobody uses for a while, as those of a pool: what happens to them meanwhile is told.

/**
 * Why a connection is not fit for another user:
 * - `closed`: it was closed here, or is being closed
 * - `busy`: a call still waits on it, or a handler, a copy or a relay has it
 * - `deadline`: a deadline has passed
 * - `ended`: the peer's FIN
 * - `failed`: a reset, a write that failed, a direction that was shut down
 * - `stray`: bytes that nobody has read
 */
export type Disturbance = 'closed' | 'busy' | 'deadline' | 'ended' | 'failed' | 'stray';

/** The rest of one connection, which may begin and end any number of times. */
export interface Rest {
  /**
   * From now on a disturbance is told, once.
   * @param ask whether to ask the kernel even where no event has told of anything
   * @returns null; or why rest cannot begin
   */
  begin(ask: boolean): Disturbance | null;
  /** The connection is used again. */
  end(): void;
}

/**
 * The method by which a connection is watched while it rests; one that has none tells nobody.
 * Wrappers pass the call on to the connection they wrap.
 */
export const restOf: unique symbol = Symbol('spliceway.restOf');

export interface Resting {
  [restOf](disturbed: (why: Disturbance) => void): Rest;
}
