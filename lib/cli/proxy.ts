// spliceway proxy: forwards streams in the kernel.

import type { Conn } from '../conn';
import { dial } from '../dial';
import type { OpError } from '../errors';
import { relay } from '../relay';
import type { Endpoint } from './address';

const CONNECT_TIMEOUT = 5000;

/** A handler that relays each connection to the next target, or to the one after it if that is down. */
export function proxyTo(targets: readonly Endpoint[]): (conn: Conn) => Promise<void> {
  let turn = 0;
  return async (conn) => {
    const first = turn++;
    for (let i = 0; i < targets.length; i++) {
      const target = targets[(first + i) % targets.length] as Endpoint;
      const upstream = await connect(target);
      if (upstream === null) continue;
      await relay(conn, upstream);
      return;
    }
    conn.close();
  };
}

async function connect({ network, address }: Endpoint): Promise<Conn | null> {
  try {
    return await dial(network, address, { timeout: CONNECT_TIMEOUT });
  } catch (error) {
    console.error((error as OpError).message);
    return null;
  }
}
