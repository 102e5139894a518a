// Other processes of a program that measures itself. They are in its process group, and end with it.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Where such a program itself is, and where it has its peer. */
export const OWN_CORE = 0;
export const PEERS_CORE = 1;

// One that was started so ends with the one that has started it.
if (process.channel !== undefined) process.once('disconnect', () => process.exit());

/**
 * Starts a program on a core.
 * @returns the process, and the first line that it prints
 */
export async function start(core, command, ...args) {
  const argv = ['--cpu-list', String(core), command, ...args.map(String)];
  const child = spawn('taskset', argv, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  process.once('exit', () => child.kill());
  const { value, done } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  if (done) throw new Error(`${command} said nothing`);
  return { child, line: value };
}

/** The address in a server's first line, "listening tcp 127.0.0.1:80". */
export const addressIn = (line) => line.split(' ')[2];
