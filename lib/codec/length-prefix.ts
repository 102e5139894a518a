// lengthPrefix(): frames that tell their length.

import { LENGTH_PREFIX } from '../binding';
import { checkBoolean, checkInteger, checkObject } from '../check';
import { invalidValue } from '../errors';
import { Framing } from './framing';

export interface LengthPrefixOptions {
  /** Bytes of the length, or `'varint'` for LEB128 as protocol buffers have it. Default 4. */
  lengthBytes?: 1 | 2 | 4 | 8 | 'varint' | undefined;
  /** The length's lowest byte comes first. Default false. */
  littleEndian?: boolean | undefined;
  /** The length counts itself, and what is in front of it. Default false. */
  includesHeader?: boolean | undefined;
  /** Bytes in front of the length, 0 to 1024. Default 0. */
  offset?: number | undefined;
  /** What to add to the length for the number of bytes that follow it, -1024 to 1024. Default 0. */
  adjustment?: number | undefined;
  /** How many of the frame's first bytes are left out of a body, 0 to 2048. Default: all up to the length's end. */
  strip?: number | undefined;
}

const FAR = 1024;

class LengthPrefix extends Framing {
  readonly name = 'lengthPrefix';
  protected readonly kind = LENGTH_PREFIX;
  protected override readonly parameters: readonly number[];
  private readonly bytes: number;
  private readonly littleEndian: boolean;
  private readonly adjustment: number;
  private readonly whole: boolean;
  private readonly unsendable: boolean;

  constructor(options: LengthPrefixOptions) {
    super();
    const { lengthBytes = 4, littleEndian = false, includesHeader = false, offset = 0, adjustment = 0 } = options;
    if (![1, 2, 4, 8, 'varint'].includes(lengthBytes)) {
      throw invalidValue('options.lengthBytes', "must be 1, 2, 4, 8 or 'varint'", lengthBytes);
    }
    checkBoolean('options.littleEndian', littleEndian);
    checkBoolean('options.includesHeader', includesHeader);
    checkInteger('options.offset', offset, 0, FAR);
    checkInteger('options.adjustment', adjustment, -FAR, FAR);
    this.bytes = lengthBytes === 'varint' ? 0 : lengthBytes;
    const header = offset + this.bytes;
    const { strip = header } = options;
    checkInteger('options.strip', strip, 0, 2 * FAR);
    this.littleEndian = littleEndian;
    this.adjustment = adjustment - (includesHeader ? header : 0);
    this.whole = strip === 0 && this.bytes > 0;
    this.unsendable = !this.whole && (offset > 0 || strip !== header);
    this.parameters = [this.bytes, littleEndian ? 1 : 0, offset, this.adjustment, strip];
    if (this.bytes === 0) refuseWithVarint(options);
  }

  override head(length: number): number {
    if (this.whole) return 0;
    return this.bytes > 0 ? this.bytes : varintSize(length - this.adjustment);
  }

  override writeHead(out: Buffer, at: number, length: number): void {
    if (this.whole) return;
    const value = length - this.adjustment;
    if (this.bytes === 0) writeVarint(out, at, value);
    else if (this.bytes === 8) this.writeLong(out, at, value);
    else if (this.littleEndian) out.writeUIntLE(value, at, this.bytes);
    else out.writeUIntBE(value, at, this.bytes);
  }

  private writeLong(out: Buffer, at: number, value: number): void {
    if (this.littleEndian) out.writeBigUInt64LE(BigInt(value), at);
    else out.writeBigUInt64BE(BigInt(value), at);
  }

  override checkBody(body: Uint8Array | string): void {
    if (this.whole) return;
    if (this.unsendable) {
      throw invalidValue('framing', 'with this offset and strip is for receiving alone', this.name);
    }
    const value = Buffer.byteLength(body) - this.adjustment;
    const most = this.bytes === 0 || this.bytes === 8 ? Number.MAX_SAFE_INTEGER : 2 ** (8 * this.bytes) - 1;
    if (value < 0 || value > most) {
      throw invalidValue('body', `must have a length that fits into ${this.bytes} bytes`, body);
    }
  }
}

function refuseWithVarint({ littleEndian, includesHeader, offset, strip }: LengthPrefixOptions): void {
  if (littleEndian === true || includesHeader === true || (offset ?? 0) > 0 || strip !== undefined) {
    throw invalidValue('options.lengthBytes', 'takes only an adjustment beside it', 'varint');
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

function writeVarint(out: Buffer, at: number, value: number): void {
  let rest = value;
  let i = at;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) out[i++] = (rest & 0x7f) | 0x80;
  out[i] = rest;
}

/**
 * Frames that begin with their length, or have it at some offset (Netty's LengthFieldBasedFrameDecoder).
 *
 * With `strip: 0` bodies are whole frames, and what is sent goes out as it is. Otherwise only bodies that
 * follow a length at the frame's start can be sent.
 */
export function lengthPrefix(options: LengthPrefixOptions = {}): Framing {
  checkObject('options', options);
  return new LengthPrefix(options);
}
