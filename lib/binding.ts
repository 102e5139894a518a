// The only file that touches the addon. It gives every native function its type, and owns the
// buffers that both sides share. Calls on the way of each byte answer with a number: a count, a
// negative errno, or one of the codes below. The others throw an error with errno and syscall.

import { constants } from 'node:os';
import { loadAddon } from './load';

export const AGAIN = -constants.errno.EAGAIN;
export const CLOSED = -10001;
export const EXPIRED = -10002;
export const BUSY = -10003;
/** No native code answers this: the connection began as it must not. */
export const REFUSED = -10004;

/** Set beside a count that a read returns: the stream is thought to hold more. */
export const MORE = 1 << 24;
/** The count without it. */
export const COUNT = MORE - 1;

// Bits of a notice: native/core/pollable.h.
export const READABLE = 1;
export const WRITABLE = 2;
export const READ_EXPIRED = 4;
export const WRITE_EXPIRED = 8;

// The two directions, and how a notice is awaited.
export const READ = 0;
export const WRITE = 1;
export const NOTHING = 0;
export const ONCE = 1;
export const ALWAYS = 2;
/** No notice, and yet the process lives for it. */
export const HELD = 3;

// Both directions as bits, for deadlines.
export const READ_SIDE = 1;
export const WRITE_SIDE = 2;
/** Beside them in what state() answers: a transfer has the connection, or a direction of it. */
export const LENT = 8;

/** The address families of native calls; `UNIX` takes a path in place of host, port and scope. */
export const IP4 = 4;
export const IP6 = 6;
export const UNIX = 1;

export const STREAM = 0;
export const PACKETS = 1;
export const DATAGRAMS = 2;
export const RAW = 3;

/** What a stream's descriptor carries: native/core/stream.h. */
export const KIND_TCP = 0;
export const KIND_UNIX = 1;
export const KIND_PACKETS = 2;

/** [host, port, scope] or [path] */
export type AddressTuple = [host: string, port: number, scope: number] | [path: string];

interface Native {
  setup(dispatch: (count: number) => void, records: Int32Array, scratch: Uint8Array): void;
  openHandles(): number;
  throwUncaught(error: unknown): void;
  setupPhases(onPending: () => void, onClosing: () => void): void;
  visitPendingPhase(): void;
  visitClosingPhase(): void;

  awaitNotice(id: number, side: number, mode: number): void;
  awaitEdge(id: number, side: number): number;
  wakeUp(id: number, side: number): void;
  setDeadline(id: number, sides: number, epochMs: number): number;
  state(id: number): number;
  setRef(id: number, on: boolean): void;
  close(id: number): boolean;
  descriptor(id: number): number;
  detach(id: number): number;
  duplicate(id: number): number;
  localAddr(id: number): AddressTuple | undefined;
  peerAddr(id: number): AddressTuple | undefined;

  read(id: number, resumed: boolean, max: number): number;
  readInto(id: number, resumed: boolean, p: Uint8Array): number;
  peek(id: number, resumed: boolean, offset: number, max: number): number;
  write(id: number, resumed: boolean, p: Uint8Array, offset: number): number;
  writeScratch(id: number, resumed: boolean, length: number): number;
  writeVector(id: number, resumed: boolean, list: readonly Uint8Array[], first: number, offset: number): number;
  shutdown(id: number, how: number): number;
  markNew(id: number): void;
  rest(id: number): number | undefined;
  restAsking(id: number): number | undefined;

  accept(id: number, resumed: boolean, max: number): number;
  recheck(id: number): void;
  refused(id: number): number;

  peerCredentials(id: number): void;
  sendFds(id: number, resumed: boolean, p: Uint8Array, fds: Int32Array): number;
  receiveFds(id: number, resumed: boolean, max: number, out: Int32Array): number;

  describeSocket(fd: number): void;
  adoptStream(fd: number, kind: number): number;
  adoptFifo(fd: number): number;
  adoptListener(fd: number, kind: number): number;

  openSocket(family: number, type: number, protocol: number): number;
  bind(id: number, family: number, host: string, port: number, scope: number): void;
  listen(id: number, backlog: number): number;
  connect(id: number, family: number, host: string, port: number, scope: number): number;
  finishConnect(id: number, resumed: boolean): number;

  tcpInfo(id: number): object;
  queueInfo(id: number): object;
  listenInfo(id: number): object;

