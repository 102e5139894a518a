// headerBody(): frames with a header of magic number, version, command, length and CRC.

import { HEADER_BODY, native } from '../binding';
import { checkInteger, checkObject } from '../check';
import { crc32 } from './crc32';
import { Framing } from './framing';

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

  /** @internal What a session is told of it: version, bytes of a command, bytes under the CRC. */
  get layout(): readonly number[] {
    return this.parameters;
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
