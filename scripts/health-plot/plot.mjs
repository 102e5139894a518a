// What was measured in a run, as an SVG.

import vega from 'vega';
import { compile } from 'vega-lite';

const WIDTH = 780;
const STATES = { healthy: '#d9f0d3', stalled: '#fde9a9', degraded: '#f9c7a0', lost: '#e79a9a' };
const time = (field) => ({ field, type: 'quantitative', title: null, axis: null, scale: { nice: false } });

/** Only where one of the fields changes, and the end. */
function changes(measured, ...fields) {
  return measured.filter((each, i) => {
    const before = measured[i - 1];
    return i === 0 || i === measured.length - 1 || fields.some((field) => each[field] !== before[field]);
  });
}

/** One state after the other, from the transitions; `healing` alone is none. */
function statesOf(transitions, end) {
  const states = [{ state: 'healthy', from: 0 }];
  for (const { at, from, to } of transitions) if (from !== to) states.push({ state: to, from: at });
  return states.map((each, i) => ({ ...each, to: states[i + 1]?.from ?? end }));
}

function lane(title, values, label, color) {
  const x = { x: { ...time('from') }, x2: { field: 'to' } };
  const middle = { calculate: '(datum.from + datum.to) / 2', as: 'middle' };
  // Where it is too narrow for its label the legend has to do.
  const wide = `(datum.to - datum.from) * ${WIDTH / values.at(-1).to} > 6 * length(datum.${label})`;
  return {
    width: WIDTH,
    height: 24,
    title: { text: title, anchor: 'start', fontSize: 11, fontWeight: 'normal', offset: 4 },
    data: { values },
    transform: [middle],
    layer: [
      { mark: { type: 'rect', stroke: '#888', strokeWidth: 0.5 }, encoding: { ...x, color } },
      {
        transform: [{ filter: wide }],
        mark: { type: 'text', fontSize: 10 },
        encoding: { x: time('middle'), text: { field: label } },
      },
    ],
  };
}

function lines(values) {
  const measured = changes(values, 'rtt', 'replyTimeout').flatMap(({ at, rtt, replyTimeout }) => [
    { at, what: 'round trip', ms: rtt },
    { at, what: 'reply timeout', ms: replyTimeout },
  ]);
  return {
    width: WIDTH,
    height: 220,
    data: { values: measured.filter(({ ms }) => ms > 0) },
    mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.5 },
    encoding: {
      x: time('at'),
      y: { field: 'ms', type: 'quantitative', title: 'milliseconds', scale: { type: 'log', nice: true } },
      color: {
        field: 'what',
        type: 'nominal',
        scale: { range: ['#c0392b', '#2166ac'] },
        legend: { title: null, orient: 'bottom' },
      },
    },
  };
}

function score(values) {
  return {
    width: WIDTH,
    height: 80,
    data: { values: changes(values, 'score') },
    mark: { type: 'area', interpolate: 'step-after', color: '#9ecae1', line: { color: '#2166ac' } },
    encoding: {
      x: { ...time('at'), title: 'seconds', axis: { tickMinStep: 5 } },
      y: { field: 'score', type: 'quantitative', scale: { domain: [0, 1] } },
    },
  };
}

export async function plot({ measured, transitions, phases }) {
  const end = phases.at(-1).to;
  const ofState = {
    field: 'state',
    type: 'nominal',
    scale: { domain: Object.keys(STATES), range: Object.values(STATES) },
    legend: { title: null, orient: 'right' },
  };
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    background: 'white',
    padding: 12,
    spacing: 8,
    vconcat: [
      lane('network and peer', phases, 'name', { value: '#eeeeee' }),
      lane('state', statesOf(transitions, end), 'state', ofState),
      lines(measured),
      score(measured),
    ],
    resolve: { scale: { x: 'shared', color: 'independent' } },
  };
  return new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' }).toSVG();
}
