// Programs described as data, with the results that they have on Go's net package. The runner is
// scripts/go-scenarios.mjs; `npm run -s go-scenarios -- FILE.json -check EXPECTED.jsonl` does the same by hand.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { root, runNode } from '../support/child.ts';

interface Line {
  id: string;
  results?: unknown[];
  /** The machine lacks what it needs. */
  skipped?: boolean;
}

const folder = join(root, 'test', 'go-scenarios');

function linesOf(text: string): Map<string, Line> {
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => JSON.parse(line) as Line).map((line) => [line.id, line]));
}

function scenariosOf(set: string): { id: string; title: string }[] {
  return JSON.parse(readFileSync(join(folder, `${set}.json`), 'utf8')).scenarios;
}

/** One test for each scenario of a set. They run in a process of their own, one after the other. */
export function compareWithGo(set: string): void {
  const expected = linesOf(readFileSync(join(folder, `${set}-expected.jsonl`), 'utf8'));
  let got = new Map<string, Line>();

  beforeAll(async () => {
    const args = [join(root, 'scripts', 'go-scenarios.mjs'), join(folder, `${set}.json`)];
    // Other suites run beside this one: being late is no failure here, being early is.
    const { code, stdout, stderr } = await runNode(args, { limit: 290_000, env: { ORACLE_SLACK: '4' } });
    expect(code, stderr).toBe(0);
    got = linesOf(stdout);
  }, 300_000);

  it.for(scenariosOf(set))('$id $title', ({ id }, { skip }) => {
    const line = got.get(id);
    if (line?.skipped === true) return skip();
    expect(line?.results).toEqual(expected.get(id)?.results);
  });
}
