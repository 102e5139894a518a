// Reads the header that a connection begins with, and not a byte more.

import { CHUNK } from '../binding';
import type { Conn } from '../conn';
import type { OpError } from '../errors';
import { SocketConn } from '../stream/socket-conn';
import { type ProxyHeader, ProxyHeaderError } from './header';
import { decodeHeader, type HeaderLimits, looksLikeHeader, measureHeader } from './parse';

/** The connection ended inside its header, or before it. */
export class HeaderEnded extends Error {}

/** What has been seen of a connection, from its first byte on. */
interface Beginning {
  readonly bytes: Buffer;
  /** Waits for more, and takes none that is not among the first `length`. False: there is no more. */
  more(length: number): Promise<boolean>;
  /** Leaves all but the first `length`, which have been seen, to whoever reads next. */
  take(length: number): Promise<void>;
}

// As much as the protocol's designers keep headers to, so that they come in one piece.
const USUAL = 536;
const NOTHING = Buffer.alloc(0);

/** Sockets: looked at in the kernel, and taken once it is known to be the header's. */
class SeenInKernel implements Beginning {
  bytes: Buffer = NOTHING;
  private taken = 0;

  constructor(private readonly conn: SocketConn) {}

  async more(length: number): Promise<boolean> {
    // A look waits for a first byte, and never for one more: what was seen must go.
    await this.take(this.bytes.length);
    const seen = await this.conn.peek(Math.min(Math.max(length - this.taken, USUAL), CHUNK));
    if (seen === null) return false;
    this.bytes = Buffer.concat([this.bytes, seen]);
    return true;
  }

  async take(length: number): Promise<void> {
    if (length < this.taken) this.conn.unread(this.bytes.subarray(length, this.taken));
    while (this.taken < length) this.taken += (await this.conn.read(Buffer.allocUnsafe(length - this.taken))) ?? length;
    this.taken = length;
  }
}

/** Connections of another make, which may show nothing: taken as far as it must be the header's. */
class TakenAtOnce implements Beginning {
  bytes: Buffer = NOTHING;

  constructor(private readonly conn: Conn & { unread?(bytes: Uint8Array): void }) {}

  async more(length: number): Promise<boolean> {
    const p = Buffer.alloc(length - this.bytes.length);
    const n = await this.conn.read(p);
    if (n === null) return false;
    this.bytes = Buffer.concat([this.bytes, p.subarray(0, n)]);
    return true;
  }

  async take(length: number): Promise<void> {
    if (length === this.bytes.length) return;
    if (this.conn.unread === undefined) throw new ProxyHeaderError('missing', 'there is none, and no way back');
    this.conn.unread(this.bytes.subarray(length));
  }
}

/**
 * The header; null for a connection that begins otherwise, or with nothing, where that is allowed: it
 * still has all of its bytes then.
 * @throws ProxyHeaderError, HeaderEnded, or what reading fails with (as a rejection)
 */
export async function readHeader(conn: Conn, limits: HeaderLimits, required: boolean): Promise<ProxyHeader | null> {
  const beginning = conn instanceof SocketConn ? new SeenInKernel(conn) : new TakenAtOnce(conn);
  try {
    for (;;) {
      const length = measureHeader(beginning.bytes, limits);
      if (length <= beginning.bytes.length) {
        await beginning.take(length);
        return decodeHeader(beginning.bytes.subarray(0, length));
      }
      if (!(await beginning.more(length))) throw new HeaderEnded();
    }
  } catch (error) {
    if (required || !hasNone(beginning.bytes, error)) throw error;
    await beginning.take(0);
    return null;
  }
}

/** Whether a connection that came to that is one without a header, rather than with a bad one. */
function hasNone(bytes: Buffer, error: unknown): boolean {
  if (error instanceof ProxyHeaderError) return error.problem === 'missing';
  if (error instanceof HeaderEnded) return looksLikeHeader(bytes) !== true;
  return bytes.length === 0 && (error as OpError).timeout === true;
}
