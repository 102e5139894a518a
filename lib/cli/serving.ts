// What every command that serves does: say where, and stop cleanly.

import type { Conn } from '../conn';
import { listen } from '../listen';
import { serve } from '../serve';
import type { TCPConn } from '../tcp-conn';
import type { UnixConn } from '../unix-conn';
import type { Endpoint } from './address';

// How long connections may take to end after the first signal.
const GRACE = 1000;

type Handler = (conn: TCPConn | UnixConn) => unknown;

/** Listens, prints `listening <network> <address>`, and serves until SIGINT or SIGTERM. */
export async function serveUntilSignal({ network, address }: Endpoint, handler: Handler): Promise<void> {
  const listener = await listen(network, address);
  const server = serve<Conn>(listener, handler as (conn: Conn) => unknown, {
    onError: (error) => console.error(error instanceof Error ? error.message : String(error)),
  });
  console.log(`listening ${network} ${listener.addr}`);
  await firstSignal(() => server.close());
  await server.shutdown({ timeout: GRACE });
}

/** Resolves at the first SIGINT or SIGTERM; `force` is called at the second. */
function firstSignal(force: () => void): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    const onSignal = () => (++signals === 1 ? resolve() : force());
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
