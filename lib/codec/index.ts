// The public surface of `spliceway/codec`.

export { FrameBatch } from './batch';
export type { FrameCallOptions } from './call';
export { crc32 } from './crc32';
export { Decoder, type Frame } from './decoder';
export { delimiter, lines } from './delimited';
export { fixedSize } from './fixed-size';
export { FrameError, type FrameFault } from './frame-error';
export { FramedConn, type FramedConnOptions, type OutgoingFrame } from './framed-conn';
export { Framing } from './framing';
export { type HeaderBodyOptions, headerBody } from './header-body';
export type { HeartbeatOptions } from './heartbeat-options';
export type { BatchHandler, FrameHandlers } from './intake';
export { type LengthPrefixOptions, lengthPrefix } from './length-prefix';
export { MessageConn } from './message-conn';
export { netstrings } from './netstrings';
export type { DecodingOptions, MessageOptions } from './options';
export { Scanner, type ScannerOptions } from './scanner';
export { BufferFullError } from './sending';
export { RequestError, type RequestHandler } from './session';
export type { ByteSource } from './source';
export {
  ErrAdvanceTooFar,
  ErrBadReadCount,
  ErrFinalToken,
  ErrNegativeAdvance,
  ErrNoProgress,
  ErrTooLong,
  type Split,
  type SplitFunc,
  scanBytes,
  scanLines,
  scanRunes,
  scanWords,
} from './split';
export { MAX_SCAN_TOKEN_SIZE, TokenBuffer, type TokenOptions } from './token-buffer';
