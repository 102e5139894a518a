// spliceway build: compiles the addon where no prebuilt binary fits.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

/** Runs node-gyp on the sources in the package; its exit code. */
export function build(): number {
  // An installed package has no binding.gyp at its root, where npm would take it for a reason to build.
  const folder = existsSync(join(root, 'binding.gyp')) ? root : join(root, 'native');
  const result = spawnSync('npx', ['--yes', 'node-gyp@12', 'rebuild', '--directory', folder], {
    env: { JOBS: 'max', ...process.env },
    stdio: 'inherit',
  });
  return result.status ?? 1;
}
