// bench/RESULTS.md and the figures behind it, bench/results.json. A run replaces the sections of its
// scenarios and leaves the others, and any text around them, as they are.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { columnsOf, labelOf, rowsOf } from './figures.mjs';
import { machineLine } from './machine.mjs';
import { leftOutText } from './report.mjs';
import { figure, markdownTable } from './table.mjs';
import { TARGET_HEADER, targetRows } from './targets.mjs';

const JSON_FILE = new URL('../results.json', import.meta.url);
const PAGE = new URL('../RESULTS.md', import.meta.url);

const HEAD = `# Results

Made by \`npm run bench -- --update\`; [README.md](README.md) says what is measured and how to read it.
Compare figures within a table only: those of another machine, or of another day, differ by half.
`;

export function updateResults(scenario, result) {
  const all = existsSync(JSON_FILE) ? JSON.parse(readFileSync(JSON_FILE, 'utf8')) : {};
  writeFileSync(JSON_FILE, toJson({ ...all, [scenario.name]: result }));
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : HEAD;
  writeFileSync(PAGE, replaceSection(page, scenario.name, sectionOf(scenario, result)));
}

/** Figures to six digits: the rest is noise, in the file's history too. */
export function toJson(value) {
  const rounded = (_, item) => (typeof item === 'number' ? Number(item.toPrecision(6)) : item);
  return `${JSON.stringify(value, rounded, 1)}\n`;
}

function replaceSection(page, name, section) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  const text = `${begin}\n${section}\n${end}`;
  if (from < 0 || to < from) return `${page.trimEnd()}\n\n${text}\n`;
  return page.slice(0, from) + text + page.slice(to + end.length);
}

function sectionOf(scenario, { cells, machine, command, date, rounds, time, leftOut }) {
  const targets = targetRows(scenario, cells);
  return [
    `## ${scenario.title}`,
    scenario.about,
    `${machineLine(machine)}. ${date}, ${rounds} rounds of ${time.seconds} s, \`${command}\``,
    ...(leftOut.length === 0 ? [] : [`${capitalized(leftOutText(leftOut))}.`]),
    `${scenario.unit}, median:`,
    overview(scenario, cells),
    ...(targets.length === 0 ? [] : ['Targets:', markdownTable(TARGET_HEADER, targets, 3)]),
    `<details><summary>All figures</summary>\n\n${details(scenario, cells)}\n\n</details>`,
  ].join('\n\n');
}

const capitalized = (text) => text[0].toUpperCase() + text.slice(1);

function overview(scenario, cells) {
  const names = Object.keys(cells[0].figures);
  const rows = cells.map((cell) => [
    cell.name,
    ...names.map((name) => (cell.figures[name].failed === undefined ? figure(cell.figures[name].median) : 'failed')),
  ]);
  return markdownTable(['', ...names.map((name) => labelOf(scenario, name))], rows);
}

function details(scenario, cells) {
  const columns = columnsOf(scenario, cells);
  const rows = cells.flatMap((cell) => rowsOf(scenario, cell, columns).map((row) => [cell.name, ...row]));
  return markdownTable(['cell', 'contender', ...columns.map(({ title }) => title)], rows, 2);
}
