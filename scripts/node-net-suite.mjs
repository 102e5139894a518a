// npm run -s node-net-suite -- DIR [--json OUT] [--table PAGE] [options of DIR/run.mjs]: Node's own tests of its
// net module, with spliceway/net in its place. DIR has the suite. --table writes the results into a page of the
// documentation, between its two marks.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const BEGIN = '<!-- node-net-suite: begin -->';
const END = '<!-- node-net-suite: end -->';

/** Takes `name value` or `name=value` out of the arguments. */
function take(argv, name) {
  const at = argv.findIndex((each) => each === name || each.startsWith(`${name}=`));
  if (at < 0) return undefined;
  const [given] = argv.splice(at, argv[at] === name ? 2 : 1).slice(-1);
  return given.startsWith(`${name}=`) ? given.slice(name.length + 1) : given;
}

function fail(message) {
  console.error(message);
  process.exit(2);
}

function row(topic, { pass, total }) {
  return `| ${topic} | ${pass} | ${total} |`;
}

function table({ node, totals, totalsWithoutWeak, topics }) {
  return [
    `${totals.pass} of ${totals.total} pass on Node ${node}; ${totalsWithoutWeak.pass} of ${totalsWithoutWeak.total}`,
    'without those that pass where nothing is ever opened.',
    '',
    '| topic | pass | total |',
    '|---|---:|---:|',
    ...Object.entries(topics).map(([topic, counts]) => row(topic, counts)),
  ].join('\n');
}

function writeTable(page, results) {
  const text = readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) fail(`${page} has no place for the table`);
  writeFileSync(page, `${text.slice(0, from + BEGIN.length)}\n${table(results)}\n${text.slice(to)}`);
}

const argv = process.argv.slice(2);
const page = take(argv, '--table');
const json = take(argv, '--json');
const [dir, ...options] = argv;
if (dir === undefined || dir.startsWith('-')) fail('usage: npm run -s node-net-suite -- DIR [--json OUT]');
const run = resolve(dir, 'run.mjs');
if (!existsSync(run)) fail(`${run}: no such file`);

const folder = mkdtempSync(join(tmpdir(), 'node-net-suite-'));
const out = json === undefined ? join(folder, 'results.json') : resolve(json);
const impl = join(root, 'dist/net/index.js');
const suite = spawn(process.execPath, [run, '--impl', impl, '--json', out, ...options], { stdio: 'inherit' });
suite.on('exit', (code) => {
  if (page !== undefined && existsSync(out)) writeTable(resolve(page), JSON.parse(readFileSync(out, 'utf8')));
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = code ?? 1;
});
