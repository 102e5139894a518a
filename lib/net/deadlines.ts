// Deadlines of a Socket, which node:net has none of: Go's SetReadDeadline and SetWriteDeadline. Unlike
// the 'timeout' of setTimeout(), which only tells, one that passes ends the socket with an error.

import { fromNative } from '../addr';
import { native, READ_SIDE, WRITE_SIDE } from '../binding';
import { type Deadline, toEpoch } from '../deadline';
import { ErrDeadlineExceeded, OpError } from '../errors';
import type { Handle } from './handle';

/** Those that were set before there was a connection; NaN for none. */
export class Deadlines {
  private read = Number.NaN;
  private write = Number.NaN;

  set(side: number, deadline: Deadline, handle: Handle | null): void {
    const epoch = toEpoch(deadline);
    if (side === READ_SIDE) this.read = epoch;
    else this.write = epoch;
    if (handle !== null) handle.setDeadline(side, epoch);
  }

  /** There is a connection now. */
  applyTo(handle: Handle): void {
    if (!Number.isNaN(this.read)) handle.setDeadline(READ_SIDE, this.read);
    if (!Number.isNaN(this.write)) handle.setDeadline(WRITE_SIDE, this.write);
  }
}

/** `read tcp 127.0.0.1:1->127.0.0.1:2: i/o timeout` */
export function deadlineError(op: 'read' | 'write', handle: Handle): OpError {
  const network = handle.isTCP ? 'tcp' : 'unix';
  const addr = (tuple: ReturnType<typeof native.localAddr>) =>
    tuple === undefined ? null : fromNative(tuple, network);
  return new OpError(
    op,
    network,
    addr(native.localAddr(handle.id)),
    addr(native.peerAddr(handle.id)),
    ErrDeadlineExceeded,
  );
}
