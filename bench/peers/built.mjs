// Servers in Go and in Rust, which `npm run build:bench` builds where it finds their compilers.

import { fileURLToPath } from 'node:url';
import { isExecutable } from './installed.mjs';

function built(path, ...first) {
  const program = fileURLToPath(new URL(path, import.meta.url));
  return { command: (...rest) => [program, ...first, ...rest], installed: () => isExecutable(program) };
}

const GO = '../go/build/go-peer';

export const goProxy = { name: 'go', label: 'Go io.Copy', short: 'Go', ...built(GO, 'proxy') };
export const goSend = { name: 'go', label: 'Go io.Copy', short: 'Go', ...built(GO, 'send') };
export const tokioProxy = {
  name: 'tokio',
  label: 'tokio copy_bidirectional',
  ...built('../rust/build/release/tokio-proxy'),
};
