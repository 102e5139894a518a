// Both formats in one process: every name is the same object, and the addon is there once.

import { strict as assert } from 'node:assert';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { exports: subpaths } = require('spliceway/package.json');
// What has one file for both formats is the same anyway.
for (const subpath of Object.keys(subpaths).filter((name) => typeof subpaths[name] === 'object')) {
  const specifier = `spliceway${subpath.slice(1)}`;
  // A default export is a module format's own way to say "all of it".
  const { default: _all, 'module.exports': _same, ...imported } = await import(specifier);
  const required = require(specifier);
  assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
  for (const [name, value] of Object.entries(imported)) assert.equal(value, required[name], `${specifier}: ${name}`);
}

const addons = process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node'));
assert.equal(addons.length, 1, `loaded: ${addons.join(', ')}`);
console.log(addons[0]);
