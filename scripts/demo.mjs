// npm run demo: a file of random bytes, served, forwarded and received twice: by spliceway's `send` and
// `proxy`, and by the same two written with node:net. Both copies are checked, and the two chains stand
// side by side. Options: --size 1GiB, --dir FOLDER, --port N (the first of four), --keep.

import { spawn } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import progress from 'cli-progress';

const here = dirname(fileURLToPath(import.meta.url));
const cli = join(here, '..', 'dist', 'cli', 'main.js');
const GIB = 2 ** 30;
const UNITS = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: GIB };

/** For what the person at the keyboard can mend: told in one line. */
class Trouble extends Error {}

function options() {
  const { values } = parseArgs({
    options: {
      size: { type: 'string', default: '1GiB' },
      dir: { type: 'string', default: tmpdir() },
      port: { type: 'string', default: '0' },
      keep: { type: 'boolean', default: false },
    },
  });
  const [, number, unit] = /^(\d+)(KiB|MiB|GiB|)$/.exec(values.size) ?? [];
  if (number === undefined || Number(number) === 0) throw new Trouble(`--size ${values.size}: expected 64MiB, 1GiB, …`);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65532)
    throw new Trouble(`--port ${values.port}: expected 0 to 65532`);
  return { size: Number(number) * UNITS[unit], dir: values.dir, port, keep: values.keep };
}

function bar(label, total) {
  const mib = (bytes) => Math.round(bytes / 2 ** 20);
  const line = new progress.SingleBar({
    format: `${label.padEnd(24)} {bar} {percentage}% {value}/{total} MiB`,
    hideCursor: true,
    stream: process.stderr,
  });
  line.start(mib(total), 0);
  return { update: (bytes) => line.update(mib(bytes)), stop: () => line.stop() };
}

/** Writes the file and returns its SHA-256. */
function makeFile(path, size) {
  const hash = createHash('sha256');
  const block = Buffer.alloc(2 ** 20);
  const shown = bar('making random bytes', size);
  const file = openSync(path, 'wx');
  try {
    for (let done = 0; done < size; ) {
      const part = randomFillSync(block).subarray(0, Math.min(block.length, size - done));
      for (let written = 0; written < part.length; ) written += writeSync(file, part, written);
      hash.update(part);
      done += part.length;
      shown.update(done);
    }
  } finally {
    closeSync(file);
    shown.stop();
  }
  return hash.digest('hex');
}

/** Starts a server and resolves once it says where it listens. */
function start(name, args) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint += text;
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Trouble(`${name} ended with code ${code}: ${complaint.trim()}`)));
    createInterface({ input: child.stdout }).once('line', (line) => {
      const [, , address] = line.split(' ');
      resolve({ child, address, port: Number(address.split(':').pop()) });
    });
  });
}

/** CPU seconds that a process has used: all threads, user and system. */
async function cpuSeconds(pid) {
  if (process.platform === 'linux') {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const nanoseconds = tasks.map((task) =>
      Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
    );
    return nanoseconds.reduce((sum, n) => sum + n, 0) / 1e9;
  }
  const { execFileSync } = await import('node:child_process');
  const [minutes, seconds] = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' })
    .trim()
    .split(':');
  return Number(minutes) * 60 + Number(seconds);
}

/** Receives everything with a plain node:net client; its SHA-256 and the seconds it took. */
function receive(label, port, size) {
  const shown = bar(label, size);
  const hash = createHash('sha256');
  const from = performance.now();
  let bytes = 0;
  return new Promise((resolve, reject) => {
    connect(port, '127.0.0.1')
      .on('data', (chunk) => {
        hash.update(chunk);
        bytes += chunk.length;
        shown.update(bytes);
      })
      .on('error', reject)
      .on('close', () => {
        shown.stop();
        resolve({ bytes, sha256: hash.digest('hex'), seconds: (performance.now() - from) / 1000 });
      });
  });
}

/** One chain: server, proxy, client. */
async function run({ label, serverArgs, proxyArgs }, size) {
  const servers = [];
  try {
    const server = await start(`${label} server`, serverArgs());
    servers.push(server);
    const proxy = await start(`${label} proxy`, proxyArgs(`127.0.0.1:${server.port}`));
    servers.push(proxy);
    const idle = await Promise.all(servers.map(({ child }) => cpuSeconds(child.pid)));
    const received = await receive(label, proxy.port, size);
    const busy = await Promise.all(servers.map(({ child }) => cpuSeconds(child.pid)));
    const [serverCpu, proxyCpu] = busy.map((seconds, i) => (seconds - idle[i]) / (size / GIB));
    return { label, ...received, serverCpu, proxyCpu };
  } finally {
    for (const { child } of servers) child.removeAllListeners('exit').kill();
  }
}

function chains(file, port) {
  const at = (offset) => `127.0.0.1:${port === 0 ? 0 : port + offset}`;
  const plain = join(here, 'demo-node-net.mjs');
  return [
    {
      label: 'spliceway',
      serverArgs: () => [cli, 'send', at(0), file],
      proxyArgs: (target) => [cli, 'proxy', at(1), target],
    },
    {
      label: 'node:net',
      serverArgs: () => [plain, 'send', at(2), file],
      proxyArgs: (target) => [plain, 'proxy', at(3), target],
    },
  ];
}

function table(rows) {
  const line = (cells) => cells.map((cell, i) => (i === 0 ? cell.padEnd(12) : cell.padStart(22))).join('');
  const ratio = (pick) => `${(pick(rows[1]) / pick(rows[0])).toFixed(1)} x`;
  console.log(line(['', 'GB/s to the client', 'proxy CPU s/GiB', 'server CPU s/GiB']));
  for (const r of rows) {
    const speed = (r.bytes / r.seconds / 1e9).toFixed(2);
    console.log(line([r.label, speed, r.proxyCpu.toFixed(3), r.serverCpu.toFixed(3)]));
  }
  console.log(line(['less CPU', '', ratio((r) => r.proxyCpu), ratio((r) => r.serverCpu)]));
}

function check({ label, bytes, sha256 }, size, wanted) {
  if (bytes !== size) throw new Trouble(`${label}: ${bytes} bytes arrived instead of ${size}`);
  if (sha256 !== wanted)
    throw new Trouble(`${label}: the bytes arrived changed (SHA-256 ${sha256} instead of ${wanted})`);
}

async function main() {
  const { size, dir, port, keep } = options();
  const folder = mkdtempSync(join(dir, 'spliceway-demo-'));
  const file = join(folder, 'random.bin');
  try {
    const sha256 = makeFile(file, size);
    const rows = [];
    for (const chain of chains(file, port)) {
      const row = await run(chain, size);
      check(row, size, sha256);
      rows.push(row);
    }
    console.log(`\n${size} bytes through each chain, SHA-256 ${sha256} both times\n`);
    table(rows);
  } finally {
    if (keep) console.log(`kept ${file}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

const TELLING = {
  ENOSPC: 'the disk is full',
  EACCES: 'no permission',
  EADDRINUSE: 'the port is taken',
  ENOENT: 'no such folder',
};

main().catch((error) => {
  const why =
    error instanceof Trouble ? error.message : TELLING[error.code] && `${TELLING[error.code]}: ${error.message}`;
  console.error(`demo: ${why ?? error.stack}`);
  process.exitCode = 1;
});
