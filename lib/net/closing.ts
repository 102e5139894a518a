// When 'close' is told: in the closing phase of Node's loop, as for handles of Node's own. That is
// after the immediates of the same iteration, and the process lives until then.

import { native } from '../binding';
import { rethrowLater } from '../dispatch';

interface Closed {
  /** The loop has come to its closing phase. */
  closed(): void;
}

let waiting: Closed[] = [];

/** Has `closed()` called in the next closing phase. */
export function tellClosed(what: Closed): void {
  waiting.push(what);
  if (waiting.length === 1) native.visitClosingPhase();
}

function onClosingPhase(): void {
  const due = waiting;
  waiting = [];
  for (const each of due) {
    try {
      each.closed();
    } catch (error) {
      rethrowLater(error);
    }
  }
}

native.setupClosing(onClosingPhase);
