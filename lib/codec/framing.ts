// Where frames begin and end: what the native decoder is told of it, and how the same is written.

import { type NativeDecoder, native } from '../binding';
import { invalidType } from '../errors';

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

/** @internal */
export function checkFraming(name: string, value: unknown): asserts value is Framing {
  if (!(value instanceof Framing)) throw invalidType(name, 'made by headerBody(), lengthPrefix() or the like', value);
}
