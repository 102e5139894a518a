// A child process on a core of its own. Whatever happens, none outlives the runner.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const running = new Set();
process.on('exit', () => {
  for (const program of running) program.kill();
});
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

const STDERR_KEPT = 4096;
// A process that was killed is gone at once; only the kernel's own troubles could delay that.
const STOP_LIMIT = 5000;
const MOMENT = 100;

export class Program {
  #lines;
  #stderr = '';
  #closed;

  constructor(name, core, argv) {
    this.name = name;
    this.ended = false;
    this.child = spawn('taskset', ['--cpu-list', String(core), ...argv], {
      stdio: 'pipe',
      // A process group of its own: it is killed with whatever it has started.
      detached: true,
    });
    running.add(this);
    this.#closed = new Promise((resolve) => this.#watch(resolve));
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  #watch(closed) {
    const { child } = this;
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    // Writing to a program that has ended is no news: its end is reported.
    child.stdin.on('error', () => {});
    child.on('error', (error) => {
      this.#stderr += error.code === 'ENOENT' ? 'taskset is missing (it is part of util-linux)' : error.message;
    });
    child.on('close', (status, signal) => {
      this.ended = true;
      this.how = signal ?? `status ${status}`;
      running.delete(this);
      closed();
    });
  }

  get pid() {
    return this.child.pid;
  }

  /** The next line of its output. */
  async line(limit) {
    const { value, done } = await within(limit, this.#lines.next(), () => `${this.name} said nothing`);
    if (!done) return value;
    await within(STOP_LIMIT, this.#closed, () => `${this.name} closed its output and does not end`);
    throw new Error(this.obituary());
  }

  /** How it ended, and why, as far as it said so. */
  obituary() {
    const words = this.#stderr.split('\n').filter((line) => line.trim() !== '');
    // Of an exception the line that names it, not the stack beneath.
    const why = words.find((line) => /^\S*(Error|error)\b/.test(line)) ?? words.at(-1);
    return `${this.name} ended with ${this.how}${why === undefined ? '' : `: ${why.trim()}`}`;
  }

  /** Whether it has ended, or does so at once. */
  async hasEnded() {
    await Promise.race([this.#closed, sleep(MOMENT, undefined, { ref: false })]);
    return this.ended;
  }

  tell(line) {
    this.child.stdin.write(`${line}\n`);
  }

  kill() {
    if (this.ended || this.pid === undefined) return;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }

  async stop() {
    this.kill();
    await within(STOP_LIMIT, this.#closed, () => `${this.name} cannot be killed`);
  }
}

/** The promise's outcome, or an error after so many milliseconds. */
export async function within(limit, promise, complaint) {
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${complaint()} for ${limit / 1000} s`)), limit);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
