// The command line, as its users run it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { dial, type TCPConn, type UnixConn } from 'spliceway';
import { childEnv, type Ended, root, runNode } from './child.ts';

const main = join(root, 'dist', 'cli', 'main.js');

/** Runs a command that ends by itself. */
export function runCli(...args: string[]): Promise<Ended> {
  return runNode([main, ...args]);
}

/** A command that serves. */
export interface Serving extends AsyncDisposable {
  readonly network: 'tcp' | 'unix';
  readonly address: string;
  readonly child: ChildProcess;
  /** What it has printed so far. */
  readonly stdout: string;
  readonly stderr: string;
  dial(): Promise<TCPConn | UnixConn>;
  /** Ends it with a signal. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

/** Starts a command, and waits until it says where it listens. */
export function startCli(...args: string[]): Promise<Serving> {
  return startProgram(main, ...args);
}

/** The same for any program that says so. */
export async function startProgram(...args: string[]): Promise<Serving> {
  const child = spawn(process.execPath, args, { env: childEnv() });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const printed = { stdout: '', stderr: '' };
  child.stderr.setEncoding('utf8').on('data', (text) => {
    printed.stderr += text;
  });
  const listening = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed.stdout += text;
      if (printed.stdout.includes('\n')) resolve();
    });
  });
  await Promise.race([listening, ended]);
  const said = /^listening (tcp|unix) (\S+)\n/.exec(printed.stdout);
  if (said === null) throw new Error(`it does not listen: ${printed.stdout}${printed.stderr}`);
  const network = said[1] as 'tcp' | 'unix';
  const address = said[2] as string;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    const [code, by] = await ended;
    return { code, signal: by, ...printed };
  };
  return {
    network,
    address,
    child,
    get stdout() {
      return printed.stdout;
    },
    get stderr() {
      return printed.stderr;
    },
    dial: () => dial(network, address),
    stop,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await stop('SIGKILL');
    },
  };
}
