// The native decoder, fed with chunks. This side has the memory in which frames are put together that
// lie in several of them.

import {
  DECODE_BAD,
  DECODE_CONTROL,
  DECODE_HUNGRY,
  DECODE_ROOM,
  FRAME_WORDS,
  type NativeDecoder,
  native,
  RECORD_CONSUMED,
  RECORD_FAULT,
  RECORD_FRAMES,
  RECORD_HELD,
  RECORD_IN_STORE,
  RECORD_ROOM,
  RECORD_WORDS,
  scratch,
} from '../binding';
import { isThenable } from '../calling';
import { sliceOf } from '../chunk';
import { FrameBatch } from './batch';
import { FrameError, faultOf } from './frame-error';
import type { Framing } from './framing';
import { OwnFrames } from './own-frames';
import { copyOf, UnseenFrame } from './unseen';

/** Who is given what was found. */
export interface FrameSink {
  /** Frames, each time some are found; a control frame is alone. A promise holds up what comes after them. */
  frames(batch: FrameBatch, control: boolean): unknown;
  /** No more will be found. */
  bad(error: FrameError): void;
  /** What is left of the chunk is of no interest any more. */
  readonly stopped: boolean;
}

// A batch is a part of a chunk in any case; this bounds the memory that its places take.
const FRAMES_AT_ONCE = 4096;
const SMALLEST_STORE = 512;
// What a connection keeps between frames that lie in several chunks.
const LARGEST_IDLE_STORE = 16 * 1024;
// From this size on a body is worth the memory that it was put together in.
const WORTH_ITS_STORE = 4096;
// V8 keeps so small an array inside the object; asking for its memory would move it out.
const INSIDE = 64;

const NO_STORE = Buffer.allocUnsafeSlow(0);

// Records and batches are in use for the time of a call, and calls seldom nest.
const idleRecords: Int32Array[] = [];
const idleBatches: FrameBatch[] = [];

const takeRecords = () => idleRecords.pop() ?? new Int32Array(RECORD_WORDS + FRAME_WORDS * FRAMES_AT_ONCE);

export class Decoding {
  private readonly decoder: NativeDecoder;
  private store: Buffer = NO_STORE;
  /** Bytes at hand of a frame that is not whole yet. */
  held = 0;
  /** Frames found so far. */
  found = 0;

  /** @param detaches batches lose their memory when they are given back */
  constructor(
    framing: Framing,
    max: number,
    resynchronise: boolean,
    control = -1,
    private readonly detaches = false,
  ) {
    this.decoder = framing.makeDecoder(max, resynchronise, control);
  }

  /** Bytes of the stream up to the next frame's start, or the bad one's. */
  get position(): number {
    return native.decoderPosition(this.decoder);
  }

  get badFrames(): number {
    return native.decoderBadFrames(this.decoder);
  }

  get skippedBytes(): number {
    return native.decoderSkipped(this.decoder);
  }

  /** Goes on with a chunk from `from` on. A promise, if one of the sink's is waited for. */
  feed(chunk: Uint8Array, sink: FrameSink, from = 0): Promise<void> | undefined {
    const records = takeRecords();
    try {
      for (let at = from; !sink.stopped; ) {
        const stop = this.step(chunk, at, records);
        at = records[RECORD_CONSUMED] as number;
        const answer = (records[RECORD_FRAMES] as number) > 0 ? this.give(chunk, records, stop, sink) : undefined;
        if (stop === DECODE_BAD) sink.bad(this.error(records));
        if (answer !== undefined) return answer.then(() => this.feed(chunk, sink, at));
        if (stop === DECODE_HUNGRY || stop === DECODE_BAD) return undefined;
      }
      return undefined;
    } finally {
      idleRecords.push(records);
    }
  }

