// Decoder: frames from bytes that come from anywhere.

import { checkBytes, checkFunction, checkObject } from '../check';
import type { FrameBatch } from './batch';
import { Decoding, type FrameSink } from './decoding';
import type { FrameError } from './frame-error';
import { type DecodingOptions, decodingOptions } from './options';
import type { UnseenFrame } from './unseen';

/** A frame, and a body that is the caller's. */
export interface Frame {
  /** 0 where frames have none. */
  command: number;
  /** Memory of the caller's own. */
  body: Buffer;
}

/** What a frame is to the one who receives it. */
export function frameOf(frame: UnseenFrame): Frame {
  return { command: frame.command, body: frame.show() };
}

/**
 * Finds frames in a stream that is fed to it piece by piece, cut in any way. It does no I/O: for
 * connections there are FramedConn and MessageConn.
 */
export class Decoder {
  private readonly decoding: Decoding;
  private take: (batch: FrameBatch) => unknown = () => {};
  private error: FrameError | null = null;
  private finished = false;
  private readonly sink: FrameSink;

  constructor(options: DecodingOptions = {}) {
    checkObject('options', options);
    const { framing, maxFrame, resynchronise, debug } = decodingOptions(options);
    this.decoding = new Decoding(framing, maxFrame, resynchronise, -1, debug);
    this.sink = this.asSink();
  }

  /**
   * Goes on with the stream; calls onFrames with what is whole now. Where that answers with a promise,
   * this does, too, and the chunk must stay as it is until then; there must be no other call meanwhile.
   * Where it throws, the rest of the chunk is not looked at.
   * @throws FrameError after the good frames, and again in every later call
   */
  feed(chunk: Uint8Array, onFrames: (batch: FrameBatch) => unknown): Promise<void> | undefined {
    checkBytes('chunk', chunk);
    checkFunction('onFrames', onFrames);
    this.begin(onFrames);
    return this.settled(this.decoding.feed(chunk, this.sink));
  }

  /**
   * The stream has ended. onFrames is called with a last line that has no end.
   * @throws FrameError if it ended inside a frame
   */
  finish(onFrames: (batch: FrameBatch) => unknown = () => {}): Promise<void> | undefined {
    checkFunction('onFrames', onFrames);
    this.begin(onFrames);
    this.finished = true;
    return this.settled(this.decoding.finish(this.sink));
  }

  /** The frames that are whole with this chunk, with bodies that may be kept. @throws FrameError as feed() */
  decode(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    this.feed(chunk, (batch) => this.decoding.eachOwn(batch, (frame) => frames.push(frameOf(frame))));
    return frames;
  }

  /** Bytes kept of a frame that is not whole yet. */
  get held(): number {
    return this.decoding.held;
  }

  /** Bytes of the stream before the next frame, or before the bad one. */
  get position(): number {
    return this.decoding.position;
  }

  /** Bad frames, and stretches of bytes that were none, that were skipped. */
  get badFrames(): number {
    return this.decoding.badFrames;
  }

  /** Bytes that were skipped for them. */
  get skippedBytes(): number {
    return this.decoding.skippedBytes;
  }

  private begin(onFrames: (batch: FrameBatch) => unknown): void {
    if (this.error !== null) throw this.error;
    if (this.finished) throw Object.assign(new Error('The stream has ended'), { code: 'ERR_INVALID_STATE' });
    this.take = onFrames;
  }

  private settled(waiting: Promise<void> | undefined): Promise<void> | undefined {
    if (waiting !== undefined) return waiting.then(() => this.throwIfBad());
    this.throwIfBad();
    return undefined;
  }

  private throwIfBad(): undefined {
    if (this.error !== null) throw this.error;
  }

  private asSink(): FrameSink {
    const isBad = () => this.error !== null;
    return {
      get stopped() {
        return isBad();
      },
      frames: (batch) => this.take(batch),
      bad: (error) => {
        this.error = error;
      },
    };
  }
}
