// The descriptors that this process has open (Linux).

import { readdirSync, readlinkSync } from 'node:fs';

function targets(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // the one that readdir itself had
    }
  });
}

/** How many sockets are open. */
export function openSockets(): number {
  return targets().filter((target) => target.startsWith('socket:')).length;
}

/** How many ends of pipes are open. */
export function openPipeEnds(): number {
  return targets().filter((target) => target.startsWith('pipe:')).length;
}

/** How many descriptors of a file are open. */
export function openFiles(path: string): number {
  return targets().filter((target) => target === path).length;
}
