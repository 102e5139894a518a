// Calls on a connection of frames that may be given up: by a deadline of their own, or by a signal.

import { checkObject, checkSignal } from '../check';
import type { CallOptions, Conn } from '../conn';
import { type Deadline, toEpoch } from '../deadline';
import { ErrDeadlineExceeded, OpError } from '../errors';
import { Pending } from '../pending';
import { DeadlineTimer } from '../timer';

export interface FrameCallOptions extends CallOptions {
  /** An instant after which this call rejects with `ERR_SPLICEWAY_DEADLINE_EXCEEDED`: a Date, or milliseconds since the epoch. Default: never. */
  deadline?: Deadline | undefined;
}

export function checkCall(options: FrameCallOptions | undefined): void {
  if (options === undefined) return;
  checkObject('options', options);
  if (options.signal !== undefined) checkSignal(options.signal);
  if (options.deadline !== undefined) toEpoch(options.deadline);
}

/** Whether it may be given up at all. */
export function isLimited(options: FrameCallOptions | undefined): options is FrameCallOptions {
  return options !== undefined && (options.signal !== undefined || (options.deadline ?? null) !== null);
}

export class Call<T> extends Pending<T> {
  private timer: DeadlineTimer | null = null;

  constructor(
    private readonly op: string,
    private readonly conn: Conn,
  ) {
    super();
  }

  /** Has it given up in time; `leave` is called before it settles so. */
  limit({ signal, deadline = null }: FrameCallOptions, leave: () => void): void {
    if (signal?.aborted === true) return this.abort(signal.reason);
    const expire = () => {
      leave();
      this.fail(opError(this.op, this.conn, ErrDeadlineExceeded));
    };
    if (deadline !== null) this.timer = new DeadlineTimer(expire);
    if (this.timer?.set(deadline) === true) return expire();
    this.timer?.wait(true);
    if (signal !== undefined) this.abortOn(signal, leave);
  }

  /** Neither its deadline nor its signal ends it any more. */
  protected unlimit(): void {
    this.timer?.wait(false);
    this.forgetSignal();
  }

  override resolve(value: T): void {
    this.timer?.wait(false);
    super.resolve(value);
  }

  override abort(reason: unknown): void {
    this.timer?.wait(false);
    super.abort(reason);
  }
}

export function opError(op: string, conn: Conn, cause: Error): OpError {
  const { localAddr, remoteAddr } = conn;
  return new OpError(op, localAddr.network, localAddr, remoteAddr, cause);
}
