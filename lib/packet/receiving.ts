// Receiving: tried at once, and once more each time the kernel says that there is something.

import type { Addr } from '../addr';
import { AGAIN, CONTROL, FLAGS, native, READ, SLOTS, scratch, slots, TRUNCATED } from '../binding';
import { checkBytes, checkInteger, checkObject, detachedWhileWaiting, isDetached, signalOf } from '../check';
import { ownChunk } from '../chunk';
import type { CallOptions } from '../conn';
import { joinReads, leaveReads, type Turn } from '../lines';
import { Pending, rejected } from '../pending';
import { spend } from '../turn';
import { copyAt, copyingArena, STRIDE } from './arena';
import type { Packet, PacketInfo, ReadMessageOptions } from './packet-conn';
import type { PacketSocketConn } from './packet-socket';

type Sender = Addr | null;
type Socket<S extends Sender> = PacketSocketConn<S>;

/** One way of receiving. */
interface Way<S extends Sender, T> {
  readonly syscall: string;
  /** The caller's memory. */
  readonly into?: Uint8Array;
  /** One system call. `resumed` tells a call that waited from a new one: see Pollable::Check. */
  attempt(conn: Socket<S>, resumed: boolean): number;
  /** How many bytes' worth of work a status stands for (turn.ts); absent where it is a number of bytes. */
  work?(status: number): number;
  /** What the caller gets for it. */
  outcome(conn: Socket<S>, status: number): T;
}

class PendingReceive<S extends Sender, T> extends Pending<T> implements Turn<Socket<Sender>> {
  constructor(private readonly way: Way<S, T>) {
    super();
  }

  run(conn: Socket<Sender>): boolean {
    const { way } = this;
    if (way.into !== undefined && isDetached(way.into)) {
      this.abort(detachedWhileWaiting('read'));
      return true;
    }
    const status = way.attempt(conn as Socket<S>, true);
    if (status === AGAIN) return false;
    if (status < 0) this.endWith(conn, status);
    else this.resolve(settle(conn as Socket<S>, way, status));
    return true;
  }

  endWith(conn: Socket<Sender>, status: number): void {
    this.fail(conn.failure('read', this.way.syscall, status));
  }
}

function receive<S extends Sender, T>(conn: Socket<S>, way: Way<S, T>, options: CallOptions | undefined): Promise<T> {
  const signal = signalOf(options);
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  const refused = conn.refusal('read');
  if (refused !== null) return rejected(refused);
  if (conn.reads === null && !conn.mustWait(READ)) {
    const status = way.attempt(conn, false);
    if (status >= 0) return Promise.resolve(settle(conn, way, status));
    if (status !== AGAIN) return rejected(conn.failure('read', way.syscall, status));
  }
  return wait(conn, new PendingReceive(way), signal);
}

function settle<S extends Sender, T>(conn: Socket<S>, way: Way<S, T>, status: number): T {
  spend(way.work === undefined ? status : way.work(status));
  return way.outcome(conn, status);
}

function wait<T>(conn: Socket<Sender>, call: PendingReceive<never, T>, signal: AbortSignal | undefined): Promise<T> {
  joinReads(conn, call);
  if (signal !== undefined) call.abortOn(signal, () => leaveReads(conn, call));
  return call.promise;
}

// From here on: the ways.

const NOTHING_AT_ALL = Buffer.alloc(0);

/** What stands in the scratch buffer, in memory of the caller's own. */
function scratchChunk(n: number): Buffer {
  return n > 0 ? ownChunk(n) : Buffer.alloc(0);
}

const FROM: Way<Sender, Packet> = {
  syscall: 'recvfrom',
  attempt: (conn, resumed) => native.receive(conn.id, resumed),
  outcome: (conn, n) => {
    const addr = conn.senderAt(0);
    return { data: scratchChunk(conn.strip(scratch, n)), addr };
  },
};

const PAYLOAD: Way<Sender, Buffer> = {
  syscall: 'read',
  attempt: (conn, resumed) => native.receive(conn.id, resumed),
  outcome: (_conn, n) => scratchChunk(n),
};

export function readFrom<S extends Sender>(conn: Socket<S>, options?: CallOptions): Promise<Packet<S>> {
  return receive(conn, FROM as Way<S, Packet<S>>, options);
}

