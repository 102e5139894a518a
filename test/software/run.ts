// Software that knows nothing of this package, on its sockets: each program runs unchanged, with
// `--import spliceway/net/register`, and says at its end what its sockets carried.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { runNode } from '../support/child.ts';
import { ordinaryUser } from '../support/software.ts';

/** Bytes of the large values that programs send. */
export const LARGE = 8 << 20;

// What pg says of queries that wait for one another is no concern here.
const OPTIONS = ['--import', 'spliceway/net/register', '--no-deprecation'];

/** Of one side of its connections, client or server. */
export interface Carried {
  sockets: number;
  ours: number;
  bytesRead: number;
  bytesWritten: number;
}

/** Runs one of programs/ on our sockets, and on no others. */
export async function run(program: string, ...args: string[]): Promise<{ client: Carried; server: Carried }> {
  const file = fileURLToPath(new URL(`programs/${program}.mjs`, import.meta.url));
  const ended = await runNode([...OPTIONS, file, ...args], { limit: 30_000 });
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  const { client, server, handles } = JSON.parse(ended.stdout);
  expect(handles).toEqual([]);
  for (const { sockets, ours } of [client, server]) expect(ours).toBe(sockets);
  return { client, server };
}

/** Runs what makes a server's data in its folder. */
export function makeData(program: string, folder: string, ...options: string[]): void {
  const made = spawnSync(program, options, { ...ordinaryUser(), cwd: folder, encoding: 'utf8' });
  expect(made).toMatchObject({ status: 0 });
}
