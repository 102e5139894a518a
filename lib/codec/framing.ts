// Where frames begin and end: descriptions for the native decoder, and the writing of the same.

import {
  DELIMITED,
  FIXED_SIZE,
  HEADER_BODY,
  LENGTH_PREFIX,
  LINES,
  type NativeDecoder,
  NETSTRING,
  native,
} from '../binding';
import { checkBoolean, checkBytes, checkInteger, checkObject } from '../check';
import { invalidType, invalidValue } from '../errors';
import { crc32 } from './crc32';

/** The largest body that may be allowed, in bytes: 1 GiB. */
export const LARGEST_BODY = 2 ** 30;

const NO_BYTES = Buffer.alloc(0);

/**
 * How frames are told apart in a stream: made by headerBody(), lengthPrefix(), delimiter(), lines(),
 * fixedSize() or netstrings().
 */
export abstract class Framing {
  /** What it is, such as `headerBody`. */
  abstract readonly name: string;
  /** @internal One of the kinds of native.makeDecoder. */
  protected abstract readonly kind: number;
  /** @internal Its numbers there. */
  protected readonly parameters: readonly number[] = [];
  /** @internal */
  protected readonly delimiter: Uint8Array = NO_BYTES;
  /** @internal Bytes behind a body. */
  readonly tail: number = 0;
  /** @internal Whether bad frames can be skipped. */
  readonly canResynchronise: boolean = false;

  /** @internal Commands from `control` on are told of by themselves; -1 for none. */
  makeDecoder(max: number, resynchronise: boolean, control: number): NativeDecoder {
    const parameters = Int32Array.from({ length: 5 }, (_, i) => this.parameters[i] ?? 0);
    return native.makeDecoder(this.kind, max, parameters, this.delimiter, resynchronise, control);
  }

  /** @internal Bytes in front of a body of that length. */
  head(_length: number): number {
    return 0;
  }
  /** @internal Writes them; they are complete once seal() was called. */
  writeHead(_out: Buffer, _at: number, _length: number, _command: number): void {}
  /** @internal Writes the bytes behind a body. */
  writeTail(_out: Buffer, _at: number): void {}
  /** @internal For whole frames that lie one after the other. */
  seal(_out: Buffer, _from: number, _to: number): void {}
  /** @internal For a head whose body lies elsewhere. */
  sealApart(_out: Buffer, _at: number, _body: Uint8Array): void {}
  /** @internal Throws where a body cannot be sent so. */
  checkBody(_body: Uint8Array | string): void {}
}

export interface HeaderBodyOptions {
  /** Bytes of a command, 1 or 2. The header has 11 more. Default 1. */
  commandBytes?: 1 | 2 | undefined;
  /** How many bytes of the header's start the CRC covers, besides the body: 8, or 9 with commands of 2 bytes. Default: all before the CRC. */
  crcOver?: 8 | 9 | undefined;
  /** The version that frames have to have, 0 to 255. Default 1. */
  version?: number | undefined;
}

const MAGIC = 0x424d;
const VERSION_AT = 2;
const COMMAND_AT = 3;
// The magic, the version, the length and the CRC.
const WITHOUT_COMMAND = 11;
const CRC = 4;

/** @internal */
export class HeaderBody extends Framing {
  readonly name = 'headerBody';
  protected readonly kind = HEADER_BODY;
  protected override readonly parameters: readonly number[];
  override readonly canResynchronise = true;
  /** @internal */
  readonly commandBytes: number;
  private readonly size: number;
  private readonly crcOver: number;
  private readonly version: number;

  constructor({ commandBytes = 1, crcOver, version = 1 }: HeaderBodyOptions) {
    super();
    checkInteger('options.commandBytes', commandBytes, 1, 2);
    if (crcOver !== undefined) checkInteger('options.crcOver', crcOver, 8, 7 + commandBytes);
    checkInteger('options.version', version, 0, 255);
    this.commandBytes = commandBytes;
    this.size = WITHOUT_COMMAND + commandBytes;
    this.crcOver = crcOver ?? this.size - CRC;
    this.version = version;
    this.parameters = [version, commandBytes, this.crcOver];
  }

  override head(): number {
    return this.size;
  }

