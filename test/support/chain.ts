// Two connections end to end, for what passes bytes from one to the other.

import type { Conn, TCPConn, UnixConn } from 'spliceway';
import { type Pair, tcpPair, unixPair } from './pair.ts';

export type Socket = TCPConn | UnixConn;

/** left ⇄ a, to be joined to b ⇄ right. */
export interface Chain extends Disposable {
  left: Socket;
  a: Socket;
  b: Socket;
  right: Socket;
}

const makers: Record<'tcp' | 'unix', () => Promise<Pair<Socket>>> = { tcp: tcpPair, unix: () => unixPair() };

/** The networks of the two connections, each with each. */
export const MIXES = [
  ['tcp', 'tcp'],
  ['tcp', 'unix'],
  ['unix', 'tcp'],
  ['unix', 'unix'],
] as const;

export async function chain(first: 'tcp' | 'unix' = 'tcp', second: 'tcp' | 'unix' = 'tcp'): Promise<Chain> {
  const one = await makers[first]();
  const two = await makers[second]();
  return {
    left: one.client,
    a: one.server,
    b: two.client,
    right: two.server,
    [Symbol.dispose]() {
      one[Symbol.dispose]();
      two[Symbol.dispose]();
    },
  };
}

/** Small buffers, so that little is enough to fill them. */
export function shrinkBuffers({ left, a, b, right }: Chain): void {
  for (const conn of [left, a, b, right]) {
    conn.setReadBuffer(64 * 1024);
    conn.setWriteBuffer(64 * 1024);
  }
}

/** All of p, and FIN. */
export async function send(conn: Conn & { closeWrite(): void }, p: Uint8Array | string): Promise<void> {
  await conn.write(p);
  conn.closeWrite();
}

/** The other side sees a reset; on a Unix socket, where there is none, an end. */
export function reset(conn: Socket): void {
  if ('setLinger' in conn) conn.setLinger(0);
  conn.close();
}
