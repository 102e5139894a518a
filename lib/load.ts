// Finds the addon's binary: built here, or prebuilt for this platform.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Thrown when no binary loads. `attempts` has every path tried and the loader's own words. */
export class NoBinaryError extends Error {
  readonly code = 'ERR_SPLICEWAY_NO_BINARY';
  readonly attempts: readonly { path: string; error: string }[];

  constructor(attempts: readonly { path: string; error: string }[]) {
    const tried = attempts.map((a) => `  ${a.path}\n    ${a.error}`).join('\n');
    super(
      `spliceway has no working binary for ${describePlatform()}.\nTried:\n${tried}\n` +
        'To build it (needs a C++20 compiler, make and Python): npx spliceway build',
    );
    this.name = 'NoBinaryError';
    this.attempts = attempts;
  }
}

const root = join(__dirname, '..');

function describePlatform(): string {
  const libc = process.platform === 'linux' ? ` (${libcName()})` : '';
  return `${process.platform}-${process.arch}${libc}, Node ${process.version} (ABI ${process.versions.modules})`;
}

// Only for the text of an error: asking process.report costs tens of milliseconds.
function libcName(): string {
  const report = process.report?.getReport() as unknown as { header?: { glibcVersionRuntime?: string } };
  const version = report?.header?.glibcVersionRuntime;
  return version === undefined ? 'musl or another libc' : `glibc ${version}`;
}

/** Where a binary may be, in the order in which it is looked for. */
export function candidates(): string[] {
  const override = process.env.SPLICEWAY_BINARY_PATH;
  if (override !== undefined && override !== '') return [override];
  const prebuilt = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
  return [
    join(root, 'build', 'Release', 'spliceway.node'),
    join(root, 'native', 'build', 'Release', 'spliceway.node'),
    ...binariesIn(prebuilt),
  ];
}

// Both libcs' files are tried rather than guessing which one runs: the wrong one fails to load.
function binariesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.node'))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [join(folder, 'spliceway.node')];
  }
}

function refuseRuntime(): void {
  const { bun } = process.versions as { bun?: string };
  if (bun === undefined) return;
  // Bun ends the process when an addon calls most of libuv (oven-sh/bun#18546): say so instead.
  throw Object.assign(new Error(`spliceway does not run on Bun (${bun}): it needs Node's libuv loop`), {
    code: 'ERR_SPLICEWAY_RUNTIME',
  });
}

/** Loads the first binary that works. */
export function loadAddon(): unknown {
  refuseRuntime();
  const attempts: { path: string; error: string }[] = [];
  for (const path of candidates()) {
    try {
      return require(path);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ERR_DLOPEN_DISABLED') {
        throw Object.assign(new Error('spliceway is an addon: run Node with --allow-addons'), { code, cause: error });
      }
      attempts.push({ path, error: code === 'MODULE_NOT_FOUND' ? 'no such file' : message });
    }
  }
  throw new NoBinaryError(attempts);
}
