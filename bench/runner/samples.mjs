// From the load generator's slices to samples, and from samples to the figures of a report.

// Whoever had to wait for its core for more than this share of a slice shared it with something
// else. On a quiet machine a busy server waits for 1 or 2 % of the time, for the kernel's threads.
const DISTURBED = 0.05;

/** One sample for each slice in which anything was done: the server's CPU time for each thing. */
export function samplesOf(result, scale) {
  const rows = rowsOf(result).filter(({ done }) => done > 0);
  return rows.map((row) => sampleOf(row, (row.serverCpuNs / row.done) * scale));
}

/** The load generator's slices as objects. */
export function rowsOf({ columns, slices }) {
  return slices.map((slice) => Object.fromEntries(columns.map((name, i) => [name, slice[i]])));
}

export function sampleOf({ elapsedNs, done, serverCpuNs, serverDelayNs, loadDelayNs }, value) {
  return {
    value,
    perSecond: (done / elapsedNs) * 1e9,
    busy: serverCpuNs / elapsedNs,
    disturbed: Math.max(serverDelayNs, loadDelayNs) > DISTURBED * elapsedNs,
  };
}

/**
 * The figures of a contender in a cell, from all of its trials there.
 * @param scenario says whether more is better; mostly less is
 */
export function summarize(trials, { moreIsBetter = false } = {}) {
  const samples = trials.flatMap((trial) => trial.samples);
  if (samples.length === 0) throw new Error('no slice in which anything was done');
  const quiet = samples.filter(({ disturbed }) => !disturbed);
  const used = quiet.length * 2 >= samples.length ? quiet : samples;
  return {
    median: quantile(used, 'value', 0.5),
    bestQuartile: quantile(used, 'value', moreIsBetter ? 0.75 : 0.25),
    worst: quantile(samples, 'value', moreIsBetter ? 0 : 1),
    perSecond: quantile(used, 'perSecond', 0.5),
    busy: quantile(used, 'busy', 0.5),
    heapBytes: quantile(used, 'heapBytes', 0.5),
    outsideBytes: quantile(used, 'outsideBytes', 0.5),
    stalled: quantile(used, 'stalled', 0.5),
    p50: quantile(trials, ({ latency }) => latency?.p50 / 1000, 0.5),
    p99: quantile(trials, ({ latency }) => latency?.p99 / 1000, 0.5),
    slices: samples.length,
    marked: samples.length - quiet.length,
    used: used.length,
  };
}

/** Linear between neighbours; undefined where there is nothing. */
export function quantile(items, of, share) {
  const pick = typeof of === 'function' ? of : (item) => item[of];
  const values = items.map(pick).filter(Number.isFinite);
  if (values.length === 0) return undefined;
  values.sort((a, b) => a - b);
  const at = (values.length - 1) * share;
  const below = values[Math.floor(at)];
  return below + (values[Math.ceil(at)] - below) * (at % 1);
}