  override writeHead(out: Buffer, at: number, length: number, command: number): void {
    out.writeUInt16BE(MAGIC, at);
    out[at + VERSION_AT] = this.version;
    if (this.commandBytes === 1) out[at + COMMAND_AT] = command;
    else out.writeUInt16BE(command, at + COMMAND_AT);
    out.writeUInt32BE(length, at + this.size - 2 * CRC);
  }

  override seal(out: Buffer, from: number, to: number): void {
    native.sealFrames(this.commandBytes, this.crcOver, out, from, to);
  }

  override sealApart(out: Buffer, at: number, body: Uint8Array): void {
    const crc = crc32(body, crc32(out.subarray(at, at + this.crcOver)));
    out.writeUInt32BE(crc, at + this.size - CRC);
  }
}

/**
 * Frames with a header: the magic number 0x424D, a version, a command, the body's length and a CRC-32 of
 * header and body. docs/wire-format.md has the bytes.
 */
export function headerBody(options: HeaderBodyOptions = {}): Framing {
  checkObject('options', options);
  return new HeaderBody(options);
}

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

class Delimited extends Framing {
  readonly name: string = 'delimiter';
  protected readonly kind: number = DELIMITED;
  protected override readonly delimiter: Uint8Array;
  override readonly tail: number;

  constructor(bytes: Uint8Array) {
    super();
    this.delimiter = bytes;
    this.tail = bytes.length;
  }

  override writeTail(out: Buffer, at: number): void {
    out.set(this.delimiter, at);
  }

  override checkBody(body: Uint8Array | string): void {
    if (bytesOf(body).includes(bytesOf(this.delimiter)))
      throw invalidValue('body', 'must not contain the delimiter', body);
  }
}

function bytesOf(body: Uint8Array | string): Buffer {
  return typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.length);
}

const CR = 0x0d;

class Lines extends Delimited {
  override readonly name = 'lines';
  protected override readonly kind = LINES;

  constructor() {
    super(Buffer.from('\n'));
  }

  override checkBody(body: Uint8Array | string): void {
    super.checkBody(body);
    if (bytesOf(body).at(-1) === CR) throw invalidValue('body', 'must not end with a carriage return', body);
  }
}

const LONGEST_DELIMITER = 256;

/** Frames that end with a certain sequence of bytes, 1 to 256 of them, which bodies must not contain. */
export function delimiter(sequence: Uint8Array | string): Framing {
  if (typeof sequence !== 'string') checkBytes('sequence', sequence);
  const bytes = Buffer.from(sequence);
  checkInteger('sequence.length', bytes.length, 1, LONGEST_DELIMITER);
  return new Delimited(bytes);
}

/**
 * Lines: they end with `\n` or `\r\n`, and are sent with `\n`. What the stream ends with is a line too,
 * unless it is empty.
 */
export function lines(): Framing {
  return new Lines();
}

class FixedSize extends Framing {
  readonly name = 'fixedSize';
  protected readonly kind = FIXED_SIZE;
  protected override readonly parameters: readonly number[];

  constructor(private readonly size: number) {
    super();
    this.parameters = [size];
  }

  override checkBody(body: Uint8Array | string): void {
    if (Buffer.byteLength(body) !== this.size) throw invalidValue('body', `must be of ${this.size} bytes`, body);
  }
}

/** Frames of one size, 1 byte to 1 GiB. */
export function fixedSize(size: number): Framing {
  checkInteger('size', size, 1, LARGEST_BODY);
  return new FixedSize(size);
}

const COLON = 0x3a;
const COMMA = 0x2c;

class Netstrings extends Framing {
  readonly name = 'netstrings';
  protected readonly kind = NETSTRING;
  override readonly tail: number = 1;

  override head(length: number): number {
    return String(length).length + 1;
  }

  override writeHead(out: Buffer, at: number, length: number): void {
    const digits = out.write(String(length), at, 'latin1');
    out[at + digits] = COLON;
  }

  override writeTail(out: Buffer, at: number): void {
    out[at] = COMMA;
  }
}

/** Bernstein's netstrings: `5:hello,` */
export function netstrings(): Framing {
  return new Netstrings();
}

/** @internal */
export function checkFraming(name: string, value: unknown): asserts value is Framing {
  if (!(value instanceof Framing)) throw invalidType(name, 'made by headerBody(), lengthPrefix() or the like', value);
}
