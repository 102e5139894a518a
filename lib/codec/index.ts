// The public surface of `spliceway/codec`.

export { crc32 } from './crc32';
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
