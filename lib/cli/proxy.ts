// spliceway proxy: forwards streams in the kernel.

import type { Conn } from '../conn';
import { dial } from '../dial';
import { relay } from '../relay';
import type { Endpoint } from './address';

const CONNECT_TIMEOUT = 5000;

/** A handler that relays each connection to the next target, or to the one after it if that is down. */
export function proxyTo(targets: readonly Endpoint[]): (conn: Conn, gone: AbortSignal) => Promise<void> {
  let turn = 0;
  return async (conn, gone) => {
    const first = turn++;
    for (let i = 0; i < targets.length && conn.state !== 'closed'; i++) {
      const upstream = await connect(targets[(first + i) % targets.length] as Endpoint, gone);
      if (upstream !== null) return join(conn, upstream);
    }
    conn.close();
  };
}

async function join(conn: Conn, upstream: Conn): Promise<void> {
  // Closed when the proxy stops while it is connecting.
  if (conn.state === 'closed') upstream.close();
  else await relay(conn, upstream);
}

async function connect({ network, address }: Endpoint, signal: AbortSignal): Promise<Conn | null> {
  try {
    return await dial(network, address, { timeout: CONNECT_TIMEOUT, signal });
  } catch (error) {
    if (!signal.aborted) console.error((error as Error).message);
    return null;
  }
}
