// Durations: whether a step took as long as it should.

// A busy machine needs more time: a factor for the upper limits.
const slack = Number(process.env.ORACLE_SLACK) > 0 ? Number(process.env.ORACLE_SLACK) : 1;

export const now = () => performance.now();

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A turn of the event loop, in which what runs in the background gets on. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Whether a promise settles within a time. */
export async function settles(promise, ms) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const inTime = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

/**
 * Deadlines are instants, so the lower bound counts from `mark`, where the last one was set; the upper
 * bound from the call itself.
 */
export function verdict({ mark, begin, end }, wanted) {
  if (end - mark < wanted - 5) return 'early';
  return end - begin > (wanted === 0 ? 80 * slack : wanted + 150 * slack) ? 'late' : 'ok';
}
