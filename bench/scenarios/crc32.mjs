// CRC-32 of memory of many sizes.

import { crc32Spliceway, crc32Zlib } from '../contenders.mjs';
import { goCrc32 } from '../peers/built.mjs';
import { measureProgram } from '../runner/measure.mjs';
import { atLeast } from '../runner/targets.mjs';

const SIZES = {
  '16 B': 16,
  '64 B': 64,
  '256 B': 256,
  '1 KiB': 2 ** 10,
  '4 KiB': 2 ** 12,
  '64 KiB': 2 ** 16,
  '1 MiB': 2 ** 20,
};
const LARGE = '64 KiB';

export const crc32 = {
  name: 'crc32',
  title: 'CRC-32',
  about: "One call after the other with so many bytes of a Buffer, which stay in the processor's caches.",
  unit: 'ns of CPU per call',
  inverse: 'calls per CPU second',
  things: 'calls',
  contenders: [crc32Zlib, crc32Spliceway, goCrc32],
  baselines: [crc32Zlib, goCrc32],
  quick: [crc32Zlib, crc32Spliceway],
  cells: Object.entries(SIZES).map(([name, size]) => ({
    name,
    load: { mode: String(size) },
    bytes: size,
    quick: name === '16 B' || name === LARGE,
  })),
  trial: (contender, cell, time) => measureProgram(contender, cell.load, time),
  targets: Object.keys(SIZES).map((name) => atLeast(name, crc32Spliceway, name === LARGE ? 5 : 1, crc32Zlib)),
};
