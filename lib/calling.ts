// Calling the caller's functions in handler style. What happens in them ends their own connection and
// nothing else: never the process where a peer had a hand in it, never the turn that called them.

import { AsyncResource } from 'node:async_hooks';
import { rethrowLater } from './dispatch';
import { isClosedPipe, OpError } from './errors';
import type { HandleOwner } from './handle';

type Handler = (...args: never[]) => unknown;

/** What a conn in handler style remembers. Its functions run in the async context of handle(). */
export abstract class HandlerFlow extends AsyncResource {
  /** No reading until a promise of a handler settles; after the end of a stream, for good. */
  paused = false;
  /** No reading until a new read deadline is set. */
  expired = false;
  /** A tryWrite… found no room, and drain() is owed. */
  wantsDrain = false;

  constructor(
    name: string,
    readonly handlers: { readonly error?: Handler; readonly drain?: Handler },
  ) {
    super(name, { requireManualDestroy: true });
  }
}

/** A connection whose handlers are called. */
interface Called {
  handlerFailed(error: unknown): void;
}

/** Calls a handler in the async context that it was given in. */
export function callBack(conn: Called, flow: HandlerFlow, fn: Handler, ...args: unknown[]): unknown {
  try {
    return flow.runInAsyncScope(fn as (...args: unknown[]) => unknown, flow.handlers, ...args);
  } catch (error) {
    conn.handlerFailed(error);
    return undefined;
  }
}

/** The same for a handler whose answer is not waited for. */
export function tell(conn: Called, flow: HandlerFlow, fn: Handler, ...args: unknown[]): void {
  ifThenable(conn, callBack(conn, flow, fn, ...args), (promise) => {
    promise.then(undefined, (error: unknown) => conn.handlerFailed(error));
  });
}

/** Goes on with a handler's answer if it is a promise, or like one. */
export function ifThenable(conn: Called, answer: unknown, then: (promise: PromiseLike<unknown>) => void): void {
  if (typeof answer !== 'object' || answer === null) return;
  // Asking an object for its then() is a call of the caller's as well.
  try {
    if (isThenable(answer)) then(answer);
  } catch (error) {
    conn.handlerFailed(error);
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** Whether what came out of a handler is what a peer, a deadline or close() did to a call in it. */
export function isOfNetwork(error: unknown): error is OpError {
  return error instanceof OpError || isClosedPipe(error);
}

/** A mistake of the caller's, which must not stay silent: for the owner, or else for the process. */
export function reportMistake(conn: object, owner: HandleOwner | null, error: unknown): void {
  if (owner?.handlerFailed === undefined) rethrowLater(error);
  else owner.handlerFailed(error, conn);
}
