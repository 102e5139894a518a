// delimiter() and lines(): frames that end with a certain sequence of bytes.

import { DELIMITED, LINES } from '../binding';
import { checkBytes, checkInteger } from '../check';
import { invalidValue } from '../errors';
import { Framing } from './framing';

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

/** What is to end something, as bytes of its own: 1 to 256. */
export function delimitingBytes(name: string, sequence: Uint8Array | string): Buffer {
  if (typeof sequence !== 'string') checkBytes(name, sequence);
  const bytes = Buffer.from(sequence);
  checkInteger(`${name}.length`, bytes.length, 1, LONGEST_DELIMITER);
  return bytes;
}

/** Frames that end with a certain sequence of bytes, 1 to 256 of them, which bodies must not contain. */
export function delimiter(sequence: Uint8Array | string): Framing {
  return new Delimited(delimitingBytes('sequence', sequence));
}

/**
 * Lines: they end with `\n` or `\r\n`, and are sent with `\n`. What the stream ends with is a line too,
 * unless it is empty.
 */
export function lines(): Framing {
  return new Lines();
}
