// A listening socket whose queue is full: further dials hang.

import { spliceway } from './library.mjs';

const CONNECTIONS = 16;
const PATIENCE = 120;

/**
 * @param keeper owns what has to stay open: keep(thing) has it discarded in the end
 * @returns its address, and whether a dial has hung
 */
export async function fillQueue(keeper, network, address) {
  // Nobody accepts from it, and this library takes no connection that nobody accepts.
  const listener = await spliceway.listen(network, address, { backlog: 1 });
  keep(keeper, listener);
  const { addr } = listener;
  for (let i = 0; i < CONNECTIONS; i++) {
    try {
      keep(keeper, await spliceway.dial(network, `${addr}`, { timeout: PATIENCE }));
    } catch {
      return { addr, filled: true };
    }
  }
  return { addr, filled: false };
}

const keep = (keeper, thing) => keeper.keep({ discard: () => thing.close() });
