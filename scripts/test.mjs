// npm test: everything. The JavaScript suites by vitest, the C++ units by CMake and GoogleTest.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { report, run } from './tally.mjs';

/** vitest's own report as counts; a run without one failed as a whole. */
async function vitest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'spliceway-test-'));
  const file = join(folder, 'report.json');
  try {
    const { failed } = await run('npx', [
      'vitest',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile=${file}`,
      ...args,
    ]);
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(file, 'utf8'));
    return { passed: numPassedTests, failed: Math.max(numFailedTests, failed) };
  } catch (error) {
    console.error(`vitest left no report: ${error.message}`);
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const built = spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
if (built.status !== 0) report([{ passed: 0, failed: 1 }]);
else report([await vitest(process.argv.slice(2)), await run(process.execPath, ['scripts/test-native.mjs'])]);
