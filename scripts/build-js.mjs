// Compiles lib/ to dist/ (CommonJS) and gives each entry point an ESM face: a module that re-exports
// the same objects, so that both kinds of importer share one copy of everything.

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

/** The names that a compiled module exports: what TypeScript wrote, without running it. */
function exportedNames(file) {
  const text = readFileSync(file, 'utf8');
  const names = new Set();
  for (const [, name] of text.matchAll(/^Object\.defineProperty\(exports, "(\w+)"/gm)) names.add(name);
  for (const [, name] of text.matchAll(/^exports\.(\w+) = /gm)) names.add(name);
  names.delete('__esModule');
  return [...names].sort();
}

// Those that stand for a module of Node's, which has a default export besides: all of it.
const WITH_DEFAULT = new Set(['./net']);
const DEFAULT_TYPES = (from) => `import * as all from '${from}';\nexport default all;\n`;

function writeFace(name, entry) {
  const file = resolve(root, entry.default);
  const from = `./${file.split('/').pop()}`;
  const face = file.replace(/\.js$/, '.mjs');
  const hasDefault = WITH_DEFAULT.has(name);
  const names = [...exportedNames(file), ...(hasDefault ? ['default'] : [])];
  writeFileSync(face, `export { ${names.join(', ')} } from '${from}';\n`);
  if (existsSync(file.replace(/\.js$/, '.d.ts'))) {
    writeFileSync(
      file.replace(/\.js$/, '.d.mts'),
      `export * from '${from}';\n${hasDefault ? DEFAULT_TYPES(from) : ''}`,
    );
  }
}

rmSync(join(root, 'dist'), { recursive: true, force: true });
const tsc = require.resolve('typescript/bin/tsc');
const compiled = spawnSync(process.execPath, [tsc, '--project', root], { stdio: 'inherit' });
if (compiled.status !== 0) process.exit(1);
const { exports: entries, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
for (const [name, entry] of Object.entries(entries)) {
  if (typeof entry === 'object' && entry.require?.default?.endsWith('.js')) writeFace(name, entry.require);
}
for (const file of Object.values(bin)) {
  if (existsSync(join(root, file))) chmodSync(join(root, file), 0o755);
}
