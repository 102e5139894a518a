// What a scenario sets out to reach, beside what came out.

import { labelOf, ratio } from './figures.mjs';
import { figure } from './table.mjs';

/**
 * The contender's figure is to be at most so many times the other's.
 * @param of which figure: 'median', 'p50' or 'p99'
 * @param orAbove so much more than the other's will do as well, however many times it that is: p50 and p99 are in µs
 */
export function atMost(cell, contender, factor, against, of = 'median', orAbove = undefined) {
  return { cell, contender: contender.name, against: against.name, of, atMost: factor, orAbove };
}

/** The inverse of its median is to be at least so many times the other's; the scenario names the inverse. */
export function atLeast(cell, contender, factor, against) {
  return { cell, contender: contender.name, against: against.name, of: 'median', inverse: true, atLeast: factor };
}

/**
 * The contender's figure is to be at most so much.
 * @param of which figure: mostly the median, in the scenario's unit
 */
export function noMore(cell, contender, limit, unit, of = 'median') {
  return { cell, contender: contender.name, of, unit, atMost: limit };
}

/** The contender's figure is to be at least so much. */
export function noLess(cell, contender, limit, unit, of = 'median') {
  return { cell, contender: contender.name, of, unit, atLeast: limit };
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
    measured === undefined ? 'not measured' : isMet(target, measured, cell) ? 'yes' : 'no',
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
  const of = target.of === 'median' ? '' : `${target.of} `;
  if (target.against === undefined) return `${of}${bound} ${figure(limit)}${target.unit ? ` ${target.unit}` : ''}`;
  const other = labelOf(scenario, target.against);
  if (target.inverse) return `${bound} ${limit} x ${scenario.inverse} of ${other}`;
  const or = target.orAbove === undefined ? '' : `, or ${figure(target.orAbove)} µs above`;
  return `${of}${bound} ${limit} x ${other}${or}`;
}

function isMet(target, measured, cell) {
  const { atMost: most = Number.POSITIVE_INFINITY, atLeast: least = 0, orAbove } = target;
  return (measured <= most && measured >= least) || (orAbove !== undefined && differenceOf(target, cell) <= orAbove);
}

function differenceOf({ contender, against, of }, { figures }) {
  return figures[contender][of] - figures[against][of];
}
