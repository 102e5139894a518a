// Dials: a step's fields as options, and Go's error for a dial that its context ended.

import { isIP } from 'node:net';
import { resolveAddr } from './addresses.mjs';
import { Endpoint } from './endpoints.mjs';
import { Canceled } from './errors.mjs';
import { spliceway } from './library.mjs';

/** What a step dials: its network and its address. */
function targetOf(world, { to, network = '', address }) {
  if (!to) return { network, address: world.expand(address) };
  const addr = world.localAddr(to);
  return { network: network || addr.network, address: `${addr}` };
}

/**
 * Prepares a dial, as far as its local address.
 * @returns a function that dials, given further options, and answers with the endpoint
 */
export async function dialing(world, step) {
  const { network, address } = targetOf(world, step);
  const options = { ...timeOptions(step), ...lookupOption(world) };
  if (step.local) options.localAddr = await resolveAddr(step.localNetwork || network, world.expand(step.local));
  const context = step.ctx ? world.contexts.get(step.ctx) : null;
  if (context !== null) addContext(options, context);
  return async (more) => {
    try {
      return new Endpoint(await spliceway.dial(network, address, { ...options, ...more }), network);
    } catch (error) {
      if (context?.signal.aborted !== true || error !== context.signal.reason) throw error;
      throw await contextError(context.signal, network, address, options);
    }
  };
}

function timeOptions({ timeoutMs = 0, deadlineMs = 0, fallbackMs = 0 }) {
  const options = {};
  if (timeoutMs !== 0) options.timeout = timeoutMs;
  if (deadlineMs !== 0) options.deadline = Date.now() + deadlineMs;
  if (fallbackMs !== 0) options.fallbackDelay = fallbackMs;
  return options;
}

// A context of Go's carries its deadline, by which a dial shares out its time; a signal does not.
function addContext(options, { signal, deadline }) {
  options.signal = signal;
  if (deadline !== null) options.deadline = Math.min(deadline, options.deadline ?? deadline);
}

/** Names as the scenario has them, and no others. */
function lookupOption({ hosts }) {
  if (Object.keys(hosts).length === 0) return {};
  return {
    lookup: async (hostname, { family = 0 } = {}) => {
      const listed = hosts[hostname.toLowerCase().replace(/\.$/, '')] ?? [];
      const addresses = listed.filter((each) => family === 0 || isIP(each) === family);
      if (addresses.length > 0) return addresses.map((address) => ({ address, family: isIP(address) }));
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), {
        code: 'ENOTFOUND',
        syscall: 'getaddrinfo',
        hostname,
      });
    },
  };
}

/** What Go says when the context ends a dial. */
async function contextError({ reason }, network, address, options) {
  const { OpError, ErrDeadlineExceeded } = spliceway;
  const cause = (during) => (reason.name === 'TimeoutError' ? ErrDeadlineExceeded : new Canceled(during));
  const late = await tooLate(network, address, options);
  if (late.timeout !== true) return late; // Go looks at the addresses first
  const host = hostOf(network, address);
  if (isName(host)) return new OpError('dial', network, null, null, cause(`lookup ${host}: `));
  return new OpError('dial', network, late.source, late.addr, cause(''));
}

/** The error of a dial that has no time: it names the addresses and connects to none. */
async function tooLate(network, address, { localAddr, lookup }) {
  try {
    const conn = await spliceway.dial(network, address, { localAddr, lookup, timeout: -1 });
    conn.close();
    return new Error('a dial without time has connected');
  } catch (error) {
    return error;
  }
}

const hostOf = (network, address) => (network.startsWith('unix') ? '' : spliceway.splitHostPort(address).host);

const isName = (host) => host !== '' && isIP(host.replace(/%.*$/, '')) === 0;
