// npm run build:prebuilds: the addon for this machine, as prebuilds/<platform>-<arch>/spliceway.node, where
// lib/load.ts looks for it; on Linux the name tells the libc too. (npm would run a script called `prebuild`
// before each `build`.)

import { cpSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import prebuildify from 'prebuildify';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// Inside the checkout, so that node-addon-api is found from there.
const workshop = join(root, 'build', 'prebuild');

// prebuildify asks whether this is Alpine, but there are other systems with musl.
function libc() {
  return process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

/** A copy of the sources: prebuildify empties the build folder that it uses, and takes the binary away. */
function copySources() {
  const native = join(root, 'native');
  rmSync(workshop, { recursive: true, force: true });
  cpSync(native, workshop, { recursive: true, filter: (path) => path !== join(native, 'build') });
}

async function prebuild() {
  process.env.JOBS ??= 'max';
  copySources();
  await promisify(prebuildify)({
    name: 'spliceway',
    cwd: workshop,
    out: root,
    targets: [process.version], // any would do: Node-API is the same in all of them
    napi: true,
    strip: true,
    ...(process.platform === 'linux' ? { libc: libc(), tagLibc: true } : {}),
    nodeGyp: join(root, 'node_modules', '.bin', 'node-gyp'),
  });
  rmSync(workshop, { recursive: true });
}

prebuild().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
