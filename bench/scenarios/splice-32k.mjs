// What the size of a piece does to zero-copy: a small file, 32 KiB at a time.

import { copyingPieces, copyingWhole, cReadWrite, cSendfilePieces, cSplicePieces } from '../contenders.mjs';
import { measureSender } from '../runner/measure.mjs';
import { CPU_SECONDS_PER_GIB } from './units.mjs';

const CELL = '1 MiB over and over';

export const splice32k = {
  name: 'splice-32k',
  title: 'Pieces of 32 KiB',
  about:
    'A file of 1 MiB over and over to one connection, in pieces of 32 KiB: through a buffer, through a pipe, with ' +
    'sendfile, and with a call of copy() for each piece or for the whole file.',
  ...CPU_SECONDS_PER_GIB,
  things: 'GB',
  perThing: 1e-9,
  contenders: [cReadWrite, cSplicePieces, cSendfilePieces, copyingPieces, copyingWhole],
  baselines: [cReadWrite, cSplicePieces],
  quick: [cSplicePieces, copyingPieces],
  cells: [{ name: CELL, load: { bytes: 2 ** 20, connections: 1, endless: 1 }, quick: true }],
  trial: (contender, cell, time) => measureSender(contender, cell.load, time, CPU_SECONDS_PER_GIB.scale),
  targets: [],
};
