// Files that a run needs for itself: gone when it ends.

import { randomFillSync } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BLOCK = 2 ** 20;

let folder;
const payloads = new Map();

/** A path in the run's own folder. */
export function scratchPath(name) {
  if (folder === undefined) {
    folder = mkdtempSync(join(tmpdir(), 'spliceway-bench-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  }
  return join(folder, name);
}

export function scratchFile(name, text) {
  const path = scratchPath(name);
  writeFileSync(path, text);
  return path;
}

/** A file of so many random bytes, which the kernel has in memory since they were just written. */
export function payloadFile(bytes) {
  if (!payloads.has(bytes)) payloads.set(bytes, writePayload(bytes));
  return payloads.get(bytes);
}

function writePayload(bytes) {
  const path = scratchPath(`${bytes}-bytes`);
  const file = openSync(path, 'wx');
  const block = Buffer.alloc(BLOCK);
  for (let left = bytes; left > 0; ) left -= writeSync(file, randomFillSync(block), 0, Math.min(left, BLOCK));
  closeSync(file);
  return path;
}
