// Handler style: datagrams go to the caller's functions as they arrive.

import type { Addr } from '../addr';
import { AGAIN, ALWAYS, HELD, native, READ, SLOTS } from '../binding';
import { HandlerFlow, isThenable } from '../calling';
import { checkFunction, checkObject } from '../check';
import { invalidType } from '../errors';
import { type Arena, giveBackArena, keepArena, STRIDE, sharedArena, viewAt } from './arena';
import type { Packet, PacketHandlers } from './packet-conn';
import type { PacketSocketConn } from './packet-socket';
import { withCork } from './sending';

type Socket = PacketSocketConn<Addr | null>;

// A socket that always has more must not keep the others waiting: after this many batches it goes to
// the end of the line.
const BATCHES_AT_ONCE = 2;
// How many datagrams are asked for at first; preparing for more costs, little but each time.
const FEW = 4;

export class PacketFlow extends HandlerFlow {
  declare readonly handlers: PacketHandlers<never>;
  /** How many datagrams the next call asks for. */
  want = FEW;

  constructor(handlers: PacketHandlers<never>) {
    super('SPLICEWAYPACKETS', handlers);
  }
}

export function checkHandlers(handlers: unknown): asserts handlers is PacketHandlers<never> {
  checkObject('handlers', handlers);
  const given = handlers as Record<string, unknown>;
  for (const name of ['message', 'batch', 'data', 'error', 'drain']) {
    if (given[name] !== undefined) checkFunction(`handlers.${name}`, given[name]);
  }
  const { message, batch, data } = given;
  if (message === undefined && batch === undefined && data === undefined) {
    throw invalidType('handlers.message', 'of type function', message);
  }
}

/** Something is there to read. */
export function pumpFlow(conn: Socket, flow: PacketFlow): void {
  for (let i = 0; i < BATCHES_AT_ONCE; i++) {
    if (conn.flow !== flow || flow.paused || flow.expired) return;
    const arena = sharedArena();
    const { want } = flow;
    const count = native.receiveBatch(conn.id, true, arena.bytes, STRIDE, want);
    if (count === AGAIN) return;
    if (count < 0) return conn.receiveFailed(flow, count);
    arena.note(count, conn);
    flow.want = count === want ? Math.min(2 * want, SLOTS) : Math.max(FEW, Math.min(want, 2 * count));
    deliver(conn, flow, arena, 0);
    // The queue was empty, and what comes later gives an edge of its own. On a connected socket an
    // error may stand behind the datagrams, and that gives none.
    if (count < want && conn.remoteAddr === null) return;
  }
  if (conn.flow === flow) resumeFlow(conn, flow);
}

/** Hands over the datagrams from `first` on, all in one visit to the caller's async context. */
function deliver(conn: Socket, flow: PacketFlow, arena: Arena, first: number): void {
  const give = flow.handlers.batch === undefined ? giveEach : giveAll;
  withCork(conn, () => flow.runInAsyncScope(give, null, conn, flow, arena, first));
}

function giveEach(conn: Socket, flow: PacketFlow, arena: Arena, first: number): void {
  for (let i = first; i < arena.count && conn.flow === flow && !flow.paused; i++) {
    giveOne(conn, flow, arena, i);
  }
}

function giveOne(conn: Socket, flow: PacketFlow, arena: Arena, i: number): void {
  const handlers = flow.handlers as PacketHandlers;
  const chunk = viewAt(arena, i);
  try {
    const answer =
      handlers.message === undefined
        ? handlers.data?.(chunk)
        : handlers.message(chunk, arena.senders[i] as Addr | null);
    if (isThenable(answer)) waitFor(conn, flow, arena, answer, i + 1);
  } catch (error) {
    conn.handlerFailed(error);
  }
}

function giveAll(conn: Socket, flow: PacketFlow, arena: Arena): void {
  try {
    const answer = (flow.handlers as PacketHandlers).batch?.(packetsOf(arena));
    if (isThenable(answer)) waitFor(conn, flow, arena, answer, arena.count);
  } catch (error) {
    conn.handlerFailed(error);
  }
}

function packetsOf(arena: Arena): Packet[] {
  const packets: Packet[] = new Array(arena.count);
  for (let i = 0; i < packets.length; i++) {
    packets[i] = { data: viewAt(arena, i), addr: arena.senders[i] as Addr | null };
  }
  return packets;
}

// Back-pressure: nothing more is read, and the kernel drops what its buffer has no room for, until the
// promise settles. Then the datagrams that came with that one go on from where they lie.
function waitFor(conn: Socket, flow: PacketFlow, arena: Arena, answer: PromiseLike<unknown>, next: number): void {
  keepArena(arena);
  flow.paused = true;
  native.awaitNotice(conn.id, READ, HELD);
  const settled = () => {
    flow.paused = false;
    if (conn.flow === flow && next < arena.count && !arena.gone) deliver(conn, flow, arena, next);
    if (flow.paused) return;
    giveBackArena(arena);
    if (conn.flow === flow) resumeFlow(conn, flow);
  };
  answer.then(settled, (error: unknown) => {
    conn.handlerFailed(error);
    settled();
  });
}

export function resumeFlow(conn: Socket, flow: PacketFlow): void {
  if (!flow.paused && !flow.expired) native.awaitNotice(conn.id, READ, ALWAYS);
}
