// What a peer sent in time, and nobody has read yet, counts when a server comes to its end.

/** Calls it once the event loop has looked at every socket. */
export function inTwoTurns(call: () => void): void {
  setImmediate(() => setImmediate(call));
}
