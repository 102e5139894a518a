// Compiles what is not for Linux on any system: all of it for macOS and for FreeBSD. Links the addon
// for macOS, and looks for functions that are used and in no file of the list: the addon would load
// as far as their first call. Needs zig, which carries the headers of both systems.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { report } from './tally.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

// The oldest macOS that binding.gyp builds for, so that anything newer is warned of.
const TARGETS = [
  { name: 'aarch64-macos.11.0', arch: 'arm64', link: true },
  { name: 'x86_64-macos.11.0', arch: 'x64', link: true },
  { name: 'x86_64-freebsd', arch: 'x64', link: false },
  { name: 'aarch64-freebsd', arch: 'arm64', link: false },
];

// Of Mach-O files.
const LC_SYMTAB = 2;
const N_TYPE = 0x0e; // where it is 0 in the type of a symbol, the symbol is undefined

const HOW_TO_GET_ZIG = `zig was not found. Either
  pip install ziglang            then \`python3 -m ziglang\` works; in a virtual environment, name its Python:
                                 ZIG="venv/bin/python3 -m ziglang" node scripts/check-kqueue.mjs
  https://ziglang.org/download   then ZIG=/path/to/zig node scripts/check-kqueue.mjs`;

function findZig() {
  const commands = process.env.ZIG ? [process.env.ZIG] : ['python3 -m ziglang', 'zig'];
  return commands
    .map((command) => command.split(' ').filter(Boolean))
    .find(([program, ...args]) => spawnSync(program, [...args, 'version']).status === 0);
}

/** Where node_api.h and uv.h are: beside this Node, or where node-gyp put them. */
function findNodeHeaders() {
  const beside = join(dirname(dirname(process.execPath)), 'include', 'node');
  const { npm_config_nodedir: nodedir } = process.env;
  const caches = [join(homedir(), '.cache'), join(homedir(), 'Library', 'Caches')];
  const candidates = [
    ...(nodedir ? [join(nodedir, 'include', 'node')] : []),
    beside,
    ...caches.map((cache) => join(cache, 'node-gyp', process.versions.node, 'include', 'node')),
  ];
  const found = candidates.find((path) => ['node_api.h', 'uv.h'].every((header) => existsSync(join(path, header))));
  if (found === undefined) {
    throw new Error(`Node's headers are in none of\n  ${candidates.join('\n  ')}\nnpx node-gyp install fetches them.`);
  }
  return found;
}

function compilerFlags() {
  const headers = [findNodeHeaders(), dirname(require.resolve('node-addon-api/napi.h'))];
  const flags =
    '-std=gnu++20 -fPIC -fno-exceptions -fno-rtti -fvisibility=hidden -fno-sanitize=all -Wall -Wextra -Wshadow -Werror';
  return [
    ...flags.split(' '),
    '-DNAPI_VERSION=8',
    '-DNAPI_DISABLE_CPP_EXCEPTIONS',
    ...['-iquote', join(root, 'native')],
    ...headers.flatMap((path) => ['-isystem', path]),
  ];
}

/** Runs zig; resolves to a count, and shows what a failure says. */
function runZig([program, ...args], what, more) {
  return new Promise((resolve) => {
    const child = spawn(program, [...args, ...more], { cwd: root });
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
    });
    child.stderr.on('data', (text) => {
      said += text;
    });
    child.on('error', (error) => {
      said += error.message;
    });
    child.on('close', (code) => {
      if (code !== 0) console.log(`not ok  ${what}\n${said}`);
      resolve(code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
    });
  });
}

/** As Promise.all over the jobs' results, with as many of them under way as there are processors. */
async function inParallel(jobs) {
  const results = [];
  const queue = jobs.entries();
  const worker = async () => {
    for (const [i, job] of queue) results[i] = await job();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return results;
}

/** The functions of ours that a Mach-O file has no code for. */
function missingFrom(path) {
  const file = readFileSync(path);
  let command = 32; // after the header
  while (file.readUInt32LE(command) !== LC_SYMTAB) command += file.readUInt32LE(command + 4);
  const [symbols, count, strings] = [8, 12, 16].map((offset) => file.readUInt32LE(command + offset));
  const missing = [];
  for (let i = 0; i < count; ++i) {
    const symbol = symbols + 16 * i;
    const name = strings + file.readUInt32LE(symbol);
    const text = file.toString('latin1', name, file.indexOf(0, name));
    const isUndefined = (file[symbol + 4] & N_TYPE) === 0;
    if (isUndefined && text.includes('9spliceway')) missing.push(text);
  }
  return missing;
}

async function link(zig, target, objects, folder) {
  const addon = join(folder, `${target}.node`);
  // Node's own symbols are there once it loads the addon. `cc`, as `c++` would build a C++ library.
  const how = ['cc', '-target', target, '-shared', '-undefined', 'dynamic_lookup', '-o', addon, ...objects];
  const linked = await runZig(zig, `${target}: the addon`, how);
  if (linked.failed > 0) return [linked];
  const missing = missingFrom(addon);
  for (const symbol of missing) console.log(`not ok  ${target}: nothing defines ${symbol}`);
  return [linked, missing.length === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }];
}

async function check(zig, target, files, flags, folder) {
  const objects = files.map((file) => join(folder, `${target.name}-${file.replaceAll('/', '-')}.o`));
  const compile = (file, i) => ['c++', '-target', target.name, ...flags, '-c', `native/${file}`, '-o', objects[i]];
  const jobs = files.map((file, i) => () => runZig(zig, `${target.name}: ${file}`, compile(file, i)));
  const results = await inParallel(jobs);
  if (target.link && results.every((result) => result.failed === 0)) {
    results.push(...(await link(zig, target.name, objects, folder)));
  }
  const failed = results.some((result) => result.failed > 0);
  console.log(`${failed ? 'not ok' : 'ok    '}  ${target.name}, ${files.length} files`);
  return results;
}

async function main() {
  const zig = findZig();
  if (zig === undefined) throw new Error(HOW_TO_GET_ZIG);
  const sources = JSON.parse(readFileSync(join(root, 'native', 'sources.json'), 'utf8'));
  const files = [...sources.common, ...sources.bsd, ...sources.binding];
  const flags = compilerFlags();
  const folder = mkdtempSync(join(tmpdir(), 'spliceway-kqueue-'));
  try {
    const results = [];
    for (const target of TARGETS)
      results.push(...(await check(zig, target, [...files, ...sources[target.arch]], flags, folder)));
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main().then(report, (error) => {
  console.error(error.message);
  report([{ passed: 0, failed: 1 }]);
});
