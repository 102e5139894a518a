// Steps in the background, and time.

import { now, settles, sleep, verdict } from './timing.mjs';

/** Takes from a result, and from the error in it, what a step wants ignored. */
export function strip(result, { ignore = [] }) {
  for (const key of ignore) {
    delete result[key];
    if (typeof result.err === 'object') delete result.err[key];
  }
  return result;
}

export const verbs = {
  async start(world, { as, step, settle = 20 }) {
    const begin = now();
    const task = { begin, mark: world.mark ?? begin, end: 0, rank: 0, result: null };
    world.tasks.set(as, task);
    task.done = world.exec(step, task).then((result) => {
      Object.assign(task, { result: strip(result, step), end: now(), rank: ++world.finished });
    });
    await settles(task.done, settle);
    return { ok: true };
  },

  async join(world, { p, within, time }) {
    const task = world.tasks.get(p);
    if (!(await settles(task.done, within || 5000))) return { pending: true };
    const result = { ...task.result };
    if (time !== undefined) result.time = verdict(task, time);
    return result;
  },

  pending(world, { p }) {
    return { ok: true, pending: world.tasks.get(p).rank === 0 };
  },

  order(world, { ps = [] }) {
    const rankOf = (p) => world.tasks.get(p).rank;
    const order = ps.filter((p) => rankOf(p) > 0).sort((a, b) => rankOf(a) - rankOf(b));
    return { ok: true, order: order.length === 0 ? null : order };
  },

  async sleep(_world, { ms = 0 }) {
    await sleep(ms);
    return { ok: true };
  },
};
