// spliceway build: compiles the addon where no prebuilt binary fits.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

/** Runs node-gyp on the sources in the package; its exit code. */
export function build(): number {
  // The published package keeps its binding.gyp beside the sources (see scripts/pack.mjs).
  const folder = existsSync(join(root, 'binding.gyp')) ? root : join(root, 'native');
  const result = spawnSync('npx', ['--yes', 'node-gyp@12', 'rebuild', '--directory', folder], { stdio: 'inherit' });
  return result.status ?? 1;
}
