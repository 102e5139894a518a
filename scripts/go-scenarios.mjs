// npm run -s go-scenarios -- FILE.json: runs scenarios that describe network programs as data, and prints
// one line of results for each, in the form of the reference implementation on Go's net package.
// Options: -check EXPECTED.jsonl compares instead of printing, -repeat N does so N times, -only ID,ID picks,
// -list names the scenarios.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { missingFor } from './go-scenarios/facilities.mjs';
import { difference, json } from './go-scenarios/output.mjs';
import { runScenario } from './go-scenarios/run.mjs';

/** For what the person at the keyboard can mend: told in one line. */
class Trouble extends Error {}

function options() {
  const { values, positionals } = parseArgs({
    // -check and --check alike.
    args: process.argv.slice(2).map((each) => each.replace(/^-(?=[a-z]{2})/, '--')),
    allowPositionals: true,
    options: {
      check: { type: 'string' },
      only: { type: 'string' },
      list: { type: 'boolean', default: false },
      repeat: { type: 'string', default: '1' },
    },
  });
  if (positionals.length !== 1) throw new Trouble('expected one file of scenarios');
  const repeat = Number(values.repeat);
  if (!Number.isInteger(repeat) || repeat < 1) throw new Trouble(`-repeat ${values.repeat}: expected 1 or more`);
  const only = new Set((values.only ?? '').split(',').filter((id) => id !== ''));
  return { ...values, file: positionals[0], only, repeat };
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Trouble(error.message);
  }
}

function readScenarios({ file, only }) {
  const { scenarios } = JSON.parse(read(file));
  const ids = new Set();
  for (const { id } of scenarios) {
    if (ids.has(id)) throw new Trouble(`duplicate id ${id}`);
    ids.add(id);
  }
  return only.size === 0 ? scenarios : scenarios.filter(({ id }) => only.has(id));
}

function readExpected(file) {
  const lines = read(file).split('\n');
  const expected = lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line));
  return new Map(expected.map(({ id, results }) => [id, results]));
}

// A rejection that nobody could have handled is a fault of the library's; the other scenarios still run.
let leaked = 0;
process.on('unhandledRejection', (error) => {
  leaked++;
  console.error('go-scenarios: unhandled rejection:', error);
});

const print = (text) => process.stdout.write(`${text}\n`);

/** Whether a scenario can run here; if not, it is said. */
async function runnable(scenario) {
  const missing = await missingFor(scenario);
  if (missing.length > 0) console.error(`skipped ${scenario.id}: needs ${missing.join(', ')}`);
  return missing.length === 0;
}

async function check(scenarios, { check: file, repeat }) {
  const expected = readExpected(file);
  let mismatches = 0;
  for (const scenario of scenarios) {
    const { id, title } = scenario;
    if (!(await runnable(scenario))) continue;
    for (let run = 1; run <= repeat; run++) {
      const problem = difference(expected.get(id), await runScenario(scenario));
      if (problem === null) continue;
      mismatches++;
      print(`FAIL ${id} (${title}) run ${run}: ${problem}`);
    }
  }
  print(`${mismatches} mismatches`);
  return mismatches === 0;
}

async function printResults(scenarios) {
  for (const scenario of scenarios) {
    const { id } = scenario;
    print(json((await runnable(scenario)) ? { id, results: await runScenario(scenario) } : { id, skipped: true }));
  }
  return true;
}

async function main() {
  const wanted = options();
  const scenarios = readScenarios(wanted);
  if (wanted.list) {
    for (const { id, title, covers = [] } of scenarios) print(`${id}\t${title}\t[${covers.join(' ')}]`);
    return true;
  }
  return wanted.check === undefined ? printResults(scenarios) : check(scenarios, wanted);
}

// A step that hangs must not keep the process.
const end = (code) => process.stdout.write('', () => process.exit(code));

try {
  end((await main()) && leaked === 0 ? 0 : 1);
} catch (error) {
  if (!(error instanceof Trouble) && !error.code?.startsWith('ERR_PARSE_ARGS')) throw error;
  console.error(`go-scenarios: ${error.message}`);
  end(2);
}