  setupPackets(slots: Int32Array): void;
  hostWords(host: string): number;
  packetSocket(id: number): number;
  connectPackets(id: number, family: number, host: string, port: number, scope: number): void;
  adoptPackets(fd: number): number;
  receive(id: number, resumed: boolean): number;
  receiveInto(id: number, resumed: boolean, p: Uint8Array): number;
  receiveMessage(id: number, resumed: boolean, p: Uint8Array, control: Uint8Array): number;
  receiveBatch(id: number, resumed: boolean, p: Uint8Array, stride: number, max: number): number;
  setCoalescing(id: number, on: boolean): void;
  send(id: number, resumed: boolean, p: Uint8Array): number;
  sendScratch(id: number, resumed: boolean, length: number): number;
  sendMessage(id: number, resumed: boolean, p: Uint8Array, control: Uint8Array): number;
  sendBatch(id: number, resumed: boolean, p: Uint8Array, count: number): number;
  shutdownPackets(id: number, how: number): number;

  setBroadcast(id: number, on: number): void;
  setHops(id: number, hops: number): void;
  setMulticastHops(id: number, hops: number): void;
  setMulticastInterface(id: number, index: number): void;
  setMulticastLoopback(id: number, on: number): void;
  shareForMulticast(id: number): void;
  changeMembership(id: number, join: boolean, index: number, group: string, source: string): void;
  interfaceIndex(name: string): number;

  openTransfer(
    streamA: number,
    streamB: number,
    fileA: number,
    fileB: number,
    relay: boolean,
    idleMs: number,
    halfCloseMs: number,
  ): number;
  beginFlow(
    transfer: number,
    flow: number,
    limit: number,
    rate: number,
    offset: number,
    first: Uint8Array | undefined,
    last: Uint8Array | undefined,
  ): number;
  expireFlow(transfer: number, flow: number, side: number, expired: boolean): void;
  nudgeFlow(transfer: number, flow: number): void;
  stopTransfer(transfer: number): void;
  delivered(transfer: number, flow: number): number;
  finishTransfer(transfer: number): number;

  openChaos(listener: number, family: number, host: string, port: number, scope: number, seed: number): number;
  setChaos(
    id: number,
    direction: number,
    delayMs: number,
    jitterMs: number,
    loss: number,
    retransmitMs: number,
    bandwidth: number,
    slice: number,
    sliceGapMs: number,
    blackHole: boolean,
  ): void;
  beginChaos(id: number): void;
  resetChaos(id: number): void;
  chaosCounters(id: number, out: Float64Array): void;

  openSession(
    stream: number,
    layout: Int32Array,
    maxFrame: number,
    window: number,
    frameTimeoutMs: number,
    health: Float64Array,
    seed: number,
    first: Uint8Array | undefined,
  ): number;
  takeFrames(session: number, max: number): number;
  putFrames(session: number, list: readonly Uint8Array[]): number;
  framesSent(session: number): number;
  sendCredit(session: number): number;
  finishFrames(session: number): void;
  setSessionInterval(session: number, ms: number): void;
  sessionFigures(session: number, values: Float64Array): void;
  sessionTransitions(session: number): NativeTransition[] | undefined;
  stopSession(session: number): void;
  sessionEnd(session: number): [how: number, errno: number] | undefined;
  closeSession(session: number): void;

  crc32(bytes: Uint8Array, length: number, crc: number): number;
  makeDecoder(
    kind: number,
    max: number,
    parameters: Int32Array,
    delimiter: Uint8Array,
    resynchronise: boolean,
    control: number,
  ): NativeDecoder;
  decode(
    decoder: NativeDecoder,
    chunk: Uint8Array,
    from: number,
    to: number,
    store: Uint8Array,
    records: Int32Array,
  ): number;
  finishDecoding(decoder: NativeDecoder, store: Uint8Array, records: Int32Array): number;
  decoderPosition(decoder: NativeDecoder): number;
  decoderBadFrames(decoder: NativeDecoder): number;
  decoderSkipped(decoder: NativeDecoder): number;
  sealFrames(commandBytes: number, crcOver: number, bytes: Uint8Array, from: number, to: number): void;

