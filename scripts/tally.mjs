// Running a command and reading its count from the line that every runner here ends with:
// `N passed, N failed`.

import { spawn } from 'node:child_process';

const COUNT = /^(\d+) passed, (\d+) failed$/gm;

/** Shows the command's output as it comes; resolves to its counts. A failure that was not counted counts as one. */
export function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      process.stdout.write(text);
      output += text;
    });
    child.on('error', (error) => resolve(failure(error.message)));
    child.on('close', (code, signal) => resolve(code === 0 ? counts(output) : failed(output, signal ?? code)));
  });
}

function counts(output) {
  const last = [...output.matchAll(COUNT)].at(-1);
  return last === undefined ? { passed: 0, failed: 0 } : { passed: Number(last[1]), failed: Number(last[2]) };
}

function failed(output, how) {
  const counted = counts(output);
  if (counted.failed === 0) console.error(`ended with ${how}`);
  return { passed: counted.passed, failed: Math.max(counted.failed, 1) };
}

function failure(message) {
  console.error(message);
  return { passed: 0, failed: 1 };
}

/** Prints the sum as the last line, and makes the process exit with 1 if anything failed. */
export function report(results) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  process.exitCode = sum('failed') === 0 ? 0 : 1;
}
