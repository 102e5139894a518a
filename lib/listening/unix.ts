// Unix listeners, and the files that they stand for.

import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { toNative, type UnixAddr } from '../addr';
import { dial } from '../dial';
import type { OpError } from '../errors';
import type { ListenOptions } from '../listen';
import { SocketListener } from '../listener';
import { addressOf, bindAndListen } from './bind';

export async function listenUnix(
  network: UnixAddr['network'],
  addr: UnixAddr,
  options: ListenOptions,
): Promise<SocketListener> {
  try {
    return bindUnix(network, addr, options);
  } catch (error) {
    if (options.removeStale !== true || (error as OpError).code !== 'EADDRINUSE' || !isFile(addr)) throw error;
    if (!(await removeStale(network as 'unix' | 'unixpacket', addr.path))) throw error;
    return bindUnix(network, addr, options);
  }
}

function bindUnix(network: string, addr: UnixAddr, options: ListenOptions): SocketListener {
  const { mode } = options;
  // Nobody can connect before listen(2), so nobody gets by the mode.
  const bound = () => {
    if (mode !== undefined && isFile(addr)) chmodSync(addr.path, mode);
  };
  const id = bindAndListen({ network, addr, to: toNative(addr), bound }, options);
  const listener = new SocketListener(id, network, addressOf(id, network));
  if (isFile(addr)) listener.unlinkOnClose(resolvePath(addr.path));
  return listener;
}

function isFile({ path }: UnixAddr): boolean {
  return path !== '' && !path.startsWith('@');
}

/** Removes the file of a socket that refuses connections; false if it is no such file. */
async function removeStale(network: 'unix' | 'unixpacket', path: string): Promise<boolean> {
  const before = socketFile(path);
  if (before === null || !(await isRefused(network, path))) return false;
  // Another process may have done the same meanwhile, and listen there by now.
  if (socketFile(path) !== before) return false;
  unlinkSync(path);
  return true;
}

function socketFile(path: string): string | null {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat?.isSocket() === true ? `${stat.dev}:${stat.ino}:${stat.ctimeNs}` : null;
}

async function isRefused(network: 'unix' | 'unixpacket', path: string): Promise<boolean> {
  try {
    (await dial(network, path)).close();
    return false;
  } catch (error) {
    return (error as OpError).code === 'ECONNREFUSED';
  }
}
