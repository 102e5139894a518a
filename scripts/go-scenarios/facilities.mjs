// What a scenario needs of the machine.

import { fillQueue } from './blackhole.mjs';
import { spliceway } from './library.mjs';
import { knowsSocketOptions } from './options.mjs';

async function canListen(network, address) {
  try {
    (await spliceway.listen(network, address)).close();
    return true;
  } catch {
    return false;
  }
}

async function canFillQueue() {
  const kept = [];
  try {
    return (await fillQueue({ keep: (thing) => kept.push(thing) }, 'tcp4', '127.0.0.1:0')).filled;
  } catch {
    return false;
  } finally {
    for (const thing of kept) thing.discard();
  }
}

const PROBES = {
  hosts: () => true,
  ipv6: () => canListen('tcp6', '[::1]:0'),
  loopback8: () => canListen('tcp4', '127.83.12.9:0'),
  blackhole: canFillQueue,
  sockopt: () => knowsSocketOptions,
};

const found = new Map();

function has(facility) {
  if (!found.has(facility)) found.set(facility, Object.hasOwn(PROBES, facility) ? PROBES[facility]() : false);
  return found.get(facility);
}

/** Why a scenario cannot run here: what it needs and this machine has not. */
export async function missingFor({ platform, needs = [] }) {
  const missing = platform !== undefined && platform !== process.platform ? [platform] : [];
  for (const facility of needs) {
    if (!(await has(facility))) missing.push(facility);
  }
  return missing;
}
