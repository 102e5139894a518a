// From bytes to a header: of either version, as soon as all of it is there.

import { checkBytes, checkInteger, checkObject } from '../check';
import { invalidValue } from '../errors';
import { malformed, type ProxyHeader, ProxyHeaderError } from './header';
import { measureV1, parseV1, SHORTEST, V1_SIGNATURE } from './v1';
import { measureV2, parseV2, V2_SIGNATURE } from './v2';

export interface ProxyHeaderOptions {
  /** The versions that are accepted. Default `any`. */
  accept?: 'v1' | 'v2' | 'any' | undefined;
  /**
   * How long a header of version 2 may be with its addresses and fields, in bytes: 107 to 65551. Default
   * 4096. Of version 1 it is 107 by the protocol.
   */
  maxHeader?: number | undefined;
}

export interface HeaderLimits {
  accept: 'v1' | 'v2' | 'any';
  maxHeader: number;
}

const DEFAULT_MAX = 4096;

/** Checks the options, and fills in what is absent. */
export function limitsOf(options: ProxyHeaderOptions): HeaderLimits {
  const { accept = 'any', maxHeader = DEFAULT_MAX } = options;
  if (!['v1', 'v2', 'any'].includes(accept)) {
    throw invalidValue('options.accept', "must be one of 'v1', 'v2', 'any'", accept);
  }
  checkInteger('options.maxHeader', maxHeader, 107, 16 + 65535);
  return { accept, maxHeader };
}

/** The longest that is needed to tell whether bytes begin as a header does. */
export const SIGNATURE = V2_SIGNATURE.length;

/** Whether bytes begin as a header does; null while they are too few to tell. */
export function looksLikeHeader(bytes: Buffer): boolean | null {
  const answers = [V1_SIGNATURE, V2_SIGNATURE].map((signature) => begins(bytes, signature));
  if (answers.includes(true)) return true;
  return answers.includes(null) ? null : false;
}

function begins(bytes: Buffer, signature: Buffer): boolean | null {
  const n = Math.min(bytes.length, signature.length);
  if (bytes.compare(signature, 0, n, 0, n) !== 0) return false;
  return n === signature.length ? true : null;
}

/**
 * How many bytes the header has that begins so. No more than there are: it is whole, and has exactly
 * that many. More: at least that many, and those behind them may be somebody else's.
 * @throws ProxyHeaderError
 */
export function measureHeader(bytes: Buffer, { accept, maxHeader }: HeaderLimits): number {
  const looks = looksLikeHeader(bytes);
  if (looks === null) return SHORTEST;
  if (!looks) throw new ProxyHeaderError('missing', 'there is none');
  const version = bytes[0] === V1_SIGNATURE[0] ? 'v1' : 'v2';
  if (accept !== 'any' && accept !== version) throw malformed(`of version ${version}, where ${accept} is accepted`);
  return version === 'v1' ? measureV1(bytes) : measureV2(bytes, maxHeader);
}

/** Of exactly the bytes that measureHeader() told. @throws ProxyHeaderError */
export function decodeHeader(bytes: Buffer): ProxyHeader {
  if (bytes[0] === V1_SIGNATURE[0]) return parseV1(bytes);
  // Fields are views, which must not show what lies beside them.
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return parseV2(own);
}

/**
 * The PROXY header at the start of the bytes; null while they are only the beginning of one. What
 * comes after it begins at its `length`.
 * @throws ProxyHeaderError as soon as they cannot become a header any more
 */
export function parseProxyHeader(bytes: Uint8Array, options: ProxyHeaderOptions = {}): ProxyHeader | null {
  checkBytes('bytes', bytes);
  checkObject('options', options);
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = measureHeader(all, limitsOf(options));
  return length > all.length ? null : decodeHeader(all.subarray(0, length));
}
