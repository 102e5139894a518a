// npm run bench: measures the scenarios, prints tables, and keeps the figures where it is asked to.

import { existsSync, writeFileSync } from 'node:fs';
import { native } from './contenders.mjs';
import { parseOptions, USAGE, UsageError } from './options.mjs';
import { checkMachine, describeMachine, machineLine } from './runner/machine.mjs';
import { cellText, failuresOf, leftOutText, targetsText } from './runner/report.mjs';
import { toJson, updateResults } from './runner/results-file.mjs';
import { runCells } from './runner/rounds.mjs';

const COMMAND = ['npm run bench --', ...process.argv.slice(2)].join(' ');

function checkFiles(contenders) {
  const needs = [{ files: [native('load')], made: 'npm run build:bench' }];
  needs.push(...contenders.flatMap((contender) => contender.needs ?? []));
  for (const { files, made } of needs) {
    const missing = files.find((file) => !existsSync(file));
    if (missing !== undefined) throw new Error(`${missing} is missing: ${made}`);
  }
}

/** What of a scenario is to be run: its cells, and its contenders as far as they are installed. */
function planOf(scenario, { rounds, time, wantsCell, contendersOf }) {
  const wanted = contendersOf(scenario);
  const contenders = wanted.filter(({ installed = () => true }) => installed());
  const leftOut = wanted.filter((contender) => !contenders.includes(contender)).map(({ name }) => name);
  return { rounds, time, contenders, leftOut, cells: scenario.cells.filter(wantsCell) };
}

// On a terminal one line that changes; elsewhere nothing, so that a log has the tables alone.
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function runScenario(scenario, plan, machine) {
  if (plan.leftOut.length > 0) console.log(`${scenario.name}: ${leftOutText(plan.leftOut)}\n`);
  const cells = await runCells(scenario, plan, progress, (cell) => {
    progress('');
    console.log(`${cellText(scenario, cell)}\n`);
  });
  const targets = targetsText(scenario, cells);
  if (targets !== '') console.log(`${scenario.name}: targets\n${targets}\n`);
  const date = new Date().toISOString().slice(0, 10);
  const { rounds, time, leftOut } = plan;
  return { date, command: COMMAND, machine, rounds, time, leftOut, cells };
}

function plansOf(options) {
  const plans = options.scenarios.map((scenario) => [scenario, planOf(scenario, options)]);
  const wanted = plans.filter(([, { cells, contenders }]) => cells.length > 0 && contenders.length > 0);
  if (wanted.length === 0) throw new UsageError('no scenario has such cells and contenders');
  checkFiles(wanted.flatMap(([, { contenders }]) => contenders));
  return wanted;
}

/** Runs them one after the other, and keeps each one's figures as soon as it is through. */
async function runAll(plans, machine, { update, json }) {
  const results = {};
  for (const [scenario, plan] of plans) {
    results[scenario.name] = await runScenario(scenario, plan, machine);
    if (update) updateResults(scenario, results[scenario.name]);
    if (json !== undefined) writeFileSync(json, toJson(results));
  }
  return plans.flatMap(([scenario]) => failuresOf(scenario, results[scenario.name].cells));
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return console.log(USAGE);
  checkMachine();
  const plans = plansOf(options);
  const machine = describeMachine();
  console.log(`${machineLine(machine)}\n`);
  const failures = await runAll(plans, machine, options);
  for (const failure of failures) console.error(failure);
  if (failures.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : `bench: ${error.message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
