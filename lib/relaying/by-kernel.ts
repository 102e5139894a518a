// A relay between two sockets: an I/O thread moves the bytes, passes FINs on and keeps the time.

import { ErrClosed } from '../errors';
import type { RelayOptions } from '../relay';
import type { SocketConn } from '../stream/socket-conn';
import { type Failure, type LaneOptions, type Outcome, Transfer, type TransferOwner } from '../stream/transfer';
import { other, RelayRun, type Settle, type Side } from './run';

const UNLIMITED: LaneOptions = {};

export class KernelRelay extends RelayRun implements TransferOwner {
  private readonly transfer: Transfer;

  /** Both are open. @throws the system's error, where it has no room for a thread */
  constructor(a: SocketConn, b: SocketConn, options: RelayOptions, outcome: Settle) {
    super(a, b, options, outcome);
    const { maxBytes, rateLimit, idleTimeout = 0, halfCloseTimeout = 0 } = options;
    const lane = maxBytes === undefined && rateLimit === undefined ? UNLIMITED : { limit: maxBytes, rate: rateLimit };
    const relaying = { relay: true, idleTimeout, halfCloseTimeout };
    this.transfer = new Transfer(a, b, relaying, [lane, lane], this);
  }

  get aToB(): number {
    return this.transfer.moved(0);
  }

  get bToA(): number {
    return this.transfer.moved(1);
  }

  protected begin(): void {
    this.transfer.start();
  }

  protected abort(): void {
    this.transfer.stop(null);
  }

  /** @internal From the transfer. */
  transferred({ reason, endedBy, failure }: Outcome): void {
    if (failure !== null) this.failed(failure, endedBy);
    else if (reason === 'stopped') this.aborted();
    else this.ended(reason, endedBy, null);
  }

  private failed({ lane, end, cause }: Failure, endedBy: Side | null): void {
    const source: Side = lane === 0 ? 'a' : 'b';
    const at = end === 'source' ? source : other(source);
    const error = this.errorAt(at, end === 'source' ? 'read' : 'write', cause);
    this.ended(cause === ErrClosed ? 'closed' : 'error', endedBy ?? at, error);
  }
}
