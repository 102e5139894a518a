// Programs in processes of their own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PATIENCE } from './time.ts';

/** The checkout: where `import 'spliceway'` finds what is built here. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ScriptOptions {
  /** Milliseconds after which it is killed, and the test fails; more under a sanitizer. Default 10 s. */
  limit?: number;
  /** Options of node's. */
  node?: readonly string[];
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
  commonjs?: boolean;
  cwd?: string;
  /** Its soft limit of open files. */
  openFiles?: number;
  /** Its limit of open files for good: Node raises the soft limit as far as it may. */
  maxOpenFiles?: number;
}

/** Runs a program given as text (ESM unless told otherwise) to its end. */
export function runScript(source: string, options: ScriptOptions = {}): Promise<Ended> {
  const { node = [], args = [], commonjs = false } = options;
  const type = `--input-type=${commonjs ? 'commonjs' : 'module'}`;
  return runNode([...node, type, '--eval', source, '--', ...args], options);
}

// A shell does not survive the preloaded runtime of ThreadSanitizer, and elsewhere than on Linux
// there is no prlimit.
function limiting({ openFiles, maxOpenFiles }: ScriptOptions): string[] {
  if (openFiles === undefined && maxOpenFiles === undefined) return [];
  const byPrlimit = process.env.SPLICEWAY_SANITIZE === 'thread';
  if (byPrlimit) return ['prlimit', `--nofile=${maxOpenFiles ?? openFiles}:${maxOpenFiles ?? ''}`];
  const which = maxOpenFiles === undefined ? '-S -n' : '-n';
  return ['sh', '-c', `ulimit ${which} ${maxOpenFiles ?? openFiles} && exec "$0" "$@"`];
}

/** Runs node with these arguments to its end. */
export async function runNode(args: readonly string[], options: ScriptOptions = {}): Promise<Ended> {
  const { limit = 10_000, env = {}, cwd = root } = options;
  const command = [...limiting(options), process.execPath, ...args];
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
  }, limit * PATIENCE);
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

/**
 * The same for programs that are not Node, and do not load the addon: less a sanitizer's runtime too, under which
 * some hang as they end (ps), and some do not even begin (python3, shells).
 */
export function foreignEnv(): NodeJS.ProcessEnv {
  const { LD_PRELOAD: _, ...env } = childEnv();
  return env;
}
