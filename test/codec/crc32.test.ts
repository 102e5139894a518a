import zlib from 'node:zlib';
import { crc32 } from 'spliceway/codec';
import { describe, expect, test } from 'vitest';
import { bytes } from '../support/bytes.ts';
import { hasPython, pythonSync } from '../support/python.ts';

// In Node from 20.15 on, while its types are older.
const reference = (zlib as unknown as { crc32(data: string | NodeJS.ArrayBufferView, value?: number): number }).crc32;

describe('crc32()', () => {
  test("has the standard's check value", () => {
    expect(crc32('123456789')).toBe(0xcbf43926);
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
    expect(crc32('')).toBe(0);
  });

  test("answers what Node's zlib does, for every length up to 1100 and some beyond", () => {
    const data = bytes(1 << 20);
    const lengths = [...Array(1100).keys(), 4095, 4096, 65535, 65536, 65537, data.length];
    const wrong = lengths.filter((n) => {
      const part = data.subarray(n % 5, n);
      return crc32(part) !== reference(part) || crc32(part, 0xfedcba98) !== reference(part, 0xfedcba98);
    });
    expect(wrong).toEqual([]);
  });

  test('goes on from the value of what came before', () => {
    const data = bytes(3000);
    for (const cut of [0, 1, 20, 300, 2999, 3000]) {
      expect(crc32(data.subarray(cut), crc32(data.subarray(0, cut)))).toBe(crc32(data));
    }
    expect(crc32('', 7)).toBe(7);
    expect(crc32('', 0xffffffff)).toBe(0xffffffff);
  });

  test.each(['a', 'grüße', '😀', '\ud800', 'x'.repeat(70_000), `${'x'.repeat(65_535)}é`, '😀'.repeat(40_000)])(
    'takes text as UTF-8 (%#)',
    (text) => {
      expect(crc32(text)).toBe(reference(Buffer.from(text)));
      expect(crc32(text, 123)).toBe(reference(Buffer.from(text), 123));
    },
  );

  test('takes any view of memory', () => {
    const memory = bytes(256).buffer as ArrayBuffer;
    const part = Buffer.from(memory, 8, 64);
    expect(crc32(new DataView(memory, 8, 64))).toBe(reference(part));
    expect(crc32(new Float64Array(memory, 8, 8))).toBe(reference(part));
    expect(crc32(new Uint8Array(new SharedArrayBuffer(100)))).toBe(reference(Buffer.alloc(100)));
  });

  test('refuses what is no data and no CRC', () => {
    for (const data of [undefined, null, 5, {}, [1, 2], new ArrayBuffer(4)]) {
      expect(() => crc32(data as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    }
    for (const value of ['1', null, {}]) {
      expect(() => crc32('', value as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    }
    for (const value of [-1, 2 ** 32, 1.5, Number.NaN]) {
      expect(() => crc32('', value)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    }
  });

  test.skipIf(!hasPython)("answers what Python's zlib does", () => {
    const printed = pythonSync(`
import zlib
data = bytes(i * 7 % 256 for i in range(1000))
print(json.dumps([zlib.crc32(data[:n], n) for n in range(1000)]))
`);
    const data = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * 7) % 256));
    expect(Array.from({ length: 1000 }, (_, n) => crc32(data.subarray(0, n), n))).toEqual(JSON.parse(printed));
  });
});
