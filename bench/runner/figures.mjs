// The rows of a report: which figures a contender has in a cell, and how they compare.

import { figure, percent } from './table.mjs';

/** The columns that a scenario's figures fill: { title, of(figures, cell) }. */
export function columnsOf(scenario, cells) {
  const all = [
    { title: scenario.unit, of: ({ median }) => figure(median) },
    { title: 'best quartile', of: ({ bestQuartile }) => figure(bestQuartile) },
    { title: 'worst', of: ({ worst }) => (scenario.showsWorst ? figure(worst) : '-') },
    ...scenario.baselines.map((baseline) => ({
      title: `x ${baseline.short}`,
      of: (figures, cell) => figure(ratio(cell, figures, baseline.name)),
    })),
    { title: `${scenario.things}/s`, of: ({ perSecond }) => figure(perSecond * (scenario.perThing ?? 1)) },
    { title: 'GB/CPU s', of: ({ median }, cell) => figure(gigabytesPerCpuSecond(scenario, cell, median)) },
    { title: 'heap bytes', of: ({ heapBytes }) => figure(heapBytes) },
    { title: 'bytes outside', of: ({ outsideBytes }) => figure(outsideBytes) },
    { title: 'stalled', of: ({ stalled }) => percent(stalled) },
    { title: 'core', of: ({ busy }) => percent(busy) },
    { title: 'p50 µs', of: ({ p50 }) => figure(p50) },
    { title: 'p99 µs', of: ({ p99 }) => figure(p99) },
    { title: scenario.samples ?? 'slices', of: ({ slices }) => String(slices) },
    { title: 'marked', of: markedText },
  ];
  const everywhere = cells.flatMap((cell) => Object.values(cell.figures).map((figures) => ({ cell, figures })));
  return all.filter(({ of }) => everywhere.some(({ cell, figures }) => isFilled(of, figures, cell)));
}

// Of scenarios that measure nanoseconds of CPU for so many bytes, which the cell says.
function gigabytesPerCpuSecond(scenario, { name }, ns) {
  const { bytes } = scenario.cells.find((cell) => cell.name === name) ?? {};
  return bytes === undefined ? undefined : bytes / ns;
}

function isFilled(of, figures, cell) {
  return figures.failed === undefined && of(figures, cell) !== '-';
}

// Marked slices are left out while at least half remain; a plus says that they were left in.
function markedText({ slices, marked, used }) {
  return marked > 0 && used === slices ? `${marked}+` : String(marked);
}

/** How often a contender's figure contains the other's; undefined where either is missing. */
export function ratio(cell, figures, otherName, of = 'median') {
  const other = cell.figures[otherName];
  return other?.[of] === undefined || figures?.[of] === undefined ? undefined : figures[of] / other[of];
}

/** One row for each contender of the cell. */
export function rowsOf(scenario, cell, columns) {
  return Object.entries(cell.figures).map(([name, figures]) => [
    labelOf(scenario, name),
    ...columns.map(({ of }) => (figures.failed === undefined ? of(figures, cell) : 'failed')),
  ]);
}

export function labelOf(scenario, name) {
  return scenario.contenders.find((contender) => contender.name === name)?.label ?? name;
}
