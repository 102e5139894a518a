// Runs scenarios.

import { strip } from './concurrency.mjs';
import { normalise } from './normalise.mjs';
import { Payloads } from './payload.mjs';
import { now, settles, turn, verdict } from './timing.mjs';
import { World } from './world.mjs';

const LONGEST_STEP = 15_000;
const TRIES = 3;

/**
 * The results of a scenario, one for each step. It is run again when a step that only prepares the
 * ground has failed, such as one whose port another process took, and when a busy machine made a timed
 * step late.
 */
export async function runScenario(scenario) {
  const payloads = new Payloads(scenario.steps);
  for (let tries = 1; ; tries++) {
    const results = await runOnce(scenario, payloads);
    if (tries === TRIES || !scenario.steps.some((step, i) => spoils(step, results[i]))) return results;
  }
}

function spoils(step, result) {
  return result.time === 'late' || ((step.setup === true || step.do === 'blackhole') && result.ok !== true);
}

async function runOnce(scenario, payloads) {
  const world = new World(scenario, payloads);
  const results = [];
  try {
    for (const step of scenario.steps) {
      results.push(await runStep(world, step));
      await turn();
    }
    return results.map((result) => normalise(result, world));
  } finally {
    await world.discard();
  }
}

/** One step, with a limit to how long it may take and the verdict on how long it took. */
async function runStep(world, step) {
  const begin = now();
  const mark = world.mark ?? begin;
  if (step.do === 'deadline' || step.do === 'context') world.mark = begin;
  let result;
  const done = world.exec(step).then((value) => {
    result = value;
  });
  if (!(await settles(done, LONGEST_STEP))) return { hang: true };
  if (step.time !== undefined && step.do !== 'join') result.time = verdict({ mark, begin, end: now() }, step.time);
  return strip(result, step);
}