  /** The end of the stream, which may hold a last frame or find half a one. */
  finish(sink: FrameSink): Promise<void> | undefined {
    const records = takeRecords();
    try {
      const stop = native.finishDecoding(this.decoder, this.store, records);
      if (stop === DECODE_BAD) sink.bad(this.error(records));
      this.held = 0;
      return (records[RECORD_FRAMES] as number) > 0 ? this.give(NO_STORE, records, stop, sink) : undefined;
    } finally {
      idleRecords.push(records);
    }
  }

  private step(chunk: Uint8Array, from: number, records: Int32Array): number {
    const n = chunk.length;
    const small = n <= INSIDE;
    if (small) scratch.set(chunk);
    const memory = small ? scratch : chunk;
    let stop = native.decode(this.decoder, memory, from, n, this.store, records);
    while (stop === DECODE_ROOM) {
      this.grow(records[RECORD_ROOM] as number);
      stop = native.decode(this.decoder, memory, records[RECORD_CONSUMED] as number, n, this.store, records);
    }
    this.held = records[RECORD_HELD] as number;
    return stop;
  }

  private grow(room: number, from = this.store): void {
    const store = Buffer.allocUnsafeSlow(Math.max(room, SMALLEST_STORE));
    store.set(from);
    this.store = store;
  }

  /** Hands the frames to the sink; a promise, if its own is waited for. */
  private give(chunk: Uint8Array, records: Int32Array, stop: number, sink: FrameSink): Promise<void> | undefined {
    const inStore = records[RECORD_IN_STORE] === 1;
    const bytes = inStore ? this.store : Buffer.isBuffer(chunk) ? chunk : sliceOf(chunk, 0, chunk.length);
    this.found += records[RECORD_FRAMES] as number;
    const batch = (idleBatches.pop() ?? new FrameBatch()).lend(bytes, records, this.detaches);
    let answer: unknown;
    try {
      answer = sink.frames(batch, stop === DECODE_CONTROL);
    } catch (error) {
      this.takeBack(batch, inStore);
      throw error;
    }
    if (!isThenable(answer)) return this.takeBack(batch, inStore);
    batch.keep();
    return this.takeBackAfter(answer, batch, inStore);
  }

  private async takeBackAfter(answer: PromiseLike<unknown>, batch: FrameBatch, inStore: boolean): Promise<void> {
    try {
      await answer;
    } finally {
      this.takeBack(batch, inStore);
    }
  }

  private takeBack(batch: FrameBatch, inStore: boolean): undefined {
    // What others hold is theirs until they give it back.
    if (inStore && (batch.isShared || (this.held === 0 && this.store.length > LARGEST_IDLE_STORE))) this.loseStore();
    const shared = batch.isShared;
    batch.release();
    if (!shared) idleBatches.push(batch);
  }

  // What it holds of the next frame stays with the decoder.
  private loseStore(): void {
    const { store } = this;
    this.store = NO_STORE;
    if (this.held > 0) this.grow(store.length, store);
  }

  /** Calls `take` with each frame of a batch, in memory that outlives it. */
  eachOwn(batch: FrameBatch, take: (frame: UnseenFrame) => void): void {
    if (batch.count === 1) return take(new UnseenFrame(batch.command(0), this.ownBody(batch), 0, batch.length(0)));
    const frames = new OwnFrames(batch);
    for (let i = 0; i < batch.count; i++) take(frames.frame(i));
  }

  /** The body of the only frame of a batch, in memory of its own. */
  ownBody(batch: FrameBatch): Buffer {
    const length = batch.length(0);
    if (length < WORTH_ITS_STORE || batch.bytes !== this.store || this.held > 0) {
      return copyOf(batch.bytes, batch.offset(0), length);
    }
    // Behind what has come is what others have freed.
    this.store.fill(0, batch.offset(0) + length);
    this.store = NO_STORE;
    return batch.body(0);
  }

  private error(records: Int32Array): FrameError {
    return new FrameError(faultOf(records[RECORD_FAULT] as number), this.position);
  }
}
