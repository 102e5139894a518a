// What is wrong with a stream of frames.

/** What a {@link FrameError} is about. */
export type FrameFault = 'magic' | 'version' | 'crc' | 'tooLarge' | 'length' | 'truncated' | 'timeout';

const TEXTS: Readonly<Record<FrameFault, string>> = {
  magic: 'does not begin with the magic number',
  version: 'is of another version',
  crc: 'has a CRC that does not fit',
  tooLarge: 'is too large',
  length: 'has a length that cannot be',
  truncated: 'is cut off by the end of the stream',
  timeout: 'took too long to arrive',
};

const CODES: Readonly<Record<FrameFault, string>> = {
  magic: 'ERR_SPLICEWAY_FRAME_MAGIC',
  version: 'ERR_SPLICEWAY_FRAME_VERSION',
  crc: 'ERR_SPLICEWAY_FRAME_CRC',
  tooLarge: 'ERR_SPLICEWAY_FRAME_TOO_LARGE',
  length: 'ERR_SPLICEWAY_FRAME_LENGTH',
  truncated: 'ERR_SPLICEWAY_FRAME_TRUNCATED',
  timeout: 'ERR_SPLICEWAY_FRAME_TIMEOUT',
};

// By the numbers of native/codec/framing.h.
const FAULTS: readonly FrameFault[] = ['magic', 'version', 'crc', 'tooLarge', 'length', 'truncated'];

/** A frame that was bad, and where in the stream it begins. */
export class FrameError extends Error {
  /** `ERR_SPLICEWAY_FRAME_MAGIC`, `…_VERSION`, `…_CRC`, `…_TOO_LARGE`, `…_LENGTH`, `…_TRUNCATED`, `…_TIMEOUT` */
  readonly code: string;
  readonly fault: FrameFault;
  /** Bytes of the stream before the frame. */
  readonly offset: number;
  /** The frame did not arrive in time. */
  readonly timeout: boolean;

  constructor(fault: FrameFault, offset: number) {
    super(`frame at byte ${offset} ${TEXTS[fault]}`);
    this.name = 'FrameError';
    this.code = CODES[fault];
    this.fault = fault;
    this.offset = offset;
    this.timeout = fault === 'timeout';
  }
}

/** @internal By the number that native code gives the fault. */
export function faultOf(number: number): FrameFault {
  return FAULTS[number - 1] as FrameFault;
}
