// Servers of others, installed on the system and started for a test in a folder of their own.

import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chmodSync, chownSync, constants, copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, delimiter, join } from 'node:path';

/** Set where a program that is missing is a failure, and no reason to skip its tests. */
const REQUIRED = process.env.SPLICEWAY_SOFTWARE === 'required';

/** Where a program is, on the PATH or in the other folders; null where it is not installed. */
export function findProgram(name: string, folders: readonly string[] = []): string | null {
  const path = process.env.PATH ?? '';
  const found = [...path.split(delimiter), ...folders].map((folder) => join(folder, name)).find(isExecutable);
  if (found === undefined && REQUIRED) throw new Error(`${name} is not installed`);
  return found ?? null;
}

/** The title of tests that need a program; says why they are skipped. */
export function titleOf(what: string, program: string | null, name: string): string {
  if (program !== null) return what;
  const title = `${what}: skipped, for ${name} is not installed`;
  console.warn(title);
  return title;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Debian keeps the programs of each version of PostgreSQL in a folder of its own. */
export function findPostgres(): string | null {
  const versions = '/usr/lib/postgresql';
  const folders = isExecutable(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin')) : [];
  return findProgram('initdb', folders);
}

/** Whom servers run as: those of PostgreSQL refuse to be root. */
export function ordinaryUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (option: string) => Number(execFileSync('id', [option, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** A folder with a short name, since paths of Unix sockets have room for about 100 bytes. */
export function serverFolder(owner = ordinaryUser()): string {
  const folder = mkdtempSync('/tmp/spliceway-server-');
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  return folder;
}

/** Copies a file into a server's folder, for its eyes only. */
function giveFile(file: string | URL, folder: string, owner = ordinaryUser()): void {
  const copy = join(folder, basename(file.toString()));
  copyFileSync(file, copy);
  chmodSync(copy, 0o600);
  if (owner !== undefined) chownSync(copy, owner.uid, owner.gid);
}

/** Gives it what a server of TLS needs: `key.pem` and `cert.pem`. */
export function giveIdentity(folder: string): void {
  for (const name of ['key.pem', 'cert.pem']) giveFile(new URL(`tls/${name}`, import.meta.url), folder);
}

/** A port that nobody listens on, for servers that take no 0. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** A server that is started again when it dies, until it is stopped. */
export class Service {
  restarts = 0;
  private process: ChildProcess;
  private stopped = false;

  constructor(
    private readonly command: readonly string[],
    private readonly folder: string,
    private readonly options: SpawnOptions = {},
  ) {
    this.process = this.start();
  }

  private start(): ChildProcess {
    const [program, ...args] = this.command;
    const started = spawn(program as string, args, { cwd: this.folder, stdio: 'ignore', ...this.options });
    started.once('exit', () => this.died());
    return started;
  }

  private died(): void {
    if (this.stopped) return;
    this.restarts++;
    this.process = this.start();
  }

  /** Ends it at once, with what it has stored. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
    this.stopped = true;
    const { process } = this;
    if (process.exitCode === null && process.signalCode === null) {
      process.kill(signal);
      await once(process, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
