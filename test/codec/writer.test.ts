// Writer, over connections and other destinations.

import fc from 'fast-check';
import { pipe } from 'spliceway';
import { ErrShortWrite, Reader, Writer } from 'spliceway/codec';
import { describe, expect, test } from 'vitest';
import { bytes, readAll } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { streams } from '../support/pair.ts';
import { turns } from '../support/time.ts';

/** A destination that remembers each write. */
function recorder() {
  const writes: Buffer[] = [];
  const write = (p: Uint8Array) => writes.push(Buffer.from(p)) && p.length;
  return { writes, write };
}

describe.each(streams)('%s', (_network, makePair) => {
  test('what is written arrives once it is flushed', async () => {
    using pair = await makePair();
    const writer = new Writer(pair.client);
    expect(await writer.write('grüße, ')).toBe(9);
    expect(await writer.writeString('text ')).toBe(5);
    expect(await writer.write(Buffer.from('bytes'))).toBe(5);
    expect(await writer.writeByte(10)).toBe(1);
    expect(writer.buffered).toBe(20);
    expect(writer.available).toBe(writer.size - 20);
    await writer.flush();
    expect(writer.buffered).toBe(0);
    expect(await new Reader(pair.server).readLine()).toBe('grüße, text bytes');
  });

  test('what is never awaited arrives whole and in order', async () => {
    using pair = await makePair();
    const writer = new Writer(pair.client, { size: 1000 });
    const sent = Array.from({ length: 300 }, (_, i) => bytes((i * i) % 5000, i + 1));
    const reading = readAll(pair.server);
    for (const piece of sent) void writer.write(piece);
    await writer.flush();
    pair.client.close();
    expect((await reading).equals(Buffer.concat(sent))).toBe(true);
  });

  test('a deadline is the end of it: every later call rejects with the same error', async () => {
    using pair = await makePair();
    const writer = new Writer(pair.client, { size: 64 });
    await writer.write('abc');
    pair.client.setWriteDeadline(1);
    const error = await caught(writer.flush());
    expect(error).toMatchObject({ timeout: true, op: 'write' });
    pair.client.setWriteDeadline(null);
    expect(await caught(writer.write('d'))).toBe(error);
    expect(await caught(writer.writeByte(1))).toBe(error);
    expect(await caught(writer.flush())).toBe(error);
    expect(writer.buffered).toBe(3);
  });
});

describe('the buffer', () => {
  test('is filled up and written, and what is as large as it is not copied, as in Go', async () => {
    const { writes, write } = recorder();
    const writer = new Writer({ write }, { size: 16 });
    for (const [n, expected] of [
      [10, []],
      [6, []], // full, and not written yet
      [1, [16]],
      [20, [16, 16]],
      [32, [16, 16, 16, 21]], // 5 were left: 11 fill it up, and the other 21 go as they are
    ] as const) {
      await writer.write(bytes(n));
      expect(writes.map(({ length }) => length)).toEqual(expected);
    }
    expect(writer.buffered).toBe(0);
    await writer.write('');
    await writer.flush();
    expect(writes).toHaveLength(4);
  });

  test('gives the destination the same bytes, however they were written', async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 16, max: 100 }), fc.boolean(), async (all, size, awaits) => {
        const { writes, write } = recorder();
        const writer = new Writer({ write: async (p) => write(p) }, { size });
        for (const piece of all) {
          const writing = writer.write(piece);
          if (awaits) expect(await writing).toBe(piece.length);
        }
        await writer.flush();
        expect(Buffer.concat(writes).equals(Buffer.concat(all))).toBe(true);
        expect(writes.slice(0, -1).every(({ length }) => length >= size)).toBe(true);
      }),
    );
  });

  test('holds back whoever awaits, until the destination has room', async () => {
    const [a, b] = pipe();
    const writer = new Writer(a, { size: 16 });
    let done = false;
    const writing = writer.write('x'.repeat(40)).then(() => {
      done = true;
    });
    const late = writer.write('y');
    await turns();
    expect(done).toBe(false);
    const flushed = writer.flush();
    expect(String(await new Reader(b).readFull(41))).toBe(`${'x'.repeat(40)}y`);
    await Promise.all([writing, late, flushed]);
  });
});

describe('a destination that fails', () => {
  test('half-way leaves the rest in the buffer', async () => {
    const writer = new Writer({ write: (p) => p.length - 2 });
    await writer.write('abcde');
    expect(await caught(writer.flush())).toBe(ErrShortWrite);
    expect(writer.buffered).toBe(2);
    expect(await caught(writer.write('x'))).toBe(ErrShortWrite);
  });

  test('fails the calls in line, which write nothing', async () => {
    let calls = 0;
    const broken = new Error('broken');
    const write = async () => {
      calls++;
      throw broken;
    };
    const writer = new Writer({ write }, { size: 16 });
    const all = [writer.write('x'.repeat(20)), writer.write('y'), writer.flush()];
    for (const call of all) expect(await caught(call)).toBe(broken);
    expect(calls).toBe(1);
  });

  test('answers with what is no number: a typed error', async () => {
    const writer = new Writer({ write: (() => true) as never });
    void writer.write('x');
    expect(await caught(writer.flush())).toMatchObject({ code: 'ERR_INVALID_RETURN_VALUE' });
  });

  test('is no unhandledRejection where nobody awaits', async () => {
    const script = `
      import { pipe } from 'spliceway';
      import { Writer } from 'spliceway/codec';
      const [a, b] = pipe();
      const writer = new Writer(a, { size: 16 });
      b.close();
      writer.write('x'.repeat(100));
      writer.flush();
      setImmediate(() => { writer.write('y'); writer.flush(); });
      setTimeout(() => console.log('alive'), 20);
    `;
    expect((await runScript(script)).stdout).toBe('alive\n');
  });
});

test('wrong arguments have the codes of Node', async () => {
  for (const destination of [undefined, null, {}, { write: 1 }]) {
    expect(() => new Writer(destination as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  }
  const { write } = recorder();
  expect(() => new Writer({ write }, { size: 1 })).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  const writer = new Writer({ write });
  for (const wrong of [1, null, undefined, [1]]) {
    expect(await caught(writer.write(wrong as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  }
  expect(await caught(writer.writeString(Buffer.from('x') as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  expect(await caught(writer.writeByte(256))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  expect(writer.buffered).toBe(0);
});
