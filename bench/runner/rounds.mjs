// The order of trials: all contenders of a cell, then the next round, so that a change in the machine's
// mood meets all of them.

import { summarize } from './samples.mjs';

/**
 * @param plan { cells, contenders, rounds, time }
 * @param progress called before each trial, with a line of text
 * @param cellDone called with each cell's result: { name, figures: { [contender]: summary | { failed } } }
 */
export async function runCells(scenario, plan, progress, cellDone) {
  const results = [];
  for (const cell of plan.cells) {
    const result = await runCell(scenario, cell, plan, progress);
    results.push(result);
    cellDone(result);
  }
  return results;
}

async function runCell(scenario, cell, { contenders, rounds, time }, progress) {
  const trials = new Map(contenders.map((contender) => [contender, []]));
  const failures = new Map();
  for (let round = 1; round <= rounds; round++) {
    for (const contender of contenders) {
      // What has failed once would fail again, and take its time about it.
      if (failures.has(contender)) continue;
      progress(`${scenario.name}: ${cell.name}, round ${round} of ${rounds}: ${contender.name}`);
      try {
        trials.get(contender).push(await scenario.trial(contender, cell, time));
      } catch (error) {
        failures.set(contender, error.message);
      }
    }
  }
  const figures = contenders.map((contender) => [
    contender.name,
    figuresOf(scenario, trials.get(contender), failures.get(contender)),
  ]);
  return { name: cell.name, figures: Object.fromEntries(figures) };
}

function figuresOf(scenario, trials, failed) {
  if (failed !== undefined) return { failed };
  try {
    return summarize(trials, scenario);
  } catch (error) {
    return { failed: error.message };
  }
}
