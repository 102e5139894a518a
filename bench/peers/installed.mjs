// Where the programs of others are.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

// Servers are often where only an administrator's PATH leads.
const FOLDERS = [...process.env.PATH.split(delimiter), '/usr/local/sbin', '/usr/sbin'];

/** The program's path; undefined where it is not installed. */
export function programNamed(name) {
  return FOLDERS.map((folder) => join(folder, name)).find(isExecutable);
}

export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
