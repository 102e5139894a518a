// What the documentation shows: every complete program in it runs, ends by itself and prints what its
// comments say, and every name that the package exports is explained.
//
//   ```js           a complete program
//   ```js fragment  not one: left alone
//   // prints TEXT  a line of its output; `…` stands for anything

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root, runScript } from '../support/child.ts';

const pages = [
  'README.md',
  'docs/zero-copy.md',
  ...readdirSync(join(root, 'docs/api')).map((name) => `docs/api/${name}`),
];
const textOf = (page: string) => readFileSync(join(root, page), 'utf8');

/** The complete programs of a page, with the line that each begins at. */
function programsOf(page: string): { line: number; source: string }[] {
  const text = textOf(page);
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(({ 1: source = '', index }) => ({
    line: text.slice(0, index).split('\n').length + 1,
    source,
  }));
}

const promised = (source: string) => [...source.matchAll(/\/\/ prints (.+)$/gm)].map(([, line = '']) => line);

/** Whether `printed` is `line`, in which `…` stands for anything. */
function fits(printed: string, line: string): boolean {
  const literal = line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('.+')}$`).test(printed);
}

describe.each(pages)('%s', (page) => {
  test.each(programsOf(page))('the program at line $line prints what it says, and ends', async ({ source }) => {
    const { code, stdout, stderr } = await runScript(source);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = promised(source);
    const printed = stdout.split('\n').slice(0, -1);
    // Two ends of a connection print in the order in which they come to it.
    const left = lines.filter((line) => {
      const at = printed.findIndex((text) => fits(text, line));
      if (at >= 0) printed.splice(at, 1);
      return at < 0;
    });
    expect({ missing: left, besides: printed }).toEqual({ missing: [], besides: [] });
  });
});

test('every page has a program', () => {
  const without = pages.filter((page) => programsOf(page).length === 0);
  expect(without).toEqual([]);
});

test.each(['index', 'codec/index'])('every name that lib/%s.ts exports is in docs/api', (index) => {
  const lists = [...textOf(`lib/${index}.ts`).matchAll(/\{([^}]*)\}/g)].flatMap(([, list = '']) => list.split(','));
  const names = lists
    .map((item) => item.replace(/^\s*(type\s+)?(\w+\s+as\s+)?/, '').trim())
    .filter((name) => name !== '');
  expect(names.length).toBeGreaterThan(10);
  const text = pages
    .filter((page) => page.startsWith('docs/api/'))
    .map(textOf)
    .join('\n');
  const code = [...text.matchAll(/^```.*?^```$|`[^`\n]+`|^#+ .+?$/gms)].join('\n');
  const missing = names.filter((name) => !new RegExp(`\\b${name}\\b`).test(code));
  expect(missing).toEqual([]);
});
