// The public surface of `spliceway/codec`.

export { FrameBatch } from './batch';
export { crc32 } from './crc32';
export { Decoder, type Frame } from './decoder';
export { FrameError, type FrameFault } from './frame-error';
export {
  delimiter,
  Framing,
  fixedSize,
  type HeaderBodyOptions,
  headerBody,
  type LengthPrefixOptions,
  lengthPrefix,
  lines,
  netstrings,
} from './framing';
export type { DecodingOptions } from './options';
export { Scanner, type ScannerOptions } from './scanner';
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
