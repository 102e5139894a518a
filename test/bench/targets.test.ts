import { describe, expect, test } from 'vitest';
import { importBench } from './import';

const { atLeast, atMost, noLess, noMore, targetRows } = await importBench('runner/targets.mjs');
const { summarize } = await importBench('runner/samples.mjs');

const ours = { name: 'ours', label: 'ours' };
const theirs = { name: 'theirs', label: 'theirs' };

/** What the report says of one target: text, measured, met. */
function verdictOn(target: unknown, figures: object) {
  const scenario = { contenders: [ours, theirs], inverse: 'bytes per CPU second', targets: [target] };
  const [row] = targetRows(scenario, [{ name: 'cell', figures }]);
  return row.slice(2);
}

describe('targets', () => {
  test('atMost() compares medians, and other figures where it is told to', () => {
    const figures = { ours: { median: 2, p99: 30 }, theirs: { median: 2, p99: 20 } };
    expect(verdictOn(atMost('cell', ours, 1.25, theirs), figures)).toEqual(['at most 1.25 x theirs', '1.00', 'yes']);
    expect(verdictOn(atMost('cell', ours, 1.25, theirs, 'p99'), figures)).toEqual([
      'p99 at most 1.25 x theirs',
      '1.50',
      'no',
    ]);
  });

  test('atMost() is met by what is little in itself, too', () => {
    const target = atMost('cell', ours, 3, theirs, 'p99', 5000);
    const verdict = (p99: number) => verdictOn(target, { ours: { p99 }, theirs: { p99: 100 } }).slice(1);
    expect(verdictOn(target, {})[0]).toBe('p99 at most 3 x theirs, or 5,000 µs above');
    expect(verdict(300)).toEqual(['3.00', 'yes']);
    expect(verdict(5100)).toEqual(['51.0', 'yes']);
    expect(verdict(5101)).toEqual(['51.0', 'no']);
  });

  test('atLeast() compares inverses: half the CPU is twice the bytes', () => {
    const target = atLeast('cell', ours, 2, theirs);
    const text = 'at least 2 x bytes per CPU second of theirs';
    expect(verdictOn(target, { ours: { median: 1 }, theirs: { median: 2 } })).toEqual([text, '2.00', 'yes']);
    expect(verdictOn(target, { ours: { median: 2 }, theirs: { median: 2 } })).toEqual([text, '1.00', 'no']);
  });

  test('noMore() and noLess() are about the figure itself', () => {
    expect(verdictOn(noMore('cell', ours, 100, 'ns'), { ours: { median: 101 } })).toEqual([
      'at most 100 ns',
      '101',
      'no',
    ]);
    expect(verdictOn(noLess('cell', ours, 0.9), { ours: { median: 0.95 } })).toEqual([
      'at least 0.900',
      '0.950',
      'yes',
    ]);
    expect(verdictOn(noMore('cell', ours, 0, 'lost', 'worst'), { ours: { median: 0, worst: 1 } })).toEqual([
      'worst at most 0 lost',
      '1.00',
      'no',
    ]);
    expect(verdictOn(noLess('cell', ours, 0.9), { ours: { median: 0 } })).toEqual(['at least 0.900', '0', 'no']);
  });

  test('one whose other side was not measured is neither met nor missed', () => {
    const verdict = verdictOn(atMost('cell', ours, 1, theirs), { ours: { median: 1 }, theirs: { failed: 'why' } });
    expect(verdict).toEqual(['at most 1 x theirs', '-', 'not measured']);
  });
});

test('the best quartile is the upper one where more is better; the worst of all is never left out', () => {
  const samples = [1, 2, 3, 4, 5].map((value) => ({ value, disturbed: false }));
  expect(summarize([{ samples }]).bestQuartile).toBe(2);
  expect(summarize([{ samples: [...samples, { value: 9, disturbed: true }] }]).worst).toBe(9);
  expect(summarize([{ samples }], { moreIsBetter: true })).toMatchObject({ bestQuartile: 4, worst: 1 });
});
