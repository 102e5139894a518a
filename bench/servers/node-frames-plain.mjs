// Counts frames with a decoder in JavaScript as they are mostly written: what is left of a chunk is put before the next
// one, a frame is an object with a view of its body, CRCs are zlib's.

import { createServer } from 'node:net';
import { crc32 } from 'node:zlib';
import { addressesGiven, listenAndAnnounce } from './address.mjs';
import { Tally } from './tally.mjs';

const [address] = addressesGiven(1, 'node-frames-plain.mjs host:port');
const HEAD = 12;
const COVERED = 8;
const MAGIC = 0x424d;
const MAX_FRAME = 2 ** 20;

function decoder(onFrame) {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let at = 0;
    while (data.length - at >= HEAD) {
      const length = data.readUInt32BE(at + 4);
      if (data.readUInt16BE(at) !== MAGIC || data[at + 2] !== 1 || length > MAX_FRAME) throw new Error('no frame');
      if (data.length - at < HEAD + length) break;
      const body = data.subarray(at + HEAD, at + HEAD + length);
      const crc = crc32(body, crc32(data.subarray(at, at + COVERED)));
      if (crc !== data.readUInt32BE(at + COVERED)) throw new Error('a wrong CRC');
      onFrame({ command: data[at + 3], body });
      at += HEAD + length;
    }
    rest = data.subarray(at);
  };
}

function count(socket) {
  const tally = new Tally((text) => socket.write(text));
  const decode = decoder(({ body }) => tally.add(body.length));
  socket.on('data', decode);
  socket.on('end', () => {
    tally.end();
    socket.end();
  });
  socket.on('error', () => socket.destroy());
}

listenAndAnnounce(createServer({ allowHalfOpen: true, noDelay: true }, count), address);
