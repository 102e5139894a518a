// docs/wire-format.md: its test vectors, against what is sent, what is understood, and Python's zlib.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipe } from 'spliceway';
import { crc32, Decoder, FramedConn, type HeaderBodyOptions, headerBody } from 'spliceway/codec';
import { describe, expect, test } from 'vitest';
import { root } from '../support/child.ts';
import { hasPython, pythonSync } from '../support/python.ts';

interface Vector {
  layout: string;
  command: number;
  body: string;
  hex: string;
}

const LAYOUTS: Record<string, HeaderBodyOptions> = {
  default: {},
  '`commandBytes: 2`': { commandBytes: 2 },
  '`commandBytes: 2, crcOver: 8`': { commandBytes: 2, crcOver: 8 },
};

const page = readFileSync(join(root, 'docs/wire-format.md'), 'utf8');
const vectors: Vector[] = [...page.matchAll(/^\| ([^|]+) \| 0x(\w+) \| (none|`[^`]*`) \| `([0-9a-f]+)` \|$/gm)].map(
  ([, layout = '', command = '', body = '', hex = '']) => ({
    layout,
    command: Number.parseInt(command, 16),
    body: body === 'none' ? '' : body.slice(1, -1),
    hex,
  }),
);

test('there are vectors for each layout', () => {
  expect(new Set(vectors.map(({ layout }) => layout))).toEqual(new Set(Object.keys(LAYOUTS)));
  expect(vectors).toHaveLength(9);
});

describe.each(vectors)('$layout, command $command, body "$body"', ({ layout, command, body, hex }) => {
  const options = LAYOUTS[layout] as HeaderBodyOptions;
  const { commandBytes = 1 } = options;
  const head = 11 + commandBytes;

  test('is what is sent', async () => {
    const [a, b] = pipe();
    const sent = new FramedConn(a, options).send(command, body);
    expect((await b.read())?.toString('hex')).toBe(hex);
    await sent;
  });

  test('is what is sent with a large body, too', async () => {
    const large = Buffer.from(body.repeat(1000));
    const [a, b] = pipe();
    const receiver = new FramedConn(b, options);
    const sent = new FramedConn(a, options).send(command, large);
    expect(await receiver.receive()).toEqual({ command, body: large });
    await sent;
  });

  test('is understood', () => {
    const decoder = new Decoder({ framing: headerBody(options) });
    expect(decoder.decode(Buffer.from(hex, 'hex'))).toEqual([{ command, body: Buffer.from(body) }]);
  });

  test('has the CRC that the page says', () => {
    const frame = Buffer.from(hex, 'hex');
    const covered = options.crcOver ?? head - 4;
    expect(frame.readUInt32BE(head - 4)).toBe(crc32(body, crc32(frame.subarray(0, covered))));
  });

  test.skipIf(!hasPython)("is Python's", () => {
    const printed = pythonSync(`
import zlib
command, body, width, over = ${command}, ${JSON.stringify(body)}.encode(), ${commandBytes}, ${options.crcOver ?? 0}
head = b'BM' + bytes([1]) + command.to_bytes(width, 'big') + struct.pack('>I', len(body))
crc = zlib.crc32((head[:over] if over else head) + body)
print((head + struct.pack('>I', crc) + body).hex(), end='')
`);
    expect(printed).toBe(hex);
  });
});

test('each single bit that changes in a default frame is noticed', () => {
  const frame = Buffer.from((vectors[0] as Vector).hex, 'hex');
  for (let bit = 0; bit < 8 * frame.length; bit++) {
    const changed = Buffer.from(frame);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    const decoder = new Decoder();
    expect(() => {
      expect(decoder.decode(changed)).toEqual([]);
      decoder.finish();
    }).toThrow();
  }
});
