// Counts frames with the fastest decoder in JavaScript alone that we could write: over node:net with one buffer for
// all reads, bodies as places in it, CRCs looked up eight bytes at a time, by zlib where a call of it is cheaper.

import { Socket } from 'node:net';
import { addressesGiven } from './address.mjs';
import { FrameDecoder } from './frame-decoder.mjs';
import { serveHandles } from './handles.mjs';
import { Tally } from './tally.mjs';

const [address] = addressesGiven(1, 'node-frames.mjs host:port');

function count(handle) {
  const tally = new Tally((text) => socket.write(text));
  const decoder = new FrameDecoder((_command, _memory, _at, length) => tally.add(length));
  const onread = {
    buffer: Buffer.allocUnsafeSlow(64 * 1024),
    callback(n, buffer) {
      decoder.feed(buffer, n);
      return true;
    },
  };
  const socket = new Socket({ handle, onread, allowHalfOpen: true });
  socket.on('end', () => {
    tally.end();
    socket.end();
  });
  socket.on('error', () => socket.destroy());
}

serveHandles(address, count);
