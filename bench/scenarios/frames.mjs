// Frames to a server that decodes and counts them, as many as it can take.

import {
  nodeFrames,
  nodeFramesAwaiting,
  nodeFramesPlain,
  splicewayFrames,
  splicewayFramesAwaiting,
} from '../contenders.mjs';
import { goFrames } from '../peers/built.mjs';
import { measureServer } from '../runner/measure.mjs';
import { atLeast } from '../runner/targets.mjs';

const SIZES = { '16 B': 16, '256 B': 256, '4 KiB': 2 ** 12, '64 KiB': 2 ** 16 };

export const frames = {
  name: 'frames',
  title: 'Frames',
  about:
    'Frames with a header, a CRC-32 and bodies of so many bytes on one connection, from a client that never pauses. ' +
    'Batches are places in lent memory, on both sides; in `for await` bodies may be kept.',
  unit: 'ns of server CPU per frame',
  inverse: 'frames per CPU second',
  things: 'frames',
  contenders: [nodeFramesPlain, nodeFrames, nodeFramesAwaiting, splicewayFrames, splicewayFramesAwaiting, goFrames],
  baselines: [nodeFramesPlain, nodeFrames, nodeFramesAwaiting, goFrames],
  quick: [nodeFrames, splicewayFrames],
  cells: Object.entries(SIZES).map(([name, size]) => ({
    name,
    load: { connections: 1, size },
    bytes: size,
    quick: size <= 256,
  })),
  trial: (contender, cell, time) => measureServer('frames', contender, cell.load, time, 1),
  targets: [
    atLeast('16 B', splicewayFrames, 4, nodeFramesPlain),
    atLeast('16 B', splicewayFrames, 4, nodeFrames),
    atLeast('256 B', splicewayFrames, 3, nodeFramesPlain),
    atLeast('256 B', splicewayFrames, 3, nodeFrames),
    atLeast('256 B', splicewayFramesAwaiting, 1, nodeFramesAwaiting),
  ],
};
