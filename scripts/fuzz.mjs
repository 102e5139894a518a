// libFuzzer on every decoder of native/codec, with AddressSanitizer and UndefinedBehaviorSanitizer.
//
//   npm run fuzz -- [--seconds N] [fuzzer…]     N seconds, 30 unless told, for each of test/fuzz/fuzz_*.cc
//
// It begins with test/fuzz/corpus and leaves that as it is. What it finds on its way is kept in
// native/build/fuzz/found for the next time; an input that fails is named, and kept there as well.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { report } from './tally.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const build = join(root, 'native', 'build', 'fuzz');
const USAGE = 'usage: fuzz.mjs [--seconds N] [fuzzer…]';
const PASSED = { passed: 1, failed: 0 };
const FAILED = { passed: 0, failed: 1 };

// A decoder that keeps more than what it was fed, or takes long over it, has failed, too.
const LIMITS = ['-rss_limit_mb=1024', '-malloc_limit_mb=64', '-timeout=10', '-max_len=2000'];

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      options: { seconds: { type: 'string', default: '30' } },
      allowPositionals: true,
    });
    const seconds = Number(values.seconds);
    return Number.isInteger(seconds) && seconds > 0 ? { seconds, only: positionals } : null;
  } catch {
    return null;
  }
}

function fuzzers(only) {
  const all = readdirSync(join(root, 'test', 'fuzz'))
    .filter((name) => /^fuzz_.*\.cc$/.test(name))
    .map((name) => name.slice(0, -'.cc'.length));
  const unknown = only.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw new Error(`no such fuzzer: ${unknown.join(', ')}; there are ${all.join(', ')}`);
  return only.length > 0 ? only : all;
}

function buildAll() {
  const run = (...args) => spawnSync('cmake', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  const settings = ['-DCMAKE_CXX_COMPILER=clang++', '-DSPLICEWAY_FUZZ=ON', '-DSPLICEWAY_SANITIZE=address'];
  const built = run('-S', 'native', '-B', build, ...settings) && run('--build', build, '-j', '2');
  if (!built) console.error('The fuzzers need clang with libFuzzer: on Debian and Ubuntu, the package clang.');
  return built;
}

function fuzz(name, seconds) {
  const found = join(build, 'found', name);
  mkdirSync(found, { recursive: true });
  const corpora = [found, join(root, 'test', 'fuzz', 'corpus', name)];
  const where = `-artifact_prefix=${join(build, `${name}-`)}`;
  const args = [`-max_total_time=${seconds}`, '-print_final_stats=1', where, ...LIMITS, ...corpora];
  const { status, stderr } = spawnSync(join(build, name), args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const runs = /number_of_executed_units: (\d+)/.exec(stderr)?.[1] ?? '?';
  if (status === 0) {
    console.log(`ok      ${name}: ${runs} inputs`);
    return PASSED;
  }
  console.log(`not ok  ${name}\n${stderr.slice(-10_000)}`);
  return FAILED;
}

function main() {
  const args = readArguments();
  if (args === null) {
    console.error(USAGE);
    process.exit(2);
  }
  const names = fuzzers(args.only);
  return buildAll() ? names.map((name) => fuzz(name, args.seconds)) : [FAILED];
}

try {
  report(main());
} catch (error) {
  console.error(error.message);
  report([FAILED]);
}
