// One way between two ends: what copy() and sendFile() wait for.

import { Pending } from '../pending';
import { type ProgressOptions, tellProgress } from '../progress';
import { type LaneOptions, type Outcome, Transfer, type TransferEnd, type TransferOwner } from './transfer';

/**
 * Makes the error of a copy from its cause, the end that it happened at, and the bytes that the sink had
 * taken. `begun` is false for one that was over before its first system call.
 */
export type CopyErrors = (end: 'source' | 'sink', cause: Error, begun: boolean, copied: number) => Error;

export interface CopyingOptions extends LaneOptions, ProgressOptions<number> {
  signal?: AbortSignal | undefined;
}

/** Resolves to the number of bytes that the sink has taken. */
export class Copying extends Pending<number> implements TransferOwner {
  private readonly transfer: Transfer;
  private readonly stopTelling: (() => void) | null;
  private readonly stop = () => this.transfer.stop(null);

  /** @throws the system's error, where a file's descriptor cannot be duplicated or no thread be started */
  constructor(
    source: TransferEnd,
    sink: TransferEnd,
    private readonly errors: CopyErrors,
    private readonly options: CopyingOptions,
  ) {
    super();
    this.transfer = new Transfer(source, sink, {}, [options], this);
    const copied = () => this.transfer.moved(0);
    this.stopTelling = tellProgress(options, copied, copied);
  }

  start(): Promise<number> {
    this.options.signal?.addEventListener('abort', this.stop, { once: true });
    this.transfer.start();
    return this.promise;
  }

  /** @internal From the transfer. */
  transferred({ reason, failure }: Outcome): void {
    this.options.signal?.removeEventListener('abort', this.stop);
    this.stopTelling?.();
    const copied = this.transfer.moved(0);
    if (failure !== null) this.fail(this.errors(failure.end, failure.cause, failure.begun, copied));
    else if (reason === 'stopped') this.abort(this.options.signal?.reason);
    else this.resolve(copied);
  }
}
