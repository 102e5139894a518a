// A large file to everybody who connects.

import { cSendfile, nodeFilePipe, sending } from '../contenders.mjs';
import { goSend } from '../peers/built.mjs';
import { nginxFiles } from '../peers/nginx.mjs';
import { measureSender } from '../runner/measure.mjs';
import { atLeast } from '../runner/targets.mjs';
import { CPU_SECONDS_PER_GIB } from './units.mjs';

const MANY = '16 connections';
const bytes = 256 * 2 ** 20;

export const sendfile = {
  name: 'sendfile',
  title: 'Sending a file',
  about:
    'A file of 256 MiB, which the kernel has in memory, to each connection; a connection that has had all of it is ' +
    'followed by the next. nginx sends it over HTTP/1.0, whose head does not count.',
  ...CPU_SECONDS_PER_GIB,
  contenders: [cSendfile, nodeFilePipe, goSend, nginxFiles, sending],
  baselines: [cSendfile, nodeFilePipe],
  quick: [cSendfile, nodeFilePipe, sending],
  cells: [
    { name: '1 connection', load: { bytes, connections: 1 } },
    { name: MANY, load: { bytes, connections: 16 }, quick: true },
  ],
  trial: (contender, cell, time) => measureSender(contender, cell.load, time, CPU_SECONDS_PER_GIB.scale),
  targets: [atLeast(MANY, sending, 4, nodeFilePipe), atLeast(MANY, sending, 0.85, cSendfile)],
};