  makeMonitor(options: Float64Array, now: number, seed: number): NativeMonitor;
  advanceMonitor(monitor: NativeMonitor, now: number): boolean;
  sampleMonitor(monitor: NativeMonitor, sample: Float64Array, now: number): void;
  monitorDue(monitor: NativeMonitor): number;
  setMonitorInterval(monitor: NativeMonitor, interval: number, now: number): void;
  monitorFigures(monitor: NativeMonitor, words: Float64Array, now: number): void;
  takeTransitions(monitor: NativeMonitor, now: number): NativeTransition[] | undefined;

  openSplice(): number;
  stepSplice(splice: number, source: number, sink: number): number;
  spliced(splice: number): number;
  closeSplice(splice: number): void;

  setReuseAddr(id: number): void;
  setReusePort(id: number): void;
  setV6Only(id: number, on: number): void;
  setNoDelay(id: number, on: number): void;
  setKeepAlive(id: number, on: number): void;
  setKeepAliveConfig(id: number, idle: number, interval: number, count: number): void;
  setLinger(id: number, seconds: number): void;
  setReadBuffer(id: number, bytes: number): void;
  setWriteBuffer(id: number, bytes: number): void;
  setUserTimeout(id: number, milliseconds: number): void;
  getOption(id: number, level: number, name: number, length: number): number;
  setOption(id: number, level: number, name: number, value: Uint8Array): void;
  optionNumbers(): Record<string, number>;
}

/** A decoder: native/codec/decoder.h. It goes when this object does. */
export interface NativeDecoder {
  readonly brand: unique symbol;
}

/** A model of one connection's health: native/health/monitor.h. It goes when this object does. */
export interface NativeMonitor {
  readonly brand: unique symbol;
}

/** A change of a connection's health: native/health/figures.h. */
export interface NativeTransition {
  from: number;
  to: number;
  healing: boolean;
  reason: string;
  /** Milliseconds. */
  ago: number;
}

// The kinds of makeDecoder.
export const HEADER_BODY = 0;
export const LENGTH_PREFIX = 1;
export const DELIMITED = 2;
export const LINES = 3;
export const FIXED_SIZE = 4;
export const NETSTRING = 5;

// What decode answers.
export const DECODE_HUNGRY = 0;
export const DECODE_MORE = 1;
export const DECODE_CONTROL = 2;
export const DECODE_ROOM = 3;
export const DECODE_BAD = 4;

// The first words of its records, and how many they are; those of each frame come after them.
export const RECORD_FRAMES = 0;
export const RECORD_CONSUMED = 1;
export const RECORD_ROOM = 2;
export const RECORD_FAULT = 3;
export const RECORD_HELD = 4;
export const RECORD_IN_STORE = 5;
export const RECORD_WORDS = 6;
export const FRAME_COMMAND = 0;
export const FRAME_AT = 1;
export const FRAME_LENGTH = 2;
export const FRAME_WORDS = 3;

// What stepSplice answers, besides what the sink met: native/binding/splice.cc.
export const SPLICE_OVER = 0;
export const SPLICE_EMPTY = 1;
export const SPLICE_FULL = 2;
export const SPLICE_DRAINED = 3;
export const SPLICE_BROKEN = 4;

export const native = loadAddon() as Native;

/** The most that one read takes, and with it the largest chunk. */
export const CHUNK = 65536;

/** Notices of one turn, as pairs (id, bits). */
export const records = new Int32Array(2 * 512);

/**
 * Where reads whose bytes are copied out, small writes and the ids of accepted connections pass
 * through. It never leaves this library, so nobody can detach it, and every user of it is done
 * before any code of a caller's runs.
 */
export const scratch: Buffer = Buffer.from(new ArrayBuffer(CHUNK));
/** Its start as integers: the ids of accepted connections; how a transfer ended. */
export const scratchIds = new Int32Array(scratch.buffer, 0, 64);

/** What each datagram of a call has besides its payload, in so many words: native/binding/packet.cc. */
export const SLOT = 36;
export const SLOTS = 64;
// The words of a slot.
export const LENGTH = 0;
export const OFFSET = 1;
export const SEGMENT = 1;
export const FLAGS = 1;
export const TRUNCATED = 2;
export const CONTROL = 3;
export const FAMILY = 4;
export const PORT = 5;
export const SCOPE = 6;
export const HOST = 7;

export const slots = new Int32Array(SLOTS * SLOT);
export const slotBytes: Buffer = Buffer.from(slots.buffer);

native.setupPackets(slots);
