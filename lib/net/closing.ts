// What libuv tells between two looks at the kernel, told when libuv tells it: that a handle is closed,
// in the closing phase of Node's loop, the last one first; and what was known at once but is told later
// (the end of a shutdown, a connect that is refused), in the pending phase, which is next. All of it
// comes after the immediates of the same iteration, and the process lives until then.

import { native } from '../binding';
import { rethrowLater } from '../dispatch';

let closed: (() => void)[] = [];
let pending: (() => void)[] = [];

/** Calls it in the next closing phase. */
export function inClosingPhase(call: () => void): void {
  if (closed.push(call) === 1 && pending.length === 0) native.visitClosingPhase();
}

/** Calls it in the next pending phase. */
export function inPendingPhase(call: () => void): void {
  if (pending.push(call) === 1 && closed.length === 0) native.visitClosingPhase();
}

function visit(): void {
  const calls = closed.reverse().concat(pending);
  closed = [];
  pending = [];
  for (const call of calls) {
    try {
      call();
    } catch (error) {
      rethrowLater(error);
    }
  }
}

native.setupClosing(visit);
