// npm run pack:check: installs the packed tarball as a user would, in a folder outside the checkout, on a
// PATH without compilers; uses it; then takes the binary away and has it built.

import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { report } from './tally.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const tarball = join(root, `spliceway-${version}.tgz`);
const platform = `${process.platform}-${process.arch}`;

const place = realpathSync(mkdtempSync(join(tmpdir(), 'spliceway-package-')));
const app = join(place, 'app');
const installed = join(app, 'node_modules', 'spliceway');
const prebuilds = join(installed, 'prebuilds', platform);

const TOOLS = ['cc', 'c++', 'gcc', 'g++', 'clang', 'make', 'cmake', 'python', 'python3', 'node-gyp'];
// What npm tells the scripts that it runs is about the checkout; these would reach the package's processes.
const NOT_PASSED_ON =
  /^(npm_(package|lifecycle|command|config_(local_prefix|loglevel|silent))|INIT_CWD|NODE_(OPTIONS|PATH)|SPLICEWAY_)/;

function environment(path) {
  const passed = Object.entries(process.env).filter(([name]) => !NOT_PASSED_ON.test(name));
  return { ...Object.fromEntries(passed), PATH: path };
}

function findOnPath(program) {
  const found = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim();
  return realpathSync(found);
}

/** A PATH with what npm itself needs, and no more. */
function pathWithoutCompilers() {
  const bin = join(place, 'bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  for (const program of ['npm', 'npx', 'sh']) symlinkSync(findOnPath(program), join(bin, program));
  return bin;
}

/** The user's PATH, less what npm puts in front of it. */
function pathWithCompilers() {
  const added = /[/\\](node_modules[/\\]\.bin|node-gyp-bin)$/;
  return process.env.PATH.split(delimiter)
    .filter((folder) => !added.test(folder))
    .join(delimiter);
}

const bare = environment(pathWithoutCompilers());
const full = environment(pathWithCompilers());

/** Runs a command in the app; what it printed. */
function attempt(command, env = bare) {
  const [program, ...args] = command.split(' ');
  return spawnSync(program, args, { cwd: app, env, encoding: 'utf8' });
}

/** As attempt(), for one that has to succeed. */
function run(command, env = bare) {
  const { status, signal, error, stdout, stderr } = attempt(command, env);
  assert.equal(status, 0, `${command}: ${error?.message ?? signal ?? `exit code ${status}`}\n${stdout}${stderr}`);
  return stdout;
}

const results = [];

function check(claim, body) {
  try {
    body();
    results.push({ passed: 1, failed: 0 });
    console.log(`ok      ${claim}`);
  } catch (error) {
    results.push({ passed: 0, failed: 1 });
    console.log(`not ok  ${claim}\n${String(error.message).replace(/^/gm, '        ')}`);
  }
}

function makeApp() {
  mkdirSync(app);
  cpSync(join(root, 'test', 'package'), app, { recursive: true });
  cpSync(tarball, join(app, `spliceway-${version}.tgz`));
  writeFileSync(join(app, 'package.json'), '{ "private": true }\n');
}

function checkEcho(when) {
  for (const [how, command] of [
    ['an ES module', 'node echo.mjs'],
    ['CommonJS', 'node echo.cjs'],
    ['an ES module in a worker', 'node worker.mjs ./echo.mjs'],
    ['CommonJS in a worker', 'node worker.mjs ./echo.cjs'],
  ]) {
    check(`${when}: an echo from ${how}`, () => assert.equal(run(command), 'echo\n'));
  }
}

const NPM_QUIETLY = '--no-audit --no-fund --prefer-offline';

function checkInstall() {
  check('there is no compiler on the PATH', () => {
    for (const tool of TOOLS) assert.equal(attempt(`${tool} --version`).error?.code, 'ENOENT', tool);
  });
  check('npm install --ignore-scripts', () =>
    run(`npm install --ignore-scripts ${NPM_QUIETLY} ./spliceway-${version}.tgz`),
  );
  checkEcho('npm install');
  check('nothing asks to run at install', () =>
    assert.doesNotMatch(readFileSync(join(app, 'package-lock.json'), 'utf8'), /hasInstallScript/),
  );
  check('npm ci', () => run(`npm ci ${NPM_QUIETLY}`));
  checkEcho('npm ci');
  check('npm rebuild', () => run('npm rebuild'));
  checkEcho('npm rebuild');
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1));
}

const BELONGS = [
  /^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
  /^dist\/.+\.(js|mjs|d\.ts|d\.mts)$/,
  /^native\/(binding\.gyp|sources\.json|(sys|poll|core|io|relay|codec|health|session|chaos|binding)\/.+\.(cc|h))$/,
  /^prebuilds\/\w+-\w+\/spliceway(\.glibc|\.musl)?\.node$/,
];

