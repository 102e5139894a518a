// Programs described as data, with the results that they have on Go's net package. The runner is
// scripts/go-scenarios.mjs; `npm run -s go-scenarios -- FILE.json -check EXPECTED.jsonl` does the same by hand.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
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

  async function run(...options: string[]): Promise<Map<string, Line>> {
    const args = [join(root, 'scripts', 'go-scenarios.mjs'), join(folder, `${set}.json`), ...options];
    // Other suites run beside this one: being late is no failure here, being early is.
    const { code, stdout, stderr } = await runNode(args, { limit: 290_000, env: { ORACLE_SLACK: '4' } });
    expect(code, stderr).toBe(0);
    return linesOf(stdout);
  }

  beforeAll(async () => {
    got = await run();
  }, 300_000);

  it.for(scenariosOf(set))('$id $title', async ({ id }, { skip }) => {
    const wanted = expected.get(id)?.results;
    let line = got.get(id);
    if (line?.skipped === true) return skip();
    // What comes before a deadline comes after it on a machine that stood still at the wrong moment.
    for (let again = 0; again < 2 && !isDeepStrictEqual(line?.results, wanted); again++) {
      line = (await run('-only', id)).get(id);
    }
    expect(line?.results).toEqual(wanted);
  });
}
