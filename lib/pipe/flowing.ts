// Handler style on an end of a pipe.

import { callBack, ifThenable, tell } from '../calling';
import { advanced } from '../pending';
import { Flow } from '../stream/flowing';
import { copyOf } from './calls';
import type { PipeConn } from './pipe-conn';
import { mayMeet } from './yielding';

/** What an end in handler style remembers. */
export class PipeFlow extends Flow {
  /** The end of the stream was told. */
  ended = false;
  /** Inside data(), where no more must be given. */
  inside = false;
  /** A delivery, or a call of drain(), is on its way. */
  deliveryDue = false;
  drainDue = false;

  get isReady(): boolean {
    return !this.paused && !this.expired && !this.inside && !this.ended;
  }
}

/** Gives the handler what waits at the other end; never inside a call that made it wait. */
export function deliverSoon(conn: PipeConn): void {
  const { flow } = conn;
  if (flow === null || flow.deliveryDue || (conn.peer.writes === null && !conn.atEnd())) return;
  flow.deliveryDue = true;
  process.nextTick(() => {
    flow.deliveryDue = false;
    if (conn.flow === flow) deliver(conn, flow);
  });
}

function deliver(conn: PipeConn, flow: PipeFlow): void {
  const { peer } = conn;
  while (conn.flow === flow && flow.isReady && peer.writes !== null && mayMeet(peer.retry)) takeChunk(conn, flow);
  if (conn.flow === flow && flow.isReady && conn.atEnd()) end(conn, flow);
  peer.settle();
  conn.settle();
}

function takeChunk(conn: PipeConn, flow: PipeFlow): void {
  const { peer } = conn;
  const write = peer.writes as NonNullable<typeof peer.writes>;
  // A copy: the write is done with, and its memory the writer's again, once the handler has seen it.
  const chunk = write.isVoid() ? null : copyOf(write.rest());
  if (chunk === null || write.advance(chunk.length)) peer.writes = advanced(write);
  peer.used = true;
  // An empty write has met its read; there is nothing to tell of it.
  if (chunk !== null && chunk.length > 0) give(conn, flow, chunk);
}

/** Calls data(). What it answers with a promise for, holds back what follows. */
export function give(conn: PipeConn, flow: PipeFlow, chunk: Buffer): void {
  flow.inside = true;
  const answer = callBack(conn, flow, flow.handlers.data, chunk);
  flow.inside = false;
  ifThenable(conn, answer, (promise) => {
    flow.paused = true;
    promise.then(
      () => resume(conn, flow),
      (error: unknown) => conn.handlerFailed(error),
    );
  });
}

function resume(conn: PipeConn, flow: PipeFlow): void {
  flow.paused = false;
  if (conn.flow !== flow) return;
  deliverSoon(conn);
  conn.settle();
}

function end(conn: PipeConn, flow: PipeFlow): void {
  flow.ended = true;
  if (flow.handlers.end === undefined) void conn.shutdown();
  else tell(conn, flow, flow.handlers.end);
}

/** Calls drain(), if it is owed and somebody at the other end waits for bytes. */
export function drainSoon(conn: PipeConn): void {
  const { flow } = conn;
  if (flow === null || flow.drainDue || !isDrainDue(conn, flow)) return;
  flow.drainDue = true;
  process.nextTick(() => {
    flow.drainDue = false;
    if (conn.flow !== flow || !isDrainDue(conn, flow)) return;
    flow.wantsDrain = false;
    if (flow.handlers.drain !== undefined) tell(conn, flow, flow.handlers.drain);
  });
}

function isDrainDue(conn: PipeConn, flow: PipeFlow): boolean {
  return flow.wantsDrain && conn.mayWrite() && !conn.peer.closed && conn.peer.isReading();
}
