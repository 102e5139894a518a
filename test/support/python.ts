// What Node's own modules cannot do with a socket, Python does.

import { type ChildProcessByStdio, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { foreignEnv } from './child.ts';

export const hasPython = spawnSync('python3', ['--version'], { env: foreignEnv() }).status === 0;

// Without what it would look for before it starts.
const QUICKLY = ['-I', '-S'];
const PRELUDE = `
import array, json, os, socket, struct, sys
# Of a Node that Python starts: it loads the addon, and under a sanitizer needs its runtime.
node_env = {**os.environ, 'LD_PRELOAD': os.environ.get('SPLICEWAY_TEST_PRELOAD', '')}
`;

/**
 * Runs a program to its end, while everything here stands still, and returns what it printed. The
 * descriptors are its own 3, 4, …
 */
export function pythonSync(source: string, fds: readonly number[] = []): string {
  return execFileSync('python3', [...QUICKLY, '-c', PRELUDE + source], {
    encoding: 'utf8',
    env: foreignEnv(),
    stdio: ['ignore', 'pipe', 'inherit', ...fds],
  });
}

/** A program that runs beside the test. */
export interface Python extends AsyncDisposable {
  /** The next line that it prints. */
  line(): Promise<string>;
  /** A line for it to read. */
  tell(line: string): void;
}

/** Starts a program; leaving its scope closes its standard input and waits for its end. */
export function startPython(source: string, args: readonly string[] = []): Python {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(
    'python3',
    [...QUICKLY, '-c', PRELUDE + source, ...args],
    {
      env: foreignEnv(),
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async line() {
      const { value, done } = await lines.next();
      if (done === true) throw new Error('it has ended');
      return value;
    },
    tell: (line) => child.stdin.write(`${line}\n`),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}
