// Waiting, in ways that do not depend on how fast the machine is.

import { setImmediate, setTimeout } from 'node:timers/promises';

/** How many times as long everything may take: sanitizers are slow. */
export const PATIENCE = process.env.SPLICEWAY_SANITIZE === undefined ? 1 : 8;

/** Several turns of the event loop, in which what the kernel has ready is delivered. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await setImmediate();
}

/** Turns of the event loop until something has come about; the test's own limit ends a wait in vain. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

/** Whether a promise is still unsettled after several turns of the event loop. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const settled = () => {
    pending = false;
  };
  promise.then(settled, settled);
  await turns();
  return pending;
}

/** Blocks the thread: no timer, no event and no promise runs meanwhile. */
export function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Blocks the thread until the wall clock has reached an instant. */
export function blockUntil(epoch: number): void {
  while (Date.now() < epoch) block(Math.max(epoch - Date.now(), 1));
}

/** Waits until the wall clock has reached an instant. */
export async function until(epoch: number): Promise<void> {
  while (Date.now() < epoch) await setTimeout(Math.max(epoch - Date.now(), 1));
}
