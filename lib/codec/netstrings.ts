// netstrings(): Bernstein's.

import { NETSTRING } from '../binding';
import { Framing } from './framing';

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
