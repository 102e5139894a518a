// Servers in Go and in Rust, which `npm run build:bench` builds where it finds their compilers.

import { fileURLToPath } from 'node:url';
import { isExecutable } from './installed.mjs';

function built(path, ...first) {
  const program = fileURLToPath(new URL(path, import.meta.url));
  const given = (rest) => rest.filter((argument) => argument !== undefined);
  return { command: (...rest) => [program, ...first, ...given(rest)], installed: () => isExecutable(program) };
}

const GO = '../go/build/go-peer';

export const goProxy = { name: 'go', label: 'Go io.Copy', short: 'Go', ...built(GO, 'proxy') };
export const goSend = { name: 'go', label: 'Go io.Copy', short: 'Go', ...built(GO, 'send') };
export const goLines = { name: 'go', label: 'Go bufio.Scanner', short: 'Go', ...built(GO, 'lines') };
export const goFrames = { name: 'go', label: 'Go bufio, hash/crc32', short: 'Go', ...built(GO, 'frames') };
export const goCrc32 = { name: 'go', label: 'Go hash/crc32', short: 'Go', ...built(GO, 'crc32') };
export const tokioProxy = {
  name: 'tokio',
  label: 'tokio copy_bidirectional',
  ...built('../rust/build/release/tokio-proxy'),
};
