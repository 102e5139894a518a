// The C++ unit tests; with --addon also the JavaScript suite on an addon that is built the same way.
//
//   node scripts/test-native.mjs [--sanitize address|thread] [--addon] [test file…]
//
// `address` means AddressSanitizer, with LeakSanitizer, and UndefinedBehaviorSanitizer.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { testAddon } from './sanitized-addon.mjs';
import { report } from './tally.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const FAILED = { passed: 0, failed: 1 };
const JOBS = '2';

const OPTIONS = {
  ASAN_OPTIONS: 'detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
  TSAN_OPTIONS: 'second_deadlock_stack=1',
};

function cmake(args) {
  return spawnSync('cmake', args, { cwd: root, stdio: 'inherit' }).status === 0;
}

function buildUnitTests(sanitize) {
  const folder = join('native', 'build', sanitize === '' ? 'unit' : `unit-${sanitize}`);
  const settings = ['-DCMAKE_BUILD_TYPE=RelWithDebInfo', `-DSPLICEWAY_SANITIZE=${sanitize}`];
  const built = cmake(['-S', 'native', '-B', folder, ...settings]) && cmake(['--build', folder, '-j', JOBS]);
  return built ? join(root, folder, 'spliceway_tests') : null;
}

// What GoogleTest prints of tests that pass.
const CHATTER = /^\[( RUN +| +OK |-+)\]|^$/;

/** Shows what matters of a run; resolves to how it ended, and the test that was running then. */
function show(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, env: { ...OPTIONS, ...process.env } });
    let running = '';
    child.stderr.pipe(process.stderr);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('[ RUN ')) running = line.slice(12).trim();
      if (!CHATTER.test(line)) console.log(line);
    });
    child.on('close', (code, signal) => resolve({ how: signal ?? code, running }));
  });
}

async function runUnitTests(program) {
  const folder = mkdtempSync(join(tmpdir(), 'spliceway-unit-'));
  const file = join(folder, 'report.json');
  const { how, running } = await show(program, [`--gtest_output=json:${file}`]);
  try {
    const tests = JSON.parse(readFileSync(file, 'utf8')).testsuites.flatMap((suite) => suite.testsuite);
    const failed = tests.filter((test) => test.failures !== undefined).length;
    const passed = tests.filter((test) => test.failures === undefined && test.result === 'COMPLETED').length;
    // A sanitizer that finds something at the exit says so by the exit code alone.
    return { passed, failed: how === 0 ? failed : Math.max(failed, 1) };
  } catch {
    console.error(`The tests ended with ${how} in ${running || 'no test'} and left no report.`);
    return FAILED;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function testUnits(sanitize) {
  const program = buildUnitTests(sanitize);
  return program === null ? FAILED : runUnitTests(program);
}

const { values, positionals } = parseArgs({
  options: { sanitize: { type: 'string', default: '' }, addon: { type: 'boolean', default: false } },
  allowPositionals: true,
});
if (!['', 'address', 'thread'].includes(values.sanitize)) {
  console.error('usage: test-native.mjs [--sanitize address|thread] [--addon] [test file…]');
  process.exit(2);
}
const results = [await testUnits(values.sanitize)];
if (values.addon) results.push(await testAddon(values.sanitize, positionals));
report(results);
