// What only a HealingClient fails with.

import { ErrClosed, ErrDeadlineExceeded, OpError } from '../../errors';

/**
 * A request that was sent and never answered: the peer may have carried it out, or not. Never of one that
 * is marked idempotent, which is sent again instead.
 */
export class UnknownOutcomeError extends Error {
  readonly code = 'ERR_SPLICEWAY_UNKNOWN_OUTCOME';
  /** Its time was up, while its connection may be alive. */
  readonly timeout: boolean;

  constructor(reason: string, timeout: boolean) {
    super(`the outcome of the request is unknown: ${reason}`);
    this.name = 'UnknownOutcomeError';
    this.timeout = timeout;
  }
}

/** More requests wait for a connection than may. */
export class QueueFullError extends Error {
  readonly code = 'ERR_SPLICEWAY_QUEUE_FULL';

  constructor(max: number) {
    super(`${max} requests wait for a connection`);
    this.name = 'QueueFullError';
  }
}

export const timedOut = (): OpError => new OpError('request', '', null, null, ErrDeadlineExceeded);
export const clientClosed = (): OpError => new OpError('request', '', null, null, ErrClosed);
