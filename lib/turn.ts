// How much calls may get done before everybody else has a turn.
//
// A call that finds its bytes there, or room for them, settles without the event loop. Code that
// awaits such calls in a loop would, against a peer as fast as itself, keep it from ever turning:
// no other connection, no timer. So what they do is counted, and once it is much the next calls wait
// for the reactor's next turn, as if nothing were there yet.

// A few milliseconds of work.
const BUDGET = 4 * 1024 * 1024;
/** What a call costs besides its bytes. */
const CALL = 4096;
/** What accepting a connection costs. */
export const ACCEPT = 65536;

let left = BUDGET;

/** A turn begins. */
export function renew(): void {
  left = BUDGET;
}

/** Counts a call that moved n bytes without waiting. */
export function spend(n: number): void {
  left -= CALL + n;
}

/** Whether new calls are to wait for the next turn. */
export function exhausted(): boolean {
  return left < 0;
}
