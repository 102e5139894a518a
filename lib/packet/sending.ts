// Sending: given to the kernel at once; what it has no room for waits in line.

import type { Addr } from '../addr';
import { AGAIN, EXPIRED, native, scratch, WRITE, WRITE_SIDE } from '../binding';
import { checkBytes, checkList, checkObject, detachedWhileWaiting, isDetached, signalOf, toBytes } from '../check';
import type { CallOptions } from '../conn';
import { ErrClosed, invalidType, OpError, withCount } from '../errors';
import { joinWrites, leaveWrites, type Turn } from '../lines';
import { checked, Pending, rejected } from '../pending';
import { spend } from '../turn';
import { Outbox } from './outbox';
import type { OutgoingPacket } from './packet-conn';
import type { PacketSocketConn } from './packet-socket';
import { put, putNone } from './slots';

type Socket = PacketSocketConn<Addr | null>;

// Up to here copying bytes to the scratch buffer is cheaper than looking up a typed array's memory.
const SMALL = 1024;
// A batch that the kernel takes as fast as it is given goes on in the next turn after this many calls.
const BATCHES_AT_ONCE = 16;

/** One datagram: what it is, where to (null: to the peer), and how errors name what sent it. */
interface Shipment {
  readonly bytes: Uint8Array;
  readonly to: Addr | null;
  readonly control: Uint8Array | null;
  readonly op: string;
  readonly syscall: string;
}

class PendingSend extends Pending<number> implements Turn<Socket> {
  constructor(private readonly shipment: Shipment) {
    super();
  }

  run(conn: Socket, resumed: boolean): boolean {
    const { bytes, to, control } = this.shipment;
    if (isDetached(bytes) || (control !== null && isDetached(control))) {
      this.abort(withCount(detachedWhileWaiting('write'), 0));
      return true;
    }
    const status = attempt(conn, bytes, to, control, resumed);
    if (status === AGAIN) {
      conn.awaitWritable();
      return false;
    }
    if (status < 0) this.endWith(conn, status);
    else this.resolve(status);
    return true;
  }

  endWith(conn: Socket, status: number): void {
    this.fail(failure(conn, this.shipment, status));
  }
}

/** One system call. */
function attempt(
  conn: Socket,
  bytes: Uint8Array,
  to: Addr | null,
  control: Uint8Array | null,
  resumed: boolean,
): number {
  spend(bytes.length);
  if (to === null) putNone(0);
  else put(to, conn.family, 0);
  if (control !== null) return native.sendMessage(conn.id, resumed, bytes, control);
  if (bytes.length > SMALL) return native.send(conn.id, resumed, bytes);
  scratch.set(bytes);
  return native.sendScratch(conn.id, resumed, bytes.length);
}

function failure(conn: Socket, { op, syscall, to, control }: Shipment, status: number): Error {
  // Go's WriteMsg names the address that it was given, also where the socket has one.
  return withCount(conn.failure(op, syscall, status, control === null ? (to ?? conn.remoteAddr) : to), 0);
}

function ship(conn: Socket, shipment: Shipment, signal: AbortSignal | undefined): Promise<number> {
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  uncork(conn);
  const refused = conn.refusal(shipment.op, shipment.to ?? conn.remoteAddr);
  if (refused !== null) return rejected(withCount(refused, 0));
  if (conn.writes === null && !conn.mustWait(WRITE)) {
    const { bytes, to, control } = shipment;
    const status = attempt(conn, bytes, to, control, false);
    if (status >= 0) return Promise.resolve(status);
    if (status !== AGAIN) return rejected(failure(conn, shipment, status));
    conn.awaitWritable();
  }
  return wait(conn, new PendingSend(shipment), signal);
}

/** Joins the line. The kernel has just said that there is no room, or a notice is on its way. */
function wait(conn: Socket, call: PendingSend, signal: AbortSignal | undefined): Promise<number> {
  joinWrites(conn, call, true);
  if (signal !== undefined) call.abortOn(signal, () => leaveWrites(conn, call));
  return call.promise;
}

export function write(conn: Socket, p: unknown, options: CallOptions | undefined): Promise<number> {
  const signal = signalOf(options);
  return ship(conn, { bytes: toBytes(p), to: null, control: null, op: 'write', syscall: 'write' }, signal);
}

