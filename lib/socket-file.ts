// The file that stands for a Unix listener.

import { lstatSync, unlinkSync } from 'node:fs';

/** A socket's file as it is now: another that takes its place later is not ours. */
export class SocketFile {
  private readonly made: string | null;

  constructor(private readonly path: string) {
    this.made = identity(path);
  }

  /** Removes the file, if it is still the same. */
  remove(): void {
    try {
      if (this.made !== null && identity(this.path) === this.made) unlinkSync(this.path);
    } catch {
      // The folder is no longer ours to change: the file stays, as it does after a crash.
    }
  }
}

/** Which file a path names now; null for none. */
function identity(path: string): string | null {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.dev}:${stat.ino}`;
}
