// Addresses: their text, their parts, and what they resolve to.

import { spliceway } from './library.mjs';
import { addrForm } from './results.mjs';

/** An address of the kind that a network uses. */
export function resolveAddr(network, address) {
  if (network.startsWith('udp')) return spliceway.resolveUDPAddr(network, address);
  if (network.startsWith('unix')) return spliceway.resolveUnixAddr(network, address);
  return spliceway.resolveTCPAddr(network, address);
}

export const verbs = {
  async resolve(world, { network = '', address }) {
    return { ok: true, addr: addrForm(await resolveAddr(network, world.expand(address))) };
  },

  splitHostPort(_world, { address = '' }) {
    return { ok: true, ...spliceway.splitHostPort(address) };
  },

  joinHostPort(_world, { host = '', port = '' }) {
    return { ok: true, text: spliceway.joinHostPort(host, port) };
  },

  localAddr(world, { on }) {
    return { ok: true, addr: addrForm(world.localAddr(on)) };
  },

  remoteAddr(_world, _step, endpoint) {
    return { ok: true, addr: addrForm(endpoint.remoteAddr) };
  },
};
