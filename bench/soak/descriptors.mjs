// How many descriptors of each kind this process has: sockets, pipes, and what else.

import { readdirSync, readlinkSync } from 'node:fs';

export function countDescriptors() {
  const counts = {};
  for (const fd of readdirSync('/proc/self/fd')) {
    const kind = kindOf(fd);
    if (kind !== null) counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

// Null for the one that read the folder, and is closed again.
function kindOf(fd) {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).replace(/:\[\d+\]$/, '');
  } catch {
    return null;
  }
}

/**
 * What is not as it was: `socket: 12 before, 14 after`. Of pipes there may be fewer: one that still holds bytes
 * when its relay is cut is closed instead of kept for the next.
 */
export function differences(before, after) {
  const kinds = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...kinds]
    .map((kind) => ({ kind, was: before[kind] ?? 0, is: after[kind] ?? 0 }))
    .filter(({ kind, was, is }) => (kind === 'pipe' ? is > was : is !== was))
    .map(({ kind, was, is }) => `${kind}: ${was} before, ${is} after`);
}
