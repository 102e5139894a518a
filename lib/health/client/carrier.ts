// What a HealingClient needs of a connection, whatever that is made of.

import type { Body } from '../../codec/outbox';
import type { HealthState } from '../figures';

/** A change of a connection's health: what a HealthTransition tells, and a client asks of it. */
export interface CarrierTransition {
  readonly to: HealthState;
  /** Whether traffic should move to another connection. */
  readonly healing: boolean;
  /** What happened, in words. */
  readonly reason: string;
}

/** What a client asks of a connection's Health. */
export interface CarrierHealth {
  readonly state: HealthState;
  readonly healing: boolean;
  readonly score: number;
  /** Calls the listener at each change. @returns a function that ends that */
  onTransition(listener: (transition: CarrierTransition) => void): () => void;
}

/**
 * What it says of a request that its carrier rejected it.
 * `failed`: the peer answered so, or it could not be a request; it ends with that error.
 * `unsent`: the peer has not looked at it and never will, nor at later ones; it may go elsewhere.
 * `unknown`: the connection is broken, and the peer may have carried it out or not.
 */
export type Verdict = 'failed' | 'unsent' | 'unknown';

/** A connection that carries requests. */
export interface Carrier {
  request(command: number, body: Body, options: { signal: AbortSignal }): Promise<Buffer>;
  verdict(error: unknown): Verdict;
  /** Null where nobody watches it. */
  readonly health: CarrierHealth | null;
  /** Fulfils when the connection is over, with why, in words. Never rejects. */
  readonly ended: Promise<string>;
  /** Takes no more requests; closes when those under way are done, or after so many milliseconds. */
  shutdown(options: { timeout: number }): Promise<void>;
  close(): unknown;
}
