// Requests that wait for a connection, in the order in which they came.

import type { Request } from './request';

// Sent in one turn of the event loop: thousands must not hold it up.
const AT_ONCE = 256;

export class Queue {
  private readonly requests = new Set<Request>();
  private sending: NodeJS.Immediate | null = null;

  get size(): number {
    return this.requests.size;
  }

  add(request: Request): void {
    this.requests.add(request);
  }

  /** The request is over. */
  delete(request: Request): void {
    this.requests.delete(request);
  }

  /** Sends them for as long as `send` takes them. */
  release(send: (request: Request) => boolean): void {
    if (this.sending === null) this.sendSome(send);
  }

  private sendSome(send: (request: Request) => boolean): void {
    let left = AT_ONCE;
    for (const request of this.requests) {
      if (left-- === 0) return this.goOnLater(send);
      if (!send(request)) return;
      this.requests.delete(request);
    }
  }

  private goOnLater(send: (request: Request) => boolean): void {
    this.sending = setImmediate(() => {
      this.sending = null;
      this.sendSome(send);
    });
  }

  [Symbol.iterator](): IterableIterator<Request> {
    return this.requests.values();
  }
}
