// Scanners.

import { codec } from './library.mjs';
import { fail, tokenForm } from './results.mjs';

const SPLITS = { words: 'scanWords', bytes: 'scanBytes', runes: 'scanRunes' };

function endForm(scanner) {
  const error = scanner.err() ?? null;
  return error === null ? { done: true } : { done: true, ...fail(error) };
}

async function scanAll(world, { on }) {
  const scanner = world.scanners.get(on);
  const tokens = [];
  while (await scanner.scan()) tokens.push(tokenForm(scanner.bytes()));
  return { ...endForm(scanner), tokens };
}

export const verbs = {
  scanner(world, { as, split, maxToken = 0 }, { object }) {
    const scanner = new codec.Scanner(object);
    if (SPLITS[split] !== undefined) scanner.split(codec[SPLITS[split]]);
    if (maxToken > 0) scanner.buffer(maxToken);
    world.scanners.set(as, scanner);
    return { ok: true };
  },

  async scan(world, { on }) {
    const scanner = world.scanners.get(on);
    return (await scanner.scan()) ? { token: tokenForm(scanner.bytes()) } : endForm(scanner);
  },

  scanAll,
};
