// Frames made by hand.

import { crc32 } from 'spliceway/codec';

export interface FrameLayout {
  commandBytes?: number;
  crcOver?: number;
  version?: number;
}

export function frameOf(command: number, body: Uint8Array | string, layout: FrameLayout = {}): Buffer {
  const { commandBytes = 1, version = 1 } = layout;
  const { crcOver = 7 + commandBytes } = layout;
  const bytes = Buffer.from(body as string);
  const head = Buffer.alloc(11 + commandBytes);
  head.write('BM');
  head[2] = version;
  head.writeUIntBE(command, 3, commandBytes);
  head.writeUInt32BE(bytes.length, 3 + commandBytes);
  head.writeUInt32BE(crc32(bytes, crc32(head.subarray(0, crcOver))), 7 + commandBytes);
  return Buffer.concat([head, bytes]);
}

export function streamOf(frames: readonly { command: number; body: Uint8Array | string }[]): Buffer {
  return Buffer.concat(frames.map(({ command, body }) => frameOf(command, body)));
}
