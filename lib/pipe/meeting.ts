// Where the writes of one end meet the reads of the other.

import { advanced } from '../pending';
import { copyOf } from './calls';
import { deliverSoon, give } from './flowing';
import type { PipeConn } from './pipe-conn';
import { mayMeet } from './yielding';

/** Serves waiting reads from waiting writes, both in the order in which they were made. */
export function meet(from: PipeConn, to: PipeConn): void {
  while (from.writes !== null && to.reads !== null && mayMeet(from.retry)) meetOnce(from, to);
  if (from.writes !== null && to.reads === null) {
    if (to.isDiscarding()) discard(from);
    else deliverSoon(to);
  }
  from.settle();
  to.settle();
}

function meetOnce(from: PipeConn, to: PipeConn): void {
  const [read, write] = [to.reads, from.writes] as [NonNullable<typeof to.reads>, NonNullable<typeof from.writes>];
  if (read.isVoid()) {
    to.reads = advanced(read);
    return;
  }
  if (write.isVoid()) {
    from.writes = advanced(write);
    return;
  }
  to.reads = advanced(read);
  if (write.advance(read.take(write.rest()))) from.writes = advanced(write);
  from.used = true;
  to.used = true;
}

/** Takes all that waits, and forgets it. */
export function discard(from: PipeConn): void {
  for (let write = from.writes; write !== null; write = from.writes) {
    from.writes = advanced(write);
    while (!write.isVoid() && !write.advance(write.rest().length));
  }
}

/** How many of the bytes go to whoever waits for some at this end. */
export function takeNow(to: PipeConn, bytes: Uint8Array): number {
  if (to.isDiscarding()) return bytes.length;
  let taken = 0;
  while (taken < bytes.length && to.reads !== null) {
    const read = to.reads;
    to.reads = advanced(read);
    if (!read.isVoid()) taken += read.take(bytes.subarray(taken));
    to.used = true;
  }
  while (taken < bytes.length && to.flow?.isReady === true) {
    const chunk = copyOf(bytes.subarray(taken));
    taken += chunk.length;
    give(to, to.flow, chunk);
  }
  to.settle();
  return taken;
}
