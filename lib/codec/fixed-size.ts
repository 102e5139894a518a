// fixedSize(): frames of one size.

import { FIXED_SIZE } from '../binding';
import { checkInteger } from '../check';
import { invalidValue } from '../errors';
import { Framing, LARGEST_BODY } from './framing';

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
