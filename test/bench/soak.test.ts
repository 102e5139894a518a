import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { importBench } from './import';

const { Content } = await importBench('soak/content.mjs');
const { differences } = await importBench('soak/descriptors.mjs');
const { End } = await importBench('soak/end.mjs');
const { planOf } = await importBench('soak/plan.mjs');
const { parseOptions, UsageError } = await importBench('soak/options.mjs');

const content = new Content(1);

describe('Content', () => {
  test('finds the first byte that is wrong, also past the place where it begins again', () => {
    const place = Content.size - 10;
    const right = Buffer.concat([content.at(place, 20), content.at(place + 10, 10)]);
    expect(right.length).toBe(20);
    expect(content.firstWrong(place, right)).toBe(-1);
    for (const i of [0, 9, 10, 19]) {
      const changed = Buffer.from(right);
      changed[i] ^= 1;
      expect(content.firstWrong(place, changed)).toBe(i);
    }
  });

  test('is another one for another seed', () => {
    expect(new Content(2).firstWrong(0, content.at(0, 64))).toBeGreaterThanOrEqual(0);
    expect(new Content(1).firstWrong(0, content.at(0, 64))).toBe(-1);
  });
});

describe('planOf()', () => {
  test('is what the seed and the number say', () => {
    expect(planOf(7, 12)).toEqual(planOf(7, 12));
    expect(planOf(7, 12)).not.toEqual(planOf(7, 13));
    expect(planOf(7, 12)).not.toEqual(planOf(8, 12));
  });

  test('cuts where bytes will have come for certain', () => {
    const plans = Array.from({ length: 2000 }, (_, id) => planOf(3, id));
    const cuts = plans.filter(({ cut }) => cut !== null);
    expect(new Set(cuts.map(({ cut }) => cut.by)).size).toBe(6);
    for (const { cut, up, down } of cuts) {
      expect(cut.received).toBeLessThanOrEqual(cut.watch === 'target' ? up.bytes : down.bytes);
    }
  });
});

describe('differences()', () => {
  test('names what is not as it was', () => {
    const before = { socket: 3, pipe: 32, '/dev/null': 1 };
    expect(differences(before, { ...before })).toEqual([]);
    expect(differences(before, { ...before, socket: 4 })).toEqual(['socket: 3 before, 4 after']);
    expect(differences(before, { pipe: 32, socket: 3 })).toEqual(['/dev/null: 1 before, 0 after']);
  });

  test('takes fewer pipes, and not more', () => {
    expect(differences({ pipe: 32 }, { pipe: 12 })).toEqual([]);
    expect(differences({ pipe: 32 }, { pipe: 34 })).toEqual(['pipe: 32 before, 34 after']);
  });
});

describe('End', () => {
  const flow = { bytes: 1000, place: 5, pieces: 1, gap: 0 };

  /** An end that expects the flow, once the peer has sent something instead, and a FIN. */
  async function endOf(bytes: Buffer) {
    const server = createServer((socket) => socket.end(bytes)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const nothing = { ...flow, bytes: 0 };
    const end = new End(socket, content, { sends: nothing, expects: flow, onReceived: () => {} });
    end.begin();
    await once(socket, 'close');
    server.close();
    return end;
  }

  const right = Buffer.from(content.at(5, 1000));

  test('is whole when all bytes and a FIN have come', async () => {
    const end = await endOf(right);
    expect(end.whole).toBe(true);
    expect(end.received).toBe(1000);
  });

  test('is not when some are missing, and they are not called wrong', async () => {
    const { whole, wrong } = await endOf(right.subarray(0, 999));
    expect({ whole, wrong }).toEqual({ whole: false, wrong: null });
  });

  test('says where a byte is wrong', async () => {
    const changed = Buffer.from(right);
    changed[500] ^= 1;
    expect((await endOf(changed)).wrong).toBe('byte 500 is wrong');
  });

  test('says when more came than was sent', async () => {
    const { wrong } = await endOf(Buffer.from(content.at(5, 1001)));
    expect(wrong).toBe('1001 bytes came');
  });
});

describe('parseOptions()', () => {
  test('is for 200,000 transfers where nothing is given', () => {
    expect(parseOptions([])).toMatchObject({ transfers: 200_000, minutes: Number.POSITIVE_INFINITY });
    expect(parseOptions(['--minutes', '0.5'])).toMatchObject({ transfers: Number.POSITIVE_INFINITY, minutes: 0.5 });
  });

  test.each([['--transfers', '0'], ['--minutes', 'x'], ['--seed', '1.5'], ['--relays', '1'], ['--seed']])(
    'refuses %s %s',
    (...args) => {
      expect(() => parseOptions(args)).toThrow(UsageError);
    },
  );
});