export function writev(conn: Socket, list: readonly Uint8Array[], options: CallOptions | undefined): Promise<number> {
  const signal = signalOf(options);
  const bytes = Buffer.concat(list, checkList(list));
  // Nothing to send is not the same as an empty datagram, which is a list of one empty member.
  if (list.length === 0)
    return conn.id < 0 ? rejected(withCount(conn.error('writev', ErrClosed), 0)) : Promise.resolve(0);
  return ship(conn, { bytes, to: null, control: null, op: 'writev', syscall: 'writev' }, signal);
}

export function writeTo(conn: Socket, p: unknown, addr: unknown, options: CallOptions | undefined): Promise<number> {
  const signal = signalOf(options);
  const bytes = toBytes(p);
  if (typeof addr === 'string') {
    return checked(noCheck, () => withTarget(conn, addr, signal, (to) => writeTo(conn, bytes, to, options)));
  }
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  const to = addr as Addr | null;
  const refused = conn.refusedTarget(to);
  if (refused !== null) return refuse(conn, to, refused);
  return ship(conn, { bytes, to, control: null, op: 'write', syscall: 'sendto' }, signal);
}

const NO_CONTROL = new Uint8Array(0);

function noCheck(): void {}

export function writeMessage(
  conn: Socket,
  p: unknown,
  oob: unknown,
  addr: unknown,
  options: CallOptions | undefined,
): Promise<number> {
  const signal = signalOf(options);
  const bytes = toBytes(p);
  const control = oob ?? NO_CONTROL;
  checkBytes('oob', control);
  if (typeof addr === 'string') {
    return checked(noCheck, () =>
      withTarget(conn, addr, signal, (to) => writeMessage(conn, bytes, control, to, options)),
    );
  }
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  const to = (addr ?? null) as Addr | null;
  const refused = conn.refusedMessage(to);
  if (refused !== null) return refuse(conn, to, refused);
  return ship(conn, { bytes, to, control, op: 'write', syscall: 'sendmsg' }, signal);
}

function refuse(conn: Socket, to: Addr | null, cause: Error): Promise<never> {
  return rejected(withCount(new OpError('write', conn.net, conn.localAddr, to, cause), 0));
}

/** Goes on with the address that a text stands for. */
async function withTarget<T>(
  conn: Socket,
  text: string,
  signal: AbortSignal | undefined,
  go: (to: Addr) => Promise<T>,
): Promise<T> {
  let to: Addr;
  try {
    to = await conn.resolve(text, signal);
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    throw withCount(new OpError('write', conn.net, conn.localAddr, null, error as Error), 0);
  }
  return go(to);
}

/** Sends without waiting: its length, or a negative status. */
export function trySend(conn: Socket, bytes: Uint8Array, to: Addr | null): number {
  if (conn.writes !== null) return AGAIN;
  return corked === conn ? addToCork(conn, bytes, to) : attempt(conn, bytes, to, null, false);
}

// Batches.

const outbox = new Outbox();

export interface Prepared {
  bytes: Uint8Array;
  to: Addr | null;
}

/** One system call with what is left from `first` on: how many datagrams the kernel took. */
function sendSome(conn: Socket, packets: readonly Prepared[], first: number, resumed: boolean): number {
  outbox.clear();
  for (let i = first; i < packets.length; i++) {
    const { bytes, to } = packets[i] as Prepared;
    if (!outbox.add(bytes, to)) break;
  }
  if (outbox.count > 0) return outbox.send(conn.id, conn.family, 0, resumed);
  // Larger than all there is room for, which only a Unix socket could want.
  const { bytes, to } = packets[first] as Prepared;
  const status = attempt(conn, bytes, to, null, resumed);
  return status < 0 ? status : 1;
}

class PendingBatch extends Pending<number> implements Turn<Socket> {
  private done = 0;

  constructor(private readonly packets: readonly Prepared[]) {
    super();
  }

  run(conn: Socket, resumed: boolean): boolean {
    for (let i = 0; i < BATCHES_AT_ONCE && this.done < this.packets.length; i++) {
      if (this.packets.some(({ bytes }) => isDetached(bytes))) {
        this.abort(this.counted(detachedWhileWaiting('write')));
        return true;
      }
      const status = sendSome(conn, this.packets, this.done, resumed);
      if (status === AGAIN) break;
      if (status < 0) {
        this.endWith(conn, status);
        return true;
      }
      this.done += status;
    }
    if (this.done < this.packets.length) {
      conn.awaitWritable();
      return false;
    }
    this.resolve(this.done);
    return true;
  }

