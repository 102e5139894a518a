// toDuplex(): a stream.Duplex with the surface of net.Socket, over a Conn of whatever make.

import { checkBoolean, checkFunction, checkInteger, checkObject } from '../check';
import type { Conn } from '../conn';
import { ConnDuplex } from './conn-duplex';

export interface ToDuplexOptions {
  /** Whether writing goes on after the peer's end of the stream, until end() is called. Default false. */
  allowHalfOpen?: boolean | undefined;
  /** How many bytes the stream buffers each way before it holds back, 0 to 2^31 - 1. Default: that of streams. */
  highWaterMark?: number | undefined;
}

/**
 * A stream over a connection: a `stream.Duplex` with the properties, methods and events of net.Socket, for
 * code that takes one. The Conn stays beneath, as `stream.conn`: its deadlines hold, its info(), addresses
 * and options work, and whoever counts it goes on. Reading and writing are the stream's from now on, and
 * closing either closes the other.
 *
 * A deadline that passes destroys the stream with its OpError. The connection is read only while the stream
 * has room, and a write's callback is called once the kernel has taken all of it.
 * @param conn TCP, Unix, pipe(), or one of another make. One without closeWrite() cannot tell its peer of
 *   end() before both directions are over
 */
export function toDuplex<C extends Conn>(conn: C, options: ToDuplexOptions = {}): ConnDuplex<C> {
  checkObject('conn', conn);
  checkFunction('conn.read', (conn as Partial<Conn>).read);
  checkObject('options', options);
  const { allowHalfOpen, highWaterMark } = options;
  if (allowHalfOpen !== undefined) checkBoolean('options.allowHalfOpen', allowHalfOpen);
  if (highWaterMark !== undefined) checkInteger('options.highWaterMark', highWaterMark, 0, 2 ** 31 - 1);
  return new ConnDuplex(conn, { allowHalfOpen, highWaterMark });
}
