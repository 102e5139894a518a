// Between two events of different sockets Node runs what process.nextTick() and promises have waiting. A
// turn of our reactor hands over its events in one call, so the same is done by hand.

import { native } from '../binding';

type TickCallback = () => void;

/** What Node's own timers call between one and the next. */
const tick: TickCallback =
  (process as unknown as { _tickCallback?: TickCallback })._tickCallback?.bind(process) ?? (() => {});

// What a tick throws must reach Node from where it was thrown: its bookkeeping of asynchronous contexts is
// in the middle of that tick, and is put right only where the exception ends as an uncaught one.
export function runTicks(): void {
  try {
    tick();
  } catch (error) {
    native.throwUncaught(error);
  }
}
