// Ends of pipes that answer one another in promises alone would never let the event loop turn: no
// timer would run, and no socket be served.

const MEETINGS_AT_ONCE = 256;

let meetings = 0;
let later: Set<() => void> | null = null;

/** Whether a read may meet a write now; if not, `retry` is called in the next turn of the event loop. */
export function mayMeet(retry: () => void): boolean {
  if (later === null) {
    later = new Set();
    setImmediate(nextTurn);
  }
  if (meetings++ < MEETINGS_AT_ONCE) return true;
  later.add(retry);
  return false;
}

function nextTurn(): void {
  const retries = later as Set<() => void>;
  later = null;
  meetings = 0;
  for (const retry of retries) retry();
}
