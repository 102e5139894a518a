// Echo with node:net's `onread`: one buffer for the life of each connection instead of a new one for
// each chunk.

import { Socket } from 'node:net';
import { addressesGiven } from './address.mjs';
import { serveHandles } from './handles.mjs';

const [address] = addressesGiven(1, 'node-net-onread.mjs host:port');

// The buffer cannot be shared by all connections: a write that finds no room keeps its part of it,
// and reading must wait until that is gone.
function echo(handle) {
  const onread = {
    buffer: Buffer.allocUnsafeSlow(64 * 1024),
    callback(n, buffer) {
      socket.write(buffer.subarray(0, n));
      if (socket.writableLength === 0) return true;
      // 'drain' comes only for more than the high-water mark; this is called behind any write.
      socket.write('', () => socket.resume());
      return false;
    },
  };
  const socket = new Socket({ handle, onread });
  socket.on('error', () => socket.destroy());
}

serveHandles(address, echo);