  endWith(conn: Socket, status: number): void {
    const to = this.packets[this.done]?.to ?? conn.remoteAddr;
    this.fail(this.counted(conn.failure('write', 'sendmmsg', status, to)));
  }

  private counted<E extends Error>(error: E): E {
    return Object.assign(error, { packetsWritten: this.done });
  }
}

export function writeBatch(conn: Socket, packets: unknown, options: CallOptions | undefined): Promise<number> {
  const signal = signalOf(options);
  const prepared = prepare(packets);
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  uncork(conn);
  const refused = conn.refusal('write') ?? refusedBatch(conn, prepared);
  if (refused !== null) return rejected(Object.assign(refused, { packetsWritten: 0 }));
  if (prepared.length === 0) return Promise.resolve(0);
  const call = new PendingBatch(prepared);
  if (signal !== undefined) call.abortOn(signal, () => leaveWrites(conn, call));
  joinWrites(conn, call);
  return call.promise;
}

/** How many datagrams the kernel took, from the first on; a negative status if it failed with the first. */
export function tryBatch(conn: Socket, packets: readonly Prepared[]): number {
  uncork(conn);
  if (conn.writes !== null) return AGAIN;
  let done = 0;
  while (done < packets.length) {
    const status = sendSome(conn, packets, done, false);
    if (status < 0) return done > 0 ? done : status;
    done += status;
  }
  return done;
}

export function prepare(packets: unknown): Prepared[] {
  if (!Array.isArray(packets)) throw invalidType('packets', 'an array', packets);
  return Array.from(packets, (packet: OutgoingPacket, i) => {
    checkObject(`packets[${i}]`, packet);
    return { bytes: toBytes(packet.data), to: packet.addr ?? null };
  });
}

export function refusedBatch(conn: Socket, packets: readonly Prepared[]): OpError | null {
  for (const { to } of packets) {
    const refused = to === null ? null : conn.refusedTarget(to);
    if (refused !== null) return new OpError('write', conn.net, conn.localAddr, to, refused);
  }
  return null;
}

// What a handler sends while it is given what has arrived goes to the kernel when it has returned, in
// as few calls as will do: answers to one peer then go down in one piece.

let corked: Socket | null = null;
const cork = new Outbox();

/** Runs `deliver`, and then sends what it has had sent. */
export function withCork(conn: Socket, deliver: () => void): void {
  // A deadline that has passed is told by each call.
  corked = (native.state(conn.id) & WRITE_SIDE) === 0 ? conn : null;
  try {
    deliver();
  } finally {
    corked = null;
    flushCork(conn);
  }
}

/** Before anything else of this socket's is sent: datagrams keep their order. */
export function uncork(conn: Socket): void {
  if (corked === conn) flushCork(conn);
}

function addToCork(conn: Socket, bytes: Uint8Array, to: Addr | null): number {
  if (cork.add(bytes, to)) return bytes.length;
  flushCork(conn);
  if (conn.writes !== null) return AGAIN;
  return cork.add(bytes, to) ? bytes.length : attempt(conn, bytes, to, null, false);
}

function flushCork(conn: Socket): void {
  let done = 0;
  while (done < cork.count && conn.id >= 0) {
    const status = cork.send(conn.id, conn.family, done, false);
    if (status === AGAIN) break;
    if (status === EXPIRED) done = cork.count;
    // One that fails is told of, and does not hold up the rest.
    if (status < 0) conn.tryFailed(conn.failure('write', 'sendmmsg', status, cork.addressAt(done)));
    done += status < 0 ? 1 : status;
  }
  if (done < cork.count && conn.id >= 0) keepRest(conn, done);
  cork.clear();
}

// The kernel has no room: they wait in line, as a write of copies.
function keepRest(conn: Socket, first: number): void {
  const rest = Array.from({ length: cork.count - first }, (_, i) => cork.take(first + i));
  const call = new PendingBatch(rest);
  call.promise.catch((error: OpError) => conn.tryFailed(error));
  joinWrites(conn, call, true);
  conn.awaitWritable();
}
