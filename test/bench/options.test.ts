import { expect, test } from 'vitest';
import { importBench } from './import';

const { parseOptions, UsageError } = await importBench('options.mjs');

interface Scenario {
  name: string;
  contenders: { name: string }[];
}

/** Scenarios and their contenders. */
function chosen(...args: string[]) {
  const { scenarios, contendersOf } = parseOptions(args);
  return Object.fromEntries(
    scenarios.map((scenario: Scenario) => [scenario.name, contendersOf(scenario).map((c: { name: string }) => c.name)]),
  );
}

test('without arguments all contenders of all scenarios run', () => {
  const all = chosen();
  expect(Object.keys(all)).toEqual(expect.arrayContaining(['forward', 'forward-pingpong', 'idle-relays', 'blocked']));
  expect(all.forward).toEqual(expect.arrayContaining(['c-splice', 'go', 'haproxy-splice', 'nginx-stream', 'tokio']));
});

test('--quick leaves out the slow scenarios and some contenders, and neither of a scenario that is named', () => {
  const quick = chosen('--quick');
  expect(quick.blocked).toBeUndefined();
  expect(quick.forward).not.toContain('tokio');
  expect(chosen('--quick', 'blocked')).toEqual({ blocked: ['node-net-pipe', 'spliceway-relay'] });
  expect(chosen('--quick', 'forward').forward).toContain('tokio');
});

test('--contenders are looked for in each scenario', () => {
  expect(chosen('forward', 'sendfile', '--contenders', 'go,spliceway-send')).toEqual({
    forward: ['go'],
    sendfile: ['go', 'spliceway-send'],
  });
});

test('a scenario that is not there is bad usage', () => {
  expect(() => parseOptions(['forwards'])).toThrow(UsageError);
});
