// What a scenario sets out to reach, beside what came out.

import { labelOf, ratio } from './figures.mjs';
import { figure } from './table.mjs';

/** The contender's median is to be at most so many times the other's. */
export function atMost(cell, contender, factor, against) {
  return { cell, contender: contender.name, against: against.name, atMost: factor };
}

/** The inverse of its median is to be at least so many times the other's; the scenario names the inverse. */
export function atLeast(cell, contender, factor, against) {
  return { cell, contender: contender.name, against: against.name, atLeast: factor };
}

/** The contender's median is to be at most so much, in the scenario's unit. */
export function noMore(cell, contender, limit, unit) {
  return { cell, contender: contender.name, limit, unit };
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
function measuredOf(target, cell) {
  if (target.limit !== undefined) return cell.figures[target.contender]?.median;
  const measured = ratio(cell, cell.figures[target.contender], target.against);
  return measured === undefined || target.atLeast === undefined ? measured : 1 / measured;
}

function describe(scenario, target) {
  if (target.limit !== undefined) return `at most ${figure(target.limit)} ${target.unit}`;
  const other = labelOf(scenario, target.against);
  if (target.atLeast === undefined) return `at most ${target.atMost} x ${other}`;
  return `at least ${target.atLeast} x ${scenario.inverse} of ${other}`;
}

function isMet(target, measured) {
  return target.atLeast === undefined ? measured <= (target.atMost ?? target.limit) : measured >= target.atLeast;
}
