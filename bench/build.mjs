// npm run build:bench: the load generator and the servers in C; and those in Go and Rust where there
// is a compiler for them. What cannot be had of the latter is left out, and said.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const folder = (name) => fileURLToPath(new URL(name, import.meta.url));

/** What came of it: the command's status, null where there is no such command. */
function run(command, args, { cwd, env } = {}) {
  const { status, error } = spawnSync(command, args, { cwd, env: { ...process.env, ...env }, stdio: 'inherit' });
  if (error !== undefined && error.code !== 'ENOENT') throw error;
  return error === undefined ? status : null;
}

function buildNative() {
  const build = folder('native/build');
  const status = run('cmake', ['-S', folder('native'), '-B', build]) ?? 'cmake is missing';
  return status === 0 ? run('cmake', ['--build', build]) : status;
}

function buildGo() {
  return run('go', ['build', '-o', 'build/go-peer', '.'], { cwd: folder('go'), env: { CGO_ENABLED: '0' } });
}

// Its one dependency comes from the registry: without a network that is to fail soon.
function buildRust() {
  const args = ['build', '--quiet', '--release', '--locked', '--target-dir', 'build'];
  const env = { CARGO_NET_RETRY: '1', CARGO_HTTP_TIMEOUT: '10' };
  return run('cargo', args, { cwd: folder('rust'), env });
}

function optional(what, command, status) {
  if (status === null) console.log(`${command} is not installed: ${what} is left out`);
  else if (status !== 0) console.error(`${command} failed: ${what} is left out`);
}

const status = buildNative();
if (status !== 0) {
  if (typeof status === 'string') console.error(status);
  process.exit(1);
}
optional("Go's io.Copy", 'go', buildGo());
optional("tokio's copy_bidirectional", 'cargo', buildRust());
