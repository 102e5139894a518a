// The load generator: bench/native/load, which prints lines of JSON.

import { native } from '../contenders.mjs';
import { Program } from './program.mjs';

const LOAD_CORE = 1;

/** Runs `use(load)` with a fresh load generator, which is gone afterwards. */
export async function withLoad(mode, options, use) {
  const argv = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const program = new Program('load', LOAD_CORE, [native('load'), mode, ...argv]);
  try {
    return await use({
      next: async (limit) => JSON.parse(await program.line(limit)),
      tell: (line) => program.tell(line),
    });
  } finally {
    await program.stop();
  }
}
