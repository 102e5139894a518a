// process._getActiveHandles() lists our sockets and servers as it does Node's: who wants to know what a
// process still lives for asks there.

import { waiting } from '../dispatch';
import { ServerHandle } from './server-handle';
import { StreamHandle } from './stream-handle';

interface Lists {
  _getActiveHandles?(): object[];
}

export function listActiveHandles(): void {
  const lists = process as Lists;
  const nodes = lists._getActiveHandles?.bind(process);
  if (nodes !== undefined) lists._getActiveHandles = () => [...nodes(), ...ours()];
}

function* ours(): Iterable<object> {
  for (const waiter of waiting()) {
    if (!(waiter instanceof StreamHandle || waiter instanceof ServerHandle)) continue;
    if (waiter.owner !== null && waiter.hasRef()) yield waiter.owner;
  }
}
