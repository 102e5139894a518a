// What a proxy forwards while its JavaScript stands still.

import { setTimeout as sleep } from 'node:timers/promises';
import { limitOf, SLACK, windowOf, withProxy } from './measure.mjs';
import { quantile, rowsOf, sampleOf } from './samples.mjs';

const BLOCKED = 5000;
// Opening the connections delays the load generator's window, not the block.
const DELAY = 1;

/** Its throughput then, as a share of its throughput before. */
export function measureBlocked(contender, load, { warmUp, seconds }) {
  const time = { warmUp, seconds: seconds + BLOCKED / 1000 + DELAY };
  // One that stops altogether is to be measured too.
  const options = { ...load, ...windowOf(time), 'patience-ms': 3 * BLOCKED };
  return withProxy('forward', contender, options, async ({ tell, said }, next) => {
    await sleep((warmUp + seconds) * 1000);
    tell(`block ${BLOCKED}`);
    const [, from, to] = /^blocked (\d+) (\d+)$/.exec(await said(BLOCKED + SLACK));
    return { samples: sharesOf(rowsOf(await next(limitOf(time))), Number(from), Number(to)) };
  });
}

/** Of slices that were blocked all the time; one clock gives all times. */
function sharesOf(rows, from, to) {
  const ended = (row) => row.beganNs + row.elapsedNs;
  const rate = ({ done, elapsedNs }) => done / elapsedNs;
  const before = quantile(
    rows.filter((row) => ended(row) <= from),
    rate,
    0.5,
  );
  if (before === undefined) throw new Error('nothing was measured before the block');
  const during = rows.filter((row) => row.beganNs >= from && ended(row) <= to);
  return during.map((row) => sampleOf(row, rate(row) / before));
}
