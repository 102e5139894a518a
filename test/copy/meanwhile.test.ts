// What happens to a connection while copies run on it.

import { setTimeout } from 'node:timers/promises';
import { copy } from 'spliceway';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes, MiB, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { type Chain, chain, MIXES, send } from '../support/chain.ts';
import { isPending, until } from '../support/time.ts';

describe.each(MIXES)('%s to %s', (...mix) => {
  let c: Chain;
  let copying: Promise<number>;
  beforeEach(async () => {
    c = await chain(...mix);
    copying = copy(c.b, c.a);
    copying.catch(() => {});
    await through('x');
  });
  afterEach(() => c[Symbol.dispose]());

  async function through(text: string): Promise<void> {
    await c.left.write(text);
    expect(String(await readExactly(c.right, text.length))).toBe(text);
  }

  test.each(['moved', 'cleared'] as const)('deadlines that are %s in time end nothing', async (how) => {
    const soon = Date.now() + 60;
    c.a.setReadDeadline(soon);
    c.b.setWriteDeadline(soon);
    const later = how === 'moved' ? Date.now() + 60_000 : null;
    c.a.setReadDeadline(later);
    c.b.setWriteDeadline(later);
    await until(soon + 30);
    await through('still here');
    c.left.closeWrite();
    expect(await copying).toBe(11);
  });

  test('a write deadline that has passed is forgotten when it is moved', async () => {
    const soon = Date.now() + 30;
    c.b.setWriteDeadline(soon);
    await until(soon + 30);
    expect(await isPending(copying)).toBe(true);
    c.b.setWriteDeadline(null);
    await through('again');
    c.left.closeWrite();
    expect(await copying).toBe(6);
  });

  test('a write deadline that has passed has nothing against the end of the stream', async () => {
    const soon = Date.now() + 30;
    c.b.setWriteDeadline(soon);
    await until(soon + 30);
    expect(await isPending(copying)).toBe(true);
    c.left.closeWrite();
    expect(await copying).toBe(1);
  });

  test('deadlines of the other directions do not matter', async () => {
    c.a.setWriteDeadline(1);
    c.b.setReadDeadline(1);
    await through('there');
    expect(await caught(c.a.write('x'))).toMatchObject({ timeout: true });
    expect(await caught(c.b.read())).toMatchObject({ timeout: true });
    c.left.closeWrite();
    expect(await copying).toBe(6);
  });

  test('the other direction has calls, and deadlines, of its own', async () => {
    const back = copy(c.a, c.b);
    await c.right.write('back');
    expect(String(await readExactly(c.left, 4))).toBe('back');
    c.b.setReadDeadline(1);
    expect(await caught(back)).toMatchObject({ timeout: true, bytesCopied: 4 });
    await through('there');
    await c.a.write('by hand');
    expect(String(await c.left.read())).toBe('by hand');
    expect(await isPending(copying)).toBe(true);
    c.b.setReadDeadline(null);
    const [up, down] = [bytes(2 * MiB, 1), bytes(2 * MiB, 2)];
    const again = copy(c.a, c.b);
    const [atRight, atLeft] = await Promise.all([
      readExactly(c.right, up.length),
      readExactly(c.left, down.length),
      send(c.left, up),
      send(c.right, down),
    ]);
    expect([sha256(atRight), sha256(atLeft)]).toEqual([sha256(up), sha256(down)]);
    expect(await Promise.all([copying, again])).toEqual([6 + up.length, down.length]);
  });

  test('closeRead() of src ends it like the end of the stream', async () => {
    c.a.closeRead();
    expect(await copying).toBe(1);
    await c.b.write('free');
    expect(String(await c.right.read())).toBe('free');
  });

  test('closeWrite() of dst fails the next bytes', async () => {
    c.b.closeWrite();
    expect(await c.right.read()).toBeNull();
    await c.left.write('too late');
    expect(await caught(copying)).toMatchObject({ code: 'EPIPE', bytesCopied: 1 });
  });

  test('detach() of either is refused, and works afterwards', async () => {
    for (const conn of [c.a, c.b]) {
      expect(() => conn.detach()).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }));
    }
    await through('still here');
    c.left.closeWrite();
    await copying;
    const { closeSync } = await import('node:fs');
    for (const conn of [c.a, c.b]) closeSync(conn.detach());
  });

  test('onProgress tells while bytes move', async () => {
    c.left.closeWrite();
    await copying;
    const told: number[] = [];
    const back = copy(c.a, c.b, { onProgress: (copied) => told.push(copied), progressInterval: 10 });
    await setTimeout(40);
    expect(told).toEqual([]);
    await c.right.write('12345');
    await setTimeout(100);
    expect(told).toEqual([5]);
    c.right.closeWrite();
    expect(await back).toBe(5);
    await setTimeout(40);
    expect(told).toEqual([5]);
  });
});
