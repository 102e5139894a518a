// Both formats in one process: every name is the same object, and the addon is there once.

import { strict as assert } from 'node:assert';
import { createRequire } from 'node:module';
import * as imported from 'spliceway';

const required = createRequire(import.meta.url)('spliceway');
assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
for (const [name, value] of Object.entries(imported)) assert.equal(value, required[name], name);

const addons = process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node'));
assert.equal(addons.length, 1, `loaded: ${addons.join(', ')}`);
console.log(addons[0]);
