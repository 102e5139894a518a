// What every command that serves does: say where, and stop cleanly.

import { listen } from '../listen';
import type { Listener } from '../listener';
import { serve } from '../serve';
import type { TCPConn } from '../tcp-conn';
import type { UnixConn } from '../unix-conn';
import type { Endpoint } from './address';

// How long connections may take to end after the first signal.
const GRACE = 1000;

/** `gone` is aborted once every connection is closed: for what a handler has under way besides its own. */
type Handler = (conn: TCPConn | UnixConn, gone: AbortSignal) => unknown;

/** Listens, prints `listening <network> <address>`, and serves until SIGINT or SIGTERM. */
export async function serveUntilSignal({ network, address }: Endpoint, handler: Handler): Promise<void> {
  const listener = await listen(network, address);
  const gone = new AbortController();
  const server = serve(listener as Listener<TCPConn | UnixConn>, (conn) => handler(conn, gone.signal), {
    onError: (error) => console.error(error instanceof Error ? error.message : String(error)),
  });
  const signalled = firstSignal(() => server.close());
  console.log(`listening ${network} ${listener.addr}`);
  await signalled;
  await server.shutdown({ timeout: GRACE });
  gone.abort();
}

/** Resolves at the first SIGINT or SIGTERM; `force` is called at the second. */
export function firstSignal(force: () => void): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    const onSignal = () => (++signals === 1 ? resolve() : force());
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
