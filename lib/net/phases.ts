// What libuv tells apart from what the kernel says, told when libuv tells it.
//
//   pending   what was known at once but is told later (the end of a shutdown, a connect that is refused):
//             behind the events among which it became known, or else before the next look at the kernel
//   closing   that a handle is closed: after the immediates of the same iteration, the last one first
//
// The process lives until then.

import { native } from '../binding';
import { afterTurn, rethrowLater } from '../dispatch';
import { runTicks } from './ticks';

type Call = () => void;

let pending: Call[] = [];
let closing: Call[] = [];

/** Calls it in the next pending phase. */
export function inPendingPhase(call: Call): void {
  if (afterTurn(() => run(call))) return;
  if (pending.push(call) === 1) native.visitPendingPhase();
}

/** Calls it in the next closing phase. */
export function inClosingPhase(call: Call): void {
  if (closing.push(call) === 1) native.visitClosingPhase();
}

function onPending(): void {
  const calls = pending;
  pending = [];
  for (const call of calls) run(call);
}

function onClosing(): void {
  const calls = closing.reverse();
  closing = [];
  for (const call of calls) run(call);
}

function run(call: Call): void {
  try {
    call();
    runTicks();
  } catch (error) {
    rethrowLater(error);
  }
}

native.setupPhases(onPending, onClosing);
