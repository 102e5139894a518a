// Handler style: bytes go to the caller's functions as they arrive.

import { AGAIN, ALWAYS, COUNT, HELD, MORE, NOTHING, native, READ } from '../binding';
import { giveBackBuffer } from '../buffers';
import { callBack, HandlerFlow, ifThenable, tell } from '../calling';
import { checkFunction, checkObject } from '../check';
import { keepLent, lentBuffer, viewOf } from '../chunk';
import type { ConnHandlers } from '../conn';
import { takeFront } from './front';
import type { StreamConn } from './stream-conn';

// A connection that always has more must not keep the others waiting: after this many chunks it goes
// to the end of the line.
const CHUNKS_AT_ONCE = 4;

export class Flow extends HandlerFlow {
  declare readonly handlers: ConnHandlers;
  // A handler that has answered with a promise is likely to do so again. Its chunks are copied from
  // then on, since each one kept would take the lent buffer out of use.
  copies: boolean;

  constructor(handlers: ConnHandlers) {
    super('SPLICEWAYCONN', handlers);
    this.copies = handlers.data.constructor === AsyncFunction;
  }
}

const AsyncFunction = (async () => {}).constructor;

export function checkHandlers(handlers: unknown): asserts handlers is ConnHandlers {
  checkObject('handlers', handlers);
  const { data, end, error, drain } = handlers as Partial<ConnHandlers>;
  checkFunction('handlers.data', data);
  if (end !== undefined) checkFunction('handlers.end', end);
  if (error !== undefined) checkFunction('handlers.error', error);
  if (drain !== undefined) checkFunction('handlers.drain', drain);
}

/** Something is there to read. */
export function pumpFlow(conn: StreamConn, flow: Flow): void {
  for (let i = 0; i < CHUNKS_AT_ONCE; i++) {
    if (conn.flow !== flow || flow.paused || flow.expired) return;
    const buffer = lentBuffer();
    const status = conn.front === null ? native.readInto(conn.id, true, buffer) : takeFront(conn, buffer, true);
    if (status === AGAIN) return;
    if (status === 0) return ended(conn, flow);
    if (status < 0) return conn.fail(conn.failure('read', status));
    deliver(conn, flow, buffer, status & COUNT);
    if ((status & MORE) === 0) return;
  }
  if (conn.flow === flow) resumeFlow(conn, flow);
}

function deliver(conn: StreamConn, flow: Flow, buffer: Buffer, n: number): void {
  const lent = viewOf(buffer, n);
  const answer = callBack(conn, flow, flow.handlers.data, flow.copies ? copyOf(lent) : lent);
  // Most answer with nothing, and need no function made for them.
  if (answer !== undefined) ifThenable(conn, answer, (promise) => waitFor(conn, flow, promise));
}

function copyOf(chunk: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(chunk.length);
  copy.set(chunk);
  return copy;
}

// Back-pressure: no more is read, and the kernel's window closes in time, until the promise settles.
function waitFor(conn: StreamConn, flow: Flow, promise: PromiseLike<unknown>): void {
  const kept = flow.copies ? null : keepLent();
  flow.copies = true;
  flow.paused = true;
  native.awaitNotice(conn.id, READ, HELD);
  const settled = () => {
    if (kept !== null) giveBackBuffer(kept);
    flow.paused = false;
    if (conn.flow === flow) resumeFlow(conn, flow);
  };
  promise.then(settled, (error: unknown) => {
    settled();
    conn.handlerFailed(error);
  });
}

export function resumeFlow(conn: StreamConn, flow: Flow): void {
  if (flow.paused || flow.expired) return;
  native.awaitNotice(conn.id, READ, ALWAYS);
  // No event tells of bytes that were put back.
  if (conn.front !== null) native.wakeUp(conn.id, READ);
}

// The end stays readable for ever, and is told once.
function ended(conn: StreamConn, flow: Flow): void {
  flow.paused = true;
  native.awaitNotice(conn.id, READ, NOTHING);
  if (flow.handlers.end === undefined) void conn.shutdown();
  else tell(conn, flow, flow.handlers.end);
}
