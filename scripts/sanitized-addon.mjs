// The JavaScript suite on an addon that is built with sanitizers. Node itself is not, so the
// sanitizer's runtime is preloaded into every process that loads it, and this is what it can tell:
//
//   address   Every access that the addon makes, every block that it allocates, and what Node
//             allocates for it. A leak counts if its stack shows the addon once Node's own leaks
//             (test/native/lsan.supp) are left out; other programs that tests start have theirs.
//   thread    Races between accesses that the addon's own code makes. Of V8 and libuv only the
//             locks are seen, not the memory accesses and not the atomics: a race with Node's side
//             goes unnoticed, and whatever the addon orders by an atomic of libuv's alone would be
//             reported without being one. The C++ unit tests, where all but GoogleTest is
//             instrumented, have neither limit. Only suites in which the addon has threads of its
//             own are run, unless others are asked for. The runtime kills other programs that use setjmp,
//             shells among them: tests start what they need without one (test/support/child.ts).

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './tally.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const FAILED = { passed: 0, failed: 1 };
const CONFIG = 'RelWithDebInfo';
const WORKERS = 2;
// Everything takes several times as long, and what a test expects to come first may come second. It is tried
// again; what the sanitizer has found stays found.
const TEST_TIMEOUT_MS = 120_000;
const RETRIES = 2;

function npmRun(script) {
  return spawnSync('npm', ['run', '--silent', script], { cwd: root, stdio: 'inherit' }).status === 0;
}

/** Where Node's headers are if they came with it: then nothing is downloaded. */
function installedHeaders() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include', 'node', 'node.h')) ? { npm_config_nodedir: prefix } : {};
}

function buildAddon(sanitize) {
  const folder = join(root, 'native', 'build', sanitize === '' ? 'addon' : `addon-${sanitize}`);
  const cmakeJs = join(root, 'node_modules', '.bin', 'cmake-js');
  const args = ['build', '-d', 'native', '-O', folder, '-B', CONFIG, '-p', '2', '-l', 'warn'];
  if (sanitize !== '') args.push(`--CDSPLICEWAY_SANITIZE=${sanitize}`);
  const env = { ...installedHeaders(), ...process.env };
  const { status } = spawnSync(cmakeJs, args, { cwd: root, env, stdio: 'inherit' });
  return status === 0 ? join(folder, CONFIG, 'spliceway.node') : null;
}

/** The runtime that the addon was linked with. It has to come before all other libraries. */
function runtimeOf(addon, sanitize) {
  const { stdout } = spawnSync('ldd', [addon], { encoding: 'utf8' });
  const found = /lib[at]san\S* => (\S+)/.exec(stdout);
  if (found !== null) return found[1];
  throw new Error(`${addon} is not linked with a shared ${sanitize} sanitizer: build it with GCC (CXX=g++)`);
}

// Processes end as they would and the reports are read afterwards: most of those that look at exit
// codes and outputs are the tests'.
function environment(addon, sanitize, reports) {
  if (sanitize === '') return { SPLICEWAY_BINARY_PATH: addon };
  const log = `log_path=${join(reports, 'report')}`;
  const suppressed = `suppressions=${join(root, 'test', 'native', 'lsan.supp')}`;
  return {
    SPLICEWAY_BINARY_PATH: addon,
    SPLICEWAY_SANITIZE: sanitize,
    SPLICEWAY_TEST_PRELOAD: runtimeOf(addon, sanitize),
    ASAN_OPTIONS: `abort_on_error=1:${log}`,
    LSAN_OPTIONS: `exitcode=0:print_suppressions=0:${suppressed}`,
    UBSAN_OPTIONS: `print_stacktrace=1:abort_on_error=1:${log}`,
    TSAN_OPTIONS: `ignore_noninstrumented_modules=1:atexit_sleep_ms=0:${log}`,
  };
}

// What these do with the addon other suites do too, without a process for each program.
const LEFT_OUT = ['bench/**', 'cli/usage.test.ts', 'docs/**', 'examples/**', 'package/**', 'software/**'].map(
  (what) => `--exclude=test/${what}`,
);
// Where the addon has threads besides JavaScript's; in all others ThreadSanitizer has nothing to compare.
const THREADED = [
  'chaos',
  'codec/framed-conn',
  'codec/session',
  'copy',
  'fd/linger',
  'health',
  'net/close',
  'process',
  'proxy',
];

/** The suites to run, of all or of those that were asked for. */
function suites(sanitize, files) {
  if (files.length > 0 || sanitize !== 'thread') return files;
  return THREADED.map((what) => `test/${what}`);
}

/** The counts of vitest's own report. A run without one failed as a whole. */
async function vitest(files, env, folder) {
  const file = join(folder, 'vitest.json');
  const lingering = join(root, 'scripts', 'linger.cjs');
  const args = [
    `--require=${lingering}`,
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--pool=forks',
    `--maxWorkers=${WORKERS}`,
    '--passWithNoTests',
    '--typecheck.enabled=false',
    `--execArgv=--require=${lingering}`,
    `--testTimeout=${TEST_TIMEOUT_MS}`,
    `--hookTimeout=${TEST_TIMEOUT_MS}`,
    `--retry=${RETRIES}`,
    '--reporter=default',
    '--reporter=json',
    `--outputFile=${file}`,
    ...LEFT_OUT,
    ...files,
  ];
  const { failed } = await run(process.execPath, args, env);
  if (!existsSync(file)) return { passed: 0, failed };
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(file, 'utf8'));
  return { passed: numPassedTests, failed: Math.max(numFailedTests, failed) };
}

const ERROR = /ERROR: AddressSanitizer|WARNING: ThreadSanitizer|: runtime error: /;
const LEAK = /^(Direct|Indirect) leak of /;
// A frame is named by its source file, or by its module where that is not known.
const OURS = [join(root, 'native', '/'), '/spliceway.node'];

/** The parts of a report that are about the addon. */
function findings(text) {
  if (ERROR.test(text)) return [text];
  return text.split('\n\n').filter((part) => LEAK.test(part) && OURS.some((place) => part.includes(place)));
}

function readReports(folder) {
  return readdirSync(folder)
    .filter((name) => name.startsWith('report.'))
    .flatMap((name) => findings(readFileSync(join(folder, name), 'utf8')));
}

export async function testAddon(sanitize, files) {
  const addon = npmRun('build:js') ? buildAddon(sanitize) : null;
  if (addon === null) return FAILED;
  const folder = mkdtempSync(join(tmpdir(), 'spliceway-sanitized-'));
  try {
    const counts = await vitest(suites(sanitize, files), environment(addon, sanitize, folder), folder);
    const found = readReports(folder);
    for (const finding of found) console.error(finding);
    return { passed: counts.passed, failed: counts.failed + found.length };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
