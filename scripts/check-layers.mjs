// Who may know whom: the arrows of docs/architecture.md, held against every #include and import.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

// A folder of native/ may include itself and these.
const NATIVE = {
  sys: [],
  poll: ['sys'],
  core: ['sys', 'poll'],
  io: ['sys', 'core'],
  relay: ['sys', 'core', 'io'],
  chaos: ['sys', 'core', 'io', 'relay'],
  codec: [],
  health: ['sys'],
  session: ['sys', 'core', 'io', 'codec', 'health'],
  binding: ['sys', 'poll', 'core', 'io', 'relay', 'chaos', 'codec', 'health', 'session'],
};
// Headers of the C++ library, and of C, that are no system's own.
const isStandard = (header) => !/[/.]/.test(header) || /^c?(assert|errno|limits|std\w+)\.h$/.test(header);
const MAY_USE_SYSTEM = new Set(['sys', 'poll']);
// What the processor can do, and how to have it do that.
const MAY_USE_PROCESSOR = /^codec\/.*_(x64|arm64)\.cc$/;
const MAY_USE_NODE = /^(napi|node_api|js_native_api|uv)\.h$/;

// A file or folder of lib/ may import those of its own rank and below; what is not named here is the face.
const LIB_RANKS = [
  ['load', 'errno', 'conn'],
  ['binding'],
  [
    'errors',
    'check',
    'deadline',
    'timer',
    'idle',
    'progress',
    'pending',
    'addr',
    'buffers',
    'chunk',
    'services',
    'turn',
    'closing',
    'layer',
    'iterating',
    'lifetime',
  ],
  [
    'dispatch',
    'handle',
    'calling',
    'info',
    'raw-conn',
    'resting',
    'socket-file',
    'socket-option',
    'lines',
    'when-closed',
  ],
  ['native-socket', 'native-conn', 'raw-wait'],
  ['stream'],
  ['tcp-conn', 'unix-conn', 'network', 'resolve', 'control', 'keep-alive', 'pipe'],
  ['listener', 'listener-wrapper', 'copy', 'relay', 'relaying', 'packet', 'proxy-protocol', 'tls-hello'],
  ['listen', 'listening', 'dial', 'dialing', 'serve', 'file'],
  ['chaos', 'codec', 'health', 'limits', 'net', 'node', 'pool', 'proxy', 'testing'],
  ['index', 'cli'],
];

function filesUnder(folder, endings) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((end) => entry.name.endsWith(end)))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));
}

function complainAboutInclude(file, quoted, header) {
  const folder = file.split('/')[0];
  if (quoted) {
    const from = header.split('/')[0];
    return from === folder || NATIVE[folder].includes(from) ? null : `${folder}/ must not include ${from}/`;
  }
  if (MAY_USE_NODE.test(header)) return folder === 'binding' ? null : 'only binding/ knows Node';
  return isStandard(header) || MAY_USE_SYSTEM.has(folder) || MAY_USE_PROCESSOR.test(file)
    ? null
    : `only sys/ and poll/ include <${header}>`;
}

function checkNative() {
  const complaints = [];
  for (const file of filesUnder('native', ['.h', '.cc'])) {
    const folder = file.split('/')[1];
    if (NATIVE[folder] === undefined) continue;
    for (const [, open, header] of readFileSync(join(root, file), 'utf8').matchAll(/^#include ([<"])([^>"]+)[>"]/gm)) {
      const complaint = complainAboutInclude(file.slice('native/'.length), open === '"', header);
      if (complaint !== null) complaints.push(`${file}: ${complaint}`);
    }
  }
  return complaints;
}

const rankOf = (path) => {
  const name = path
    .replace(/^lib\//, '')
    .replace(/\.ts$/, '')
    .split('/')[0];
  const rank = LIB_RANKS.findIndex((names) => names.includes(name));
  return rank < 0 ? LIB_RANKS.length : rank;
};

function checkLib() {
  const complaints = [];
  for (const file of filesUnder('lib', ['.ts'])) {
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, type, target] of text.matchAll(/(?:^import( type)? [^;]*?from |import\()'(\.[^']+)'/gm)) {
      const path = relative(root, join(root, dirname(file), target.replace(/\.js$/, '')));
      if (type === undefined && rankOf(path) > rankOf(file)) complaints.push(`${file}: must not import ${path}`);
      if (/\.node'|process\.dlopen/.test(text) && file !== 'lib/load.ts')
        complaints.push(`${file}: only load.ts loads the addon`);
    }
  }
  return complaints;
}

const complaints = [...new Set([...checkNative(), ...checkLib()])];
for (const complaint of complaints) console.error(complaint);
console.log(`${complaints.length === 0 ? 1 : 0} passed, ${complaints.length} failed`);
process.exitCode = complaints.length === 0 ? 0 : 1;
