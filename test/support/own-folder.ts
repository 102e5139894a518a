// Sockets and files of a test run go to a folder of its own, which is removed with whatever is left in it.

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'spliceway-'));
  chmodSync(folder, 0o1777); // programs that tests start as somebody else find their way in it
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
