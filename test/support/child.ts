// Programs in processes of their own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout: where `import 'spliceway'` finds what is built here. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ScriptOptions {
  /** Milliseconds after which it is killed, and the test fails. Default 10 s. */
  limit?: number;
  /** Options of node's. */
  node?: readonly string[];
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
  commonjs?: boolean;
  cwd?: string;
  /** Its soft limit of open files. */
  openFiles?: number;
}

/** Runs a program given as text (ESM unless told otherwise) to its end. */
export function runScript(source: string, options: ScriptOptions = {}): Promise<Ended> {
  const { node = [], args = [], commonjs = false } = options;
  const type = `--input-type=${commonjs ? 'commonjs' : 'module'}`;
  return runNode([...node, type, '--eval', source, '--', ...args], options);
}

// A shell does not survive the preloaded runtime of ThreadSanitizer, and elsewhere than on Linux
// there is no prlimit.
function limiting(openFiles: number): string[] {
  if (process.env.SPLICEWAY_SANITIZE === 'thread') return ['prlimit', `--nofile=${openFiles}:`];
  return ['sh', '-c', `ulimit -S -n ${openFiles} && exec "$0" "$@"`];
}

/** Runs node with these arguments to its end. */
export async function runNode(args: readonly string[], options: ScriptOptions = {}): Promise<Ended> {
  const { limit = 10_000, env = {}, cwd = root, openFiles } = options;
  const command = [...(openFiles === undefined ? [] : limiting(openFiles)), process.execPath, ...args];
  const child = spawn(command[0] as string, command.slice(1), { cwd, env: { ...childEnv(), ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, limit);
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  if (late) throw new Error(`still running after ${limit} ms\nstdout: ${stdout}\nstderr: ${stderr}`);
  return { code, signal, stdout, stderr };
}

/** Our environment, less what makes a program behave as if it ran inside the tests. */
export function childEnv(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, NODE_ENV: __, VITEST: ___, ...env } = process.env;
  return env;
}
