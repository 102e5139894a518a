// Notices from native code to the objects that wait for them: one call for each turn of the reactor.

import { native, records, scratch } from './binding';
import { renew } from './turn';

/** Whoever can be told something under a handle's id. */
export interface Waiter {
  /** @internal */
  readonly id: number;
  /** @internal Bits as in binding.ts. */
  notice(bits: number): void;
}

// By slot index, the low bits of an id. Being here keeps an object alive, so it is here only while
// it waits: a Conn that nobody waits on can be collected.
const INDEX = (1 << 20) - 1;
const waiters: (Waiter | undefined)[] = [];

export function watch(waiter: Waiter): void {
  waiters[waiter.id & INDEX] = waiter;
}

export function unwatch(id: number): void {
  waiters[id & INDEX] = undefined;
}

/** Whoever waits at present. */
export function waiting(): Waiter[] {
  return waiters.filter((waiter) => waiter !== undefined);
}

export function waiterOf(id: number): Waiter | undefined {
  const waiter = waiters[id & INDEX];
  return waiter !== undefined && waiter.id === id ? waiter : undefined;
}

// What is to be done at the end of the turn; null outside of one.
let later: (() => void)[] | null = null;

/** Calls it once all notices of this turn are handed over. False where there is no turn. */
export function afterTurn(call: () => void): boolean {
  if (later === null) return false;
  later.push(call);
  return true;
}

function endTurn(): void {
  for (const call of later ?? []) {
    try {
      call();
    } catch (error) {
      rethrowLater(error);
    }
  }
  later = null;
}

function dispatch(count: number): void {
  renew();
  later = [];
  for (let i = 0; i < 2 * count; i += 2) {
    const id = records[i] as number;
    const waiter = waiters[id & INDEX];
    // An id of an earlier life of the slot finds another's, or none.
    if (waiter === undefined || waiter.id !== id) continue;
    try {
      waiter.notice(records[i + 1] as number);
    } catch (error) {
      rethrowLater(error);
    }
  }
  endTurn();
}

/** For what a caller's callback threw: the rest of a turn must not be lost for it. */
export function rethrowLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}

native.setup(dispatch, records, scratch);
