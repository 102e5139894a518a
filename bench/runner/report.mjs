// What the terminal shows.

import { columnsOf, rowsOf } from './figures.mjs';
import { textTable } from './table.mjs';
import { TARGET_HEADER, targetRows } from './targets.mjs';

export function cellText(scenario, cell) {
  const columns = columnsOf(scenario, [cell]);
  const header = [`${scenario.name}: ${cell.name}`, ...columns.map(({ title }) => title)];
  return textTable(header, rowsOf(scenario, cell, columns));
}

/** The targets of a scenario; empty where none of their cells was measured. */
export function targetsText(scenario, cells) {
  const rows = targetRows(scenario, cells);
  return rows.length === 0 ? '' : textTable(TARGET_HEADER, rows, 3);
}

/** Of the contenders that this machine does not have. */
export function leftOutText(names) {
  return `not installed, and so left out: ${names.join(', ')}`;
}

/** One sentence for each contender that failed in a cell. */
export function failuresOf(scenario, cells) {
  return cells.flatMap((cell) =>
    Object.entries(cell.figures)
      .filter(([, { failed }]) => failed !== undefined)
      .map(([name, { failed }]) => `${scenario.name}: ${cell.name}: ${name}: ${failed}`),
  );
}
