// What it costs to make bytes of a structure, and to read it from them.

import { asFlatBuffers, asJson, asMsgpackr, asProtobufjs } from '../contenders.mjs';
import { measureProgram } from '../runner/measure.mjs';

const ALONE = 'alone';
const SOCKET = 'over a socket';

export const serialise = {
  name: 'serialise',
  title: 'Serialisers',
  about:
    'A structure of about 1 KiB, with twelve items in a list, is made into bytes, and each of its fields is read from ' +
    'them: within one function, or sent in a frame (FramedConn) over TCP to the other end, which is in the same ' +
    'process. One message at a time. _heap bytes_ and _bytes outside_ (ArrayBuffers) are what a round takes of memory.',
  unit: 'ns of CPU per round',
  inverse: 'rounds per CPU second',
  things: 'rounds',
  contenders: [asProtobufjs, asFlatBuffers, asJson, asMsgpackr],
  baselines: [asProtobufjs],
  cells: [
    { name: ALONE, load: { mode: 'alone' }, quick: true },
    { name: SOCKET, load: { mode: 'socket' } },
  ],
  trial: (contender, cell, time) => measureProgram(contender, cell.load, time),
  targets: [],
};
