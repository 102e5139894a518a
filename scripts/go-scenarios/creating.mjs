// Verbs that create endpoints, and the contexts that dials can be given.

import { join } from 'node:path';
import { fillQueue } from './blackhole.mjs';
import { dialing } from './dialing.mjs';
import { Endpoint } from './endpoints.mjs';
import { ControlRefused } from './errors.mjs';
import { limits, spliceway } from './library.mjs';
import { addrForm, bad, connForm, fail } from './results.mjs';

/** A hook that notes its calls, and refuses when it is to fail. */
function controlHook(mode) {
  if (!mode) return { options: {}, form: {} };
  const calls = [];
  const control = (network, address) => {
    calls.push([network, address]);
    if (mode === 'fail') throw new ControlRefused();
  };
  return { options: { control }, form: { control: calls } };
}

// Go takes no notice of a KeepAliveConfig that does not enable.
function keepAliveOptions({ keepAliveMs, keepAlive }) {
  const options = {};
  if (typeof keepAliveMs === 'number') options.keepAlive = keepAliveMs;
  if (keepAlive?.enable) options.keepAliveConfig = keepAliveConfig(keepAlive);
  return options;
}

export function keepAliveConfig({ enable = false, idleMs = 0, intervalMs = 0, count = 0 }) {
  return { enable, idle: idleMs, interval: intervalMs, count };
}

/** Runs what creates an endpoint under a hook; the result tells the hook's calls either way. */
async function hooked(step, create) {
  const hook = controlHook(step.control);
  try {
    return { ...(await create(hook.options)), ...hook.form };
  } catch (error) {
    return { ...fail(error), ...hook.form };
  }
}

async function pair(world, { network = 'tcp', as = 'L', a, b }) {
  const listener = await spliceway.listen(network, pairAddress(world, network));
  world.put(as, new Endpoint(listener, network));
  const client = await spliceway.dial(listener.addr.network, `${listener.addr}`);
  world.put(a, new Endpoint(client, listener.addr.network));
  world.put(b, new Endpoint(await listener.accept(), network));
  return { ok: true };
}

function pairAddress(world, network) {
  if (network === 'tcp6') return '[::1]:0';
  return network.startsWith('unix') ? join(world.folder, 'pair.sock') : '127.0.0.1:0';
}

/** Go's context: what cancels it, and when it expires by itself. */
class Context {
  #controller = new AbortController();
  #timer = null;
  /** Milliseconds since the epoch. */
  deadline = null;

  constructor(ms = 0) {
    if (ms <= 0) return;
    this.deadline = Date.now() + ms;
    const expired = new DOMException('The context has expired', 'TimeoutError');
    this.#timer = setTimeout(() => this.#controller.abort(expired), ms);
  }

  get signal() {
    return this.#controller.signal;
  }

  cancel = () => {
    clearTimeout(this.#timer);
    this.#controller.abort();
  };
}

export const verbs = {
  listen(world, step) {
    return hooked(step, async (options) => {
      const { network = '', address } = step;
      const all = { ...keepAliveOptions(step), ...options };
      const listener = await spliceway.listen(network, world.expand(address), all);
      world.put(step.as, new Endpoint(listener, network));
      return { ok: true, addr: addrForm(listener.addr) };
    });
  },

  listenPacket(world, step) {
    return hooked(step, async (options) => {
      const { network = '', address } = step;
      const conn = await spliceway.listenPacket(network, world.expand(address), options);
      world.put(step.as, new Endpoint(conn, network));
      return { ok: true, addr: addrForm(conn.localAddr) };
    });
  },

  limit(world, { as, n = 0 }, { object, inner, net }) {
    world.put(as, new Endpoint(limits.limitListener(object, n), net, { inner, limited: true }));
    return { ok: true };
  },

  async dial(world, step) {
    let plan;
    try {
      plan = await dialing(world, step);
    } catch (error) {
      return fail(error); // its local address: no hook has been set up yet
    }
    return hooked(step, async (options) => {
      const conn = await plan({ ...keepAliveOptions(step), ...options });
      return connForm(world.put(step.as, conn));
    });
  },

  async accept(world, step, endpoint) {
    if (!endpoint?.isListener) return bad(step);
    const conn = await endpoint.object.accept();
    return connForm(world.put(step.as, new Endpoint(conn, endpoint.net, { limited: endpoint.limited })));
  },

  pair,

  pipe(world, { a, b }) {
    const [left, right] = spliceway.pipe();
    world.put(a, new Endpoint(left, 'pipe'));
    world.put(b, new Endpoint(right, 'pipe'));
    return { ok: true };
  },

  async blackhole(world, { as, network, address }) {
    const { addr, filled } = await fillQueue(world, network, world.expand(address));
    world.put(as, new Endpoint({ addr }, network));
    return filled ? { ok: true } : { bad: 'queue never filled' };
  },

  context(world, { as, ms }) {
    world.contexts.set(as, new Context(ms));
    return { ok: true };
  },

  cancel(world, { ctx }) {
    world.contexts.get(ctx).cancel();
    return { ok: true };
  },
};
