// What decoders and connections of frames can be told.

import { checkBoolean, checkDuration, checkInteger, checkObject } from '../check';
import { invalidValue } from '../errors';
import { checkFraming, type Framing, LARGEST_BODY } from './framing';
import { headerBody } from './header-body';

export interface DecodingOptions {
  /** How frames are told apart. Default: headerBody(). */
  framing?: Framing | undefined;
  /** Bytes of the largest body, 0 to 1 GiB; 16 or more with the `session` of a FramedConn. Default 1 MiB. */
  maxFrame?: number | undefined;
  /**
   * What a bad frame does: `'close'` ends the stream with a FrameError; `'resynchronise'` skips to the next
   * bytes that begin as a frame does (with headerBody() alone). After 17 bad CRCs with no good frame among
   * them it ends all the same. Default `'close'`.
   */
  onBadFrame?: 'close' | 'resynchronise' | undefined;
  /** Batches lose their memory when they are given back, so that a view that outlives them is empty. Slow. Default false. */
  debug?: boolean | undefined;
}

const DEFAULT_MAX_FRAME = 1024 * 1024;

export interface CheckedDecoding {
  framing: Framing;
  maxFrame: number;
  resynchronise: boolean;
  debug: boolean;
}

export function decodingOptions(options: DecodingOptions): CheckedDecoding {
  const { framing = headerBody(), maxFrame = DEFAULT_MAX_FRAME, onBadFrame = 'close', debug = false } = options;
  checkFraming('options.framing', framing);
  checkInteger('options.maxFrame', maxFrame, 0, LARGEST_BODY);
  checkBoolean('options.debug', debug);
  checkOneOf('options.onBadFrame', onBadFrame, ['close', 'resynchronise']);
  if (onBadFrame === 'resynchronise' && !framing.canResynchronise) {
    throw invalidValue('options.onBadFrame', `cannot be 'resynchronise' with ${framing.name}`, onBadFrame);
  }
  return { framing, maxFrame, resynchronise: onBadFrame === 'resynchronise', debug };
}

export interface MessageOptions extends Omit<DecodingOptions, 'framing'> {
  /** Milliseconds that a frame may take from its first byte to its last, while somebody reads; 0: for ever. Default 30000. */
  frameTimeout?: number | undefined;
  /**
   * Bytes that may be read ahead, about, while a promise of onFrames()' handler is pending, 0 to 1 GiB. How many
   * are follows how fast the handler is. 0: nothing is read meanwhile. Default 256 KiB.
   */
  readAhead?: number | undefined;
  /** Bytes that may wait to be written before `whenFull` applies. A single frame may be larger. Default 1 MiB. */
  maxBuffered?: number | undefined;
  /**
   * What a send() does then: `'wait'` until there is room; reject with an `'error'`
   * (`ERR_SPLICEWAY_BUFFER_FULL`), the frame not sent; or `'close'` the connection. Default `'wait'`.
   */
  whenFull?: 'wait' | 'error' | 'close' | undefined;
}

export interface CheckedMessages extends CheckedDecoding {
  frameTimeout: number;
  readAhead: number;
  maxBuffered: number;
  whenFull: 'wait' | 'error' | 'close';
}

const DEFAULT_FRAME_TIMEOUT = 30_000;
const DEFAULT_READ_AHEAD = 256 * 1024;
const DEFAULT_MAX_BUFFERED = 1024 * 1024;

export function messageOptions(framing: Framing, options: MessageOptions): CheckedMessages {
  checkObject('options', options);
  const { frameTimeout = DEFAULT_FRAME_TIMEOUT, readAhead = DEFAULT_READ_AHEAD } = options;
  const { maxBuffered = DEFAULT_MAX_BUFFERED, whenFull = 'wait' } = options;
  checkDuration('options.frameTimeout', frameTimeout);
  checkInteger('options.readAhead', readAhead, 0, LARGEST_BODY);
  checkInteger('options.maxBuffered', maxBuffered, 1, Number.MAX_SAFE_INTEGER);
  checkOneOf('options.whenFull', whenFull, ['wait', 'error', 'close']);
  return { ...decodingOptions({ ...options, framing }), frameTimeout, readAhead, maxBuffered, whenFull };
}

function checkOneOf(name: string, value: unknown, words: readonly string[]): void {
  if (typeof value === 'string' && words.includes(value)) return;
  throw invalidValue(name, `must be one of ${words.map((word) => `'${word}'`).join(', ')}`, value);
}
