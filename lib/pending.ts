// A call that waits, and the first-in, first-out line it waits in.

function ignore(): void {}

/**
 * Rejects in the manner of this package: what a peer, a deadline or close() causes is marked handled
 * when it is made, so that a call nobody awaited never ends the process. Whoever awaits it sees it.
 */
export function rejected(error: unknown): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(ignore);
  return promise;
}

/**
 * A call in two parts: what `check` throws is the caller's mistake, what `run`, which is given what was checked,
 * rejects with is not.
 */
export function checked<V, T>(check: () => V, run: (value: V) => Promise<T>): Promise<T> {
  let value: V;
  try {
    value = check();
  } catch (error) {
    return Promise.reject(error);
  }
  const promise = run(value);
  promise.catch(ignore);
  return promise;
}

/** An attempt that a signal may end at any time: it rejects with the signal's reason then, whatever it met. */
export async function abortable<T>(signal: AbortSignal | undefined, attempt: () => T | Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await attempt();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

export abstract class Pending<T> {
  readonly promise: Promise<T>;
  private resolvePromise!: (value: T) => void;
  private rejectPromise!: (error: unknown) => void;
  private signal: AbortSignal | null = null;
  private onAbort: (() => void) | null = null;

  /** The next in line; and, on the first in line, the last. */
  next: this | null = null;
  last: this = this;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolvePromise = resolve;
      this.rejectPromise = reject;
    });
  }

  resolve(value: T): void {
    this.forgetSignal();
    this.resolvePromise(value);
  }

  /** For what the network, a deadline or close() did. */
  fail(error: unknown): void {
    this.promise.catch(ignore);
    this.abort(error);
  }

  /** For what the caller did: an ordinary rejection. */
  abort(reason: unknown): void {
    this.forgetSignal();
    this.rejectPromise(reason);
  }

  /** Calls `leave`, then rejects with the signal's reason, when it aborts before this settles. */
  abortOn(signal: AbortSignal, leave: () => void): void {
    this.signal = signal;
    this.onAbort = () => {
      leave();
      this.abort(signal.reason);
    };
    signal.addEventListener('abort', this.onAbort, { once: true });
  }

  protected forgetSignal(): void {
    if (this.signal === null) return;
    this.signal.removeEventListener('abort', this.onAbort as () => void);
    this.signal = null;
  }
}

interface InLine<P> {
  next: P | null;
  last: P;
}

// Lines are linked through their members, and the first one knows the last: a connection pays one
// field for a line that is nearly always empty.

/** The first in line after `item` has joined its end. */
export function joined<P extends InLine<P>>(first: P | null, item: P): P {
  if (first === null) return item;
  first.last.next = item;
  first.last = item;
  return first;
}

/** The first in line after the first has left. */
export function advanced<P extends InLine<P>>(first: P): P | null {
  const next = first.next;
  if (next !== null) next.last = first.last;
  return next;
}

/** The first in line after `item`, wherever it stands, has left. */
export function without<P extends InLine<P>>(first: P | null, item: P): P | null {
  if (first === null || first === item) return first === null ? null : advanced(first);
  for (let p = first; p.next !== null; p = p.next) {
    if (p.next !== item) continue;
    p.next = item.next;
    if (first.last === item) first.last = p;
    break;
  }
  return first;
}

/** The members of a line that is given up, each of them free to join another. */
export function unlinked<P extends InLine<P>>(first: P | null): P[] {
  const members: P[] = [];
  for (let p = first; p !== null; ) {
    const { next } = p;
    p.next = null;
    p.last = p;
    members.push(p);
    p = next;
  }
  return members;
}
