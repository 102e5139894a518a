// Sockets that a server of node:net accepts take no `onread`: their handles are kept, for sockets that do.

import { createServer } from 'node:net';
import { listenAndAnnounce } from './address.mjs';

export function serveHandles(address, take) {
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (accepted) => {
    const handle = accepted._handle;
    accepted._handle = null;
    accepted.destroy();
    take(handle);
  });
  listenAndAnnounce(server, address);
}
