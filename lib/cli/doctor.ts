// spliceway doctor: what this machine has, and what to mend.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { platform, release } from 'node:os';
import { candidates } from '../load';

interface Limit {
  name: string;
  value: number | string | null;
  /** What to do about it; null when it is fine. */
  advice: string | null;
}

interface Report {
  version: string;
  platform: string;
  node: string;
  backend: 'epoll' | 'kqueue';
  binary: { path: string | null; error: string | null };
  kernel: { release: string; splice: boolean; sendfile: boolean; mptcp: boolean };
  limits: Limit[];
  ok: boolean;
}

const isLinux = platform() === 'linux';

export function examine(): Report {
  const binary = findBinary();
  const limits = isLinux ? linuxLimits() : bsdLimits();
  return {
    version: packageVersion(),
    platform: `${platform()}-${process.arch}`,
    node: process.version,
    backend: isLinux ? 'epoll' : 'kqueue',
    binary,
    kernel: { release: release(), splice: isLinux, sendfile: true, mptcp: readNumber('net/mptcp/enabled') === 1 },
    limits,
    ok: binary.error === null && limits.every(({ advice }) => advice === null),
  };
}

function packageVersion(): string {
  return (require('../../package.json') as { version: string }).version;
}

// What loading would use; the command line itself has loaded none of it.
function findBinary(): Report['binary'] {
  let error = 'no binary found';
  for (const path of candidates()) {
    try {
      require(path);
      return { path, error: null };
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') error = (thrown as Error).message;
    }
  }
  return { path: null, error };
}

function readNumber(file: string): number | null {
  try {
    const value = Number.parseInt(readFileSync(`/proc/sys/${file}`, 'utf8'), 10);
    return Number.isNaN(value) ? null : value;
  } catch {
    return null;
  }
}

function limit(name: string, value: number | string | null, isLow: boolean, advice: string): Limit {
  return { name, value, advice: value !== null && isLow ? advice : null };
}

const ENOUGH_FILES = 4096;
const ENOUGH_BACKLOG = 1024;
const ENOUGH_PORTS = 10_000;

/** The soft limit of open files in this process, which Node knows only through its report. */
function openFiles(): number | string | null {
  const report = process.report?.getReport() as unknown as { userLimits?: { open_files?: { soft: number | string } } };
  return report?.userLimits?.open_files?.soft ?? null;
}

function openFilesLimit(): Limit {
  const files = openFiles();
  const low = typeof files === 'number' && files < ENOUGH_FILES;
  return limit(
    'open files (RLIMIT_NOFILE)',
    files,
    low,
    'each connection is a descriptor: raise it with `ulimit -n 65536`',
  );
}

function linuxLimits(): Limit[] {
  const backlog = readNumber('net/core/somaxconn');
  const watches = readNumber('fs/epoll/max_user_watches');
  return [
    openFilesLimit(),
    limit(
      'listen backlog (net.core.somaxconn)',
      backlog,
      (backlog ?? 0) < ENOUGH_BACKLOG,
      'sysctl -w net.core.somaxconn=4096',
    ),
    portRange(),
    limit(
      'epoll watches (fs.epoll.max_user_watches)',
      watches,
      (watches ?? 0) < 100_000,
      'sysctl -w fs.epoll.max_user_watches=1048576',
    ),
    pipeBudget(),
  ];
}

function portRange(): Limit {
  const name = 'local ports (net.ipv4.ip_local_port_range)';
  try {
    const [low = 0, high = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
      .trim()
      .split(/\s+/)
      .map(Number);
    const few = high - low < ENOUGH_PORTS;
    return limit(name, `${low}-${high}`, few, 'sysctl -w net.ipv4.ip_local_port_range="1024 65535"');
  } catch {
    return limit(name, null, false, '');
  }
}

const PIPE_PAGES = 64; // 256 KiB in pages of 4 KiB

function pipeBudget(): Limit {
  const pages = readNumber('fs/pipe-user-pages-soft');
  const name = 'pipes of 256 KiB for one user (fs.pipe-user-pages-soft)';
  // 0 is no limit, and root has none.
  if (pages === null || pages === 0 || process.getuid?.() === 0)
    return limit(name, pages === null ? null : 'unlimited', false, '');
  const pipes = Math.floor(pages / PIPE_PAGES);
  return limit(name, pipes, pipes < 64, 'sysctl -w fs.pipe-user-pages-soft=65536');
}

function sysctl(name: string): number | null {
  try {
    return Number(execFileSync('sysctl', ['-n', name], { encoding: 'utf8' }));
  } catch {
    return null;
  }
}

function bsdLimits(): Limit[] {
  const backlog = sysctl('kern.ipc.somaxconn');
  const files = sysctl('kern.maxfilesperproc');
  return [
    openFilesLimit(),
    limit(
      'listen backlog (kern.ipc.somaxconn)',
      backlog,
      (backlog ?? 0) < ENOUGH_BACKLOG,
      'sysctl -w kern.ipc.somaxconn=1024',
    ),
    limit(
      'files of a process (kern.maxfilesperproc)',
      files,
      (files ?? 0) < ENOUGH_FILES,
      'sysctl -w kern.maxfilesperproc=65536',
    ),
  ];
}

/** The report as lines for a person. */
export function describe(report: Report): string {
  const { kernel, binary } = report;
  const has = (yes: boolean) => (yes ? 'yes' : 'no');
  return [
    `spliceway ${report.version} on ${report.platform}, Node ${report.node}`,
    `backend   ${report.backend}`,
    `binary    ${binary.path ?? `none: ${binary.error}`}`,
    `kernel    ${kernel.release}: splice ${has(kernel.splice)}, sendfile ${has(kernel.sendfile)}, MPTCP ${has(kernel.mptcp)}`,
    ...report.limits.flatMap(({ name, value, advice }) => [
      `${advice === null ? 'ok  ' : 'LOW '}      ${name}: ${value ?? 'unknown'}`,
      ...(advice === null ? [] : [`          mend: ${advice}`]),
    ]),
  ].join('\n');
}
