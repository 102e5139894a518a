// npm run pack: spliceway-<version>.tgz at the root, to be installed, or published as `npm publish <file>`.
//
// It is packed in a folder of its own rather than here, for what npm reads beside the list of files: in a
// folder with a binding.gyp `npm publish` registers an install script for everyone; and `prepare` and the
// devDependencies are the checkout's, of no use where scripts/ is not.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function readManifest() {
  const { scripts, devDependencies, ...manifest } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return manifest;
}

/** Copies what `files` lists, without what it excludes. A missing one throws. */
function stage(manifest, folder) {
  const excluded = new Set(
    manifest.files.filter((name) => name.startsWith('!')).map((name) => join(root, name.slice(1))),
  );
  for (const name of manifest.files.filter((name) => !name.startsWith('!'))) {
    const filter = (path) => !excluded.has(path);
    cpSync(join(root, name), join(folder, name), { recursive: true, filter });
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

function pack() {
  const folder = mkdtempSync(join(tmpdir(), 'spliceway-pack-'));
  try {
    stage(readManifest(), folder);
    return (
      spawnSync('npm', ['pack', '--loglevel=warn', '--pack-destination', root], { cwd: folder, stdio: 'inherit' })
        .status ?? 1
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

try {
  process.exitCode = pack();
} catch (error) {
  console.error(`pack: ${error.message}`);
  process.exitCode = 1;
}
