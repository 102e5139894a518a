// Sending at a rate.

import { setTimeout as sleep } from 'node:timers/promises';

const TICK = 2;
// What could not be sent for longer than this is not made up for.
const BEHIND = 100;

/** Calls send(), which takes so many bytes each time, at a rate in bytes per second; ends when that throws. */
export async function pace(rate, bytes, send) {
  const each = (bytes / rate) * 1000;
  for (let due = performance.now(); ; await sleep(TICK)) {
    const now = performance.now();
    due = Math.max(due, now - BEHIND);
    for (; due <= now; due += each) await send();
  }
}
