// What a scenario sets out to reach, beside what came out.

import { labelOf, ratio } from './figures.mjs';
import { figure } from './table.mjs';

/**
 * The contender's figure is to be at most so many times the other's.
 * @param of which figure: 'median', 'p50' or 'p99'
 */
export function atMost(cell, contender, factor, against, of = 'median') {
  return { cell, contender: contender.name, against: against.name, of, atMost: factor };
}

/** The inverse of its median is to be at least so many times the other's; the scenario names the inverse. */
export function atLeast(cell, contender, factor, against) {
  return { cell, contender: contender.name, against: against.name, of: 'median', inverse: true, atLeast: factor };
}

/** The contender's median is to be at most so much, in the scenario's unit. */
export function noMore(cell, contender, limit, unit) {
  return { cell, contender: contender.name, of: 'median', unit, atMost: limit };
}

/** The contender's median is to be at least so much, in the scenario's unit. */
export function noLess(cell, contender, limit, unit) {
  return { cell, contender: contender.name, of: 'median', unit, atLeast: limit };
}

export const TARGET_HEADER = ['cell', 'contender', 'target', 'measured', 'met'];

/** Rows for the targets whose cells were measured. */
export function targetRows(scenario, cells) {
  return scenario.targets.flatMap((target) => {
    const cell = cells.find(({ name }) => name === target.cell);
    return cell === undefined ? [] : [targetRow(scenario, target, cell)];
  });
}

function targetRow(scenario, target, cell) {
  const measured = measuredOf(target, cell);
  return [
    target.cell,
    labelOf(scenario, target.contender),
    describe(scenario, target),
    figure(measured),
    measured === undefined ? 'not measured' : isMet(target, measured) ? 'yes' : 'no',
  ];
}

// Some things are said of the inverse: bytes for each CPU second, where CPU seconds were measured.
function measuredOf({ contender, against, of, inverse = false }, cell) {
  const figures = cell.figures[contender];
  if (against === undefined) return figures?.[of];
  const measured = ratio(cell, figures, against, of);
  return measured === undefined || !inverse ? measured : 1 / measured;
}

function describe(scenario, target) {
  const bound = target.atLeast === undefined ? 'at most' : 'at least';
  const limit = target.atLeast ?? target.atMost;
  if (target.against === undefined) return `${bound} ${figure(limit)}${target.unit ? ` ${target.unit}` : ''}`;
  const other = labelOf(scenario, target.against);
  if (target.inverse) return `${bound} ${limit} x ${scenario.inverse} of ${other}`;
  return `${target.of === 'median' ? '' : `${target.of} `}${bound} ${limit} x ${other}`;
}

function isMet({ atMost: most = Number.POSITIVE_INFINITY, atLeast: least = 0 }, measured) {
  return measured <= most && measured >= least;
}