export function readFromInto<S extends Sender>(
  conn: Socket<S>,
  p: Uint8Array,
  options?: CallOptions,
): Promise<{ n: number; addr: S }> {
  checkBytes('p', p);
  const way: Way<S, { n: number; addr: S }> = {
    syscall: 'recvfrom',
    into: p,
    attempt: ({ id }, resumed) => native.receiveInto(id, resumed, p),
    outcome: (_, n) => {
      const addr = conn.senderAt(0);
      return { n: conn.strip(p, n), addr };
    },
  };
  return receive(conn, way, options);
}

export function read(conn: Socket<Sender>, options?: CallOptions): Promise<Buffer> {
  return receive(conn, PAYLOAD, options);
}

export function readInto(conn: Socket<Sender>, p: Uint8Array, options?: CallOptions): Promise<number> {
  checkBytes('p', p);
  const way: Way<Sender, number> = {
    syscall: 'read',
    into: p,
    // Go's order: an empty read needs no datagram and no deadline, only an open socket.
    attempt: ({ id }, resumed) => (p.length === 0 ? 0 : native.receiveInto(id, resumed, p)),
    outcome: (_conn, n) => n,
  };
  return receive(conn, way, options);
}

// What sendmsg(2) and recvmsg(2) take at most on Linux (net.core.optmem_max) is less.
const MAX_CONTROL = 65536;

type Message<S extends Sender> = { n: number; data: Buffer; oob: Buffer } & PacketInfo<S>;

export function readMessage<S extends Sender>(conn: Socket<S>, options: ReadMessageOptions = {}): Promise<Message<S>> {
  checkObject('options', options);
  const { oob: room = 0 } = options;
  checkInteger('options.oob', room, 0, MAX_CONTROL);
  const control = room === 0 ? NOTHING_AT_ALL : Buffer.allocUnsafeSlow(room);
  const way: Way<S, Message<S>> = {
    syscall: 'recvmsg',
    attempt: ({ id }, resumed) => native.receiveMessage(id, resumed, scratch, control),
    outcome: (_, n) => ({ data: scratchChunk(n), ...infoOf(conn, control) }) as Message<S>,
  };
  return receive(conn, way, options);
}

export function readMessageInto<S extends Sender>(
  conn: Socket<S>,
  p: Uint8Array,
  oob: Uint8Array | null | undefined,
  options: CallOptions | undefined,
): Promise<Message<S>> {
  checkBytes('p', p);
  const control = oob ?? NOTHING_AT_ALL;
  checkBytes('oob', control);
  const way: Way<S, Message<S>> = {
    syscall: 'recvmsg',
    into: p,
    attempt: ({ id }, resumed) => native.receiveMessage(id, resumed, p, control),
    outcome: (_, n) => ({ n, ...infoOf(conn, control) }) as Message<S>,
  };
  return receive(conn, way, options);
}

function infoOf<S extends Sender>(conn: Socket<S>, control: Uint8Array): PacketInfo<S> {
  const oobn = slots[CONTROL] as number;
  return {
    addr: conn.senderAt(0),
    oob: control.subarray(0, oobn),
    oobn,
    flags: slots[FLAGS] as number,
    truncated: slots[TRUNCATED] !== 0,
  };
}

// What a datagram of a batch is counted as.
const EACH = 1024;

export function readBatch<S extends Sender>(
  conn: Socket<S>,
  max: number = SLOTS,
  options?: CallOptions,
): Promise<Packet<S>[]> {
  checkInteger('max', max, 1, SLOTS);
  const way: Way<S, Packet<S>[]> = {
    syscall: 'recvmmsg',
    attempt: ({ id }, resumed) => native.receiveBatch(id, resumed, copyingArena().bytes, STRIDE, max),
    work: (count) => count * EACH,
    outcome: (_, count) => copiesOf(conn, count),
  };
  return receive(conn, way, options);
}

function copiesOf<S extends Sender>(conn: Socket<S>, count: number): Packet<S>[] {
  const arena = copyingArena();
  arena.note(count, conn);
  return Array.from({ length: arena.count }, (_, i) => ({ data: copyAt(arena, i), addr: arena.senders[i] as S }));
}
