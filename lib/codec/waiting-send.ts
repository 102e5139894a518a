// Calls that send a frame and are more than a promise.

import type { Conn } from '../conn';
import { Call } from './call';
import type { Body } from './outbox';

/** A send() that waits for room. */
export class WaitingSend extends Call<void> {
  constructor(
    conn: Conn,
    readonly command: number,
    readonly body: Body,
    readonly length: number,
  ) {
    super('send', conn);
  }
}

/**
 * How far a frame of sendAcked() is: `'buffering'`, it waits to be written, and can be taken back; `'sending'`, the
 * kernel is being given it; `'done'`, the kernel has all of it; `'idle'`, it was taken back, or the connection failed.
 */
export type SendState = 'idle' | 'buffering' | 'sending' | 'done';

/** A frame that is sent from the caller's memory. */
export interface AckedSend {
  readonly state: SendState;
  /**
   * Settles when the body is the caller's again. Fulfils with `'done'`; rejects with `'idle'`, by the deadline, the
   * signal, or the connection's end.
   */
  readonly done: Promise<void>;
}

export class AckedCall extends WaitingSend implements AckedSend {
  state: SendState = 'idle';
  declare readonly body: Uint8Array;
  /** Its header, once it is no longer in the line of those that wait for room. */
  head: Uint8Array | null = null;

  get done(): Promise<void> {
    return this.promise;
  }

  /** From now on it cannot be taken back. */
  begin(): void {
    this.unlimit();
    this.state = 'sending';
  }

  override resolve(): void {
    this.state = 'done';
    super.resolve();
  }

  override abort(reason: unknown): void {
    this.state = 'idle';
    super.abort(reason);
  }
}