function checkContents() {
  check('holds what it should', () => {
    const files = filesIn(installed);
    const strays = files.filter((file) => !BELONGS.some((pattern) => pattern.test(file)));
    assert.deepEqual(strays, []);
    for (const pattern of BELONGS)
      assert.ok(
        files.some((file) => pattern.test(file)),
        String(pattern),
      );
    for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE', 'native/binding.gyp'])
      assert.ok(files.includes(name), name);
  });
  check('holds all sources that are listed', () => {
    const lists = JSON.parse(readFileSync(join(installed, 'native', 'sources.json'), 'utf8'));
    const files = new Set(filesIn(join(installed, 'native')));
    assert.deepEqual(
      Object.values(lists)
        .flat()
        .filter((file) => !files.has(file)),
      [],
    );
  });
  check('its package.json has no scripts and no devDependencies', () => {
    const { scripts, devDependencies, gypfile } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    assert.deepEqual(
      { scripts, devDependencies, gypfile },
      { scripts: undefined, devDependencies: undefined, gypfile: undefined },
    );
  });
}

function checkUse() {
  check('npx spliceway doctor --json names the binary', () => {
    const { binary, version: told } = JSON.parse(run('npx spliceway doctor --json'));
    assert.equal(told, version);
    assert.equal(binary.error, null);
    assert.equal(dirname(binary.path), prebuilds);
  });
  check('both formats in one process share one native object', () =>
    assert.equal(dirname(run('node formats.mjs').trim()), prebuilds),
  );
  checkTypes('node16', 'node16');
  checkTypes('nodenext', 'nodenext');
  checkTypes('preserve', 'bundler');
}

function checkTypes(module, resolution) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const types = `--types node --typeRoots ${join(root, 'node_modules', '@types')}`;
  const how = `--noEmit --strict --target es2022 --module ${module} --moduleResolution ${resolution}`;
  check(`types of both formats, moduleResolution ${resolution}`, () =>
    run(`node ${tsc} ${how} ${types} types.mts types.cts`),
  );
}

/** What the error of a process that cannot load the addon has to say. */
function checkRefusal(told, ...more) {
  const libc = process.platform === 'linux' ? [/glibc [\d.]+|musl/] : [];
  const paths = [join(installed, 'build'), join(installed, 'native', 'build'), prebuilds];
  for (const wanted of [platform, process.version, ...libc, ...paths, 'npx spliceway build', ...more]) {
    assert.ok(wanted instanceof RegExp ? wanted.test(told) : told.includes(wanted), `no ${wanted} in:\n${told}`);
  }
}

function checkMissingBinary() {
  const refusals = (...more) => {
    for (const file of ['echo.mjs', 'echo.cjs']) {
      const { status, stderr } = attempt(`node ${file}`);
      assert.equal(status, 1);
      checkRefusal(stderr, 'ERR_SPLICEWAY_NO_BINARY', ...more);
    }
  };
  const [binary] = readdirSync(prebuilds);
  writeFileSync(join(prebuilds, binary), 'This is no shared object.');
  check('a binary that does not load: the error has the words of the loader', () =>
    refusals(join(prebuilds, binary), /file too short|invalid ELF header|not a mach-o/i),
  );
  rmSync(join(installed, 'prebuilds'), { recursive: true });
  check('no binary: the error says what was looked for, and what helps', () => refusals('no such file'));
  check('no binary: doctor says so and fails', () => {
    const { status, stdout } = attempt('npx spliceway doctor --json');
    assert.equal(status, 1);
    assert.equal(typeof JSON.parse(stdout).binary.error, 'string');
  });
}

function checkBuild() {
  check('spliceway build fails where there is no compiler, and says what it missed', () => {
    const { status, stderr } = attempt('npx spliceway build');
    assert.notEqual(status, 0);
    assert.match(stderr, /find Python|not found: (make|g\+\+)/);
  });
  check('spliceway build works where there is one', () => run('npx spliceway build', full));
  checkEcho('built');
  check('npm rebuild leaves what was built', () => {
    run('npm rebuild');
    const { binary } = JSON.parse(run('npx spliceway doctor --json'));
    assert.equal(binary.path, join(installed, 'native', 'build', 'Release', 'spliceway.node'));
  });
}

try {
  makeApp();
  checkInstall();
  checkContents();
  checkUse();
  checkMissingBinary();
  checkBuild();
} catch (error) {
  check('the checks come to their end', () => {
    throw error;
  });
} finally {
  rmSync(place, { recursive: true, force: true });
}
report(results);
