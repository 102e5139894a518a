// relay()'s options, by the kernel and by hand, and what it does while nobody looks.

import { setTimeout } from 'node:timers/promises';
import { type Conn, pipe, type RelayOptions, type RelayProgress, relay } from 'spliceway';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes, KiB, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { type Chain, chain, reset, send } from '../support/chain.ts';
import { hasPython, startPython } from '../support/python.ts';
import { block, eventually, isPending, PATIENCE } from '../support/time.ts';

/** left ⇄ a, to be joined to b ⇄ right. */
interface Ends extends Disposable {
  left: Conn;
  a: Conn;
  b: Conn;
  right: Conn;
}

// Between two sockets, with a Conn in memory at one end, and between two of those.
const WAYS: Record<string, () => Promise<Ends>> = {
  'by the kernel': () => chain(),
  'by hand': async () => {
    const c = await chain();
    const [b, right] = pipe();
    const dispose = () => {
      c[Symbol.dispose]();
      right.close();
    };
    return { left: c.left, a: c.a, b, right, [Symbol.dispose]: dispose };
  },
  'in memory': async () => {
    const [left, a] = pipe();
    const [b, right] = pipe();
    const dispose = () => {
      left.close();
      right.close();
    };
    return { left, a, b, right, [Symbol.dispose]: dispose };
  },
};

const finWays = Object.entries(WAYS).filter(([way]) => way !== 'in memory');

describe.each(Object.entries(WAYS))('%s', (_way, make) => {
  let c: Ends;
  beforeEach(async () => {
    c = await make();
  });
  afterEach(() => c[Symbol.dispose]());

  test('maxBytes ends it when so many have moved in one direction', async () => {
    const relaying = relay(c.a, c.b, { maxBytes: 5 });
    const writing = c.left.write('1234567').catch(() => {});
    expect(String(await readExactly(c.right, 5))).toBe('12345');
    expect(await relaying).toMatchObject({ reason: 'limit', endedBy: null, error: null, aToB: 5, bToA: 0 });
    expect([c.a.state, c.b.state]).toEqual(['closed', 'closed']);
    expect(await c.right.read()).toBeNull();
    await writing;
  });

  test('maxBytes is of each direction by itself', async () => {
    const relaying = relay(c.a, c.b, { maxBytes: 4 });
    await Promise.all([c.left.write('123'), readExactly(c.right, 3)]);
    await Promise.all([c.right.write('123'), readExactly(c.left, 3)]);
    expect(await isPending(relaying)).toBe(true);
    await Promise.all([c.right.write('4'), readExactly(c.left, 1)]);
    expect(await relaying).toMatchObject({ reason: 'limit', aToB: 3, bToA: 4 });
  });

  test('rateLimit holds each direction to its rate', async () => {
    const [up, down] = [bytes(50 * KiB, 1), bytes(50 * KiB, 2)];
    const from = performance.now();
    const relaying = relay(c.a, c.b, { rateLimit: 100 * KiB });
    const [atRight, atLeft] = await Promise.all([
      readExactly(c.right, up.length),
      readExactly(c.left, down.length),
      c.left.write(up),
      c.right.write(down),
    ]);
    const took = performance.now() - from;
    expect(sha256(atRight)).toBe(sha256(up));
    expect(sha256(atLeft)).toBe(sha256(down));
    // Half a second's worth, a tenth of it at once; both directions side by side.
    expect(took).toBeGreaterThan(250);
    expect(took).toBeLessThan(900 * PATIENCE);
    c.a.close();
    await relaying;
  });

  test('rateLimit lets no more than a tenth of a second through at once', async () => {
    c.right.handle({ data() {} });
    const relaying = relay(c.a, c.b, { rateLimit: 1000 });
    const writing = c.left.write(bytes(10_000)).catch(() => {});
    await setTimeout(150);
    expect(relaying.aToB).toBeGreaterThan(0);
    expect(relaying.aToB).toBeLessThan(1000);
    c.a.close();
    expect((await relaying).reason).toBe('closed');
    await writing;
  });

  test('a rate of one byte a second is no standstill', async () => {
    const relaying = relay(c.a, c.b, { rateLimit: 1 });
    const writing = c.left.write('12').catch(() => {});
    const from = performance.now();
    await readExactly(c.right, 2);
    expect(performance.now() - from).toBeGreaterThan(700);
    c.a.close();
    await Promise.all([relaying, writing]);
  });

  test('an abort ends it while its rate holds it back', async () => {
    const controller = new AbortController();
    const relaying = relay(c.a, c.b, { rateLimit: 1, signal: controller.signal });
    const writing = c.left.write('12345').catch(() => {});
    await readExactly(c.right, 1);
    const from = performance.now();
    controller.abort();
    expect(await caught(relaying)).toBe(controller.signal.reason);
    expect(performance.now() - from).toBeLessThan(500 * PATIENCE);
    await writing;
  });

  test('aToB and bToA are live, and stay after the end', async () => {
    const relaying = relay(c.a, c.b);
    expect([relaying.aToB, relaying.bToA]).toEqual([0, 0]);
    await Promise.all([c.left.write('123'), readExactly(c.right, 3)]);
    await eventually(() => relaying.aToB === 3);
    await Promise.all([c.right.write('12345'), readExactly(c.left, 5)]);
    await eventually(() => relaying.bToA === 5);
    c.b.close();
    expect(await relaying).toMatchObject({ aToB: 3, bToA: 5 });
    expect([relaying.aToB, relaying.bToA]).toEqual([3, 5]);
  });

  test('is a promise like any other: nothing is made in between to wait for it', async () => {
    const relaying = relay(c.a, c.b);
    expect(Promise.resolve(relaying)).toBe(relaying);
    const then = relaying.then(({ reason }) => reason);
    expect(Object.getPrototypeOf(then)).toBe(Promise.prototype);
    c.a.close();
    expect(await then).toBe('closed');
  });

  test('onProgress is called while bytes move, not otherwise, and never after the end', async () => {
    const told: RelayProgress[] = [];
    const relaying = relay(c.a, c.b, { progressInterval: 10, onProgress: (progress) => told.push(progress) });
    await setTimeout(50);
    expect(told).toEqual([]);
    await Promise.all([c.left.write('123'), readExactly(c.right, 3)]);
    await eventually(() => told.length > 0);
    await setTimeout(50);
    expect(told).toEqual([{ aToB: 3, bToA: 0 }]);
    await Promise.all([c.right.write('1'), readExactly(c.left, 1)]);
    await eventually(() => told.length > 1);
    expect(told[1]).toEqual({ aToB: 3, bToA: 1 });
    await Promise.all([c.right.write('2'), readExactly(c.left, 1)]);
    c.a.close();
    await relaying;
    const { length } = told;
    await setTimeout(50);
    expect(told.length).toBe(length);
  });

  test('idleTimeout ends it, and bytes put that off', async () => {
    const from = performance.now();
    const relaying = relay(c.a, c.b, { idleTimeout: 200, halfCloseTimeout: 1 });
    for (let i = 0; i < 4; i++) {
      await setTimeout(50);
      await Promise.all([c.left.write('x'), readExactly(c.right, 1)]);
    }
    expect(await relaying).toMatchObject({ reason: 'idle', endedBy: null, error: null, aToB: 4 });
    expect(performance.now() - from).toBeGreaterThanOrEqual(395);
  });
});

describe('halfCloseTimeout', () => {
  test('ends it when nothing more moves after one FIN', async () => {
    using c = await chain();
    const relaying = relay(c.a, c.b, { halfCloseTimeout: 100 });
    await setTimeout(150);
    expect(await isPending(relaying)).toBe(true);
    const from = performance.now();
    await send(c.left, 'question');
    expect(String(await readAll(c.right))).toBe('question');
    expect(await relaying).toMatchObject({ reason: 'halfClose', endedBy: 'a', error: null, aToB: 8, bToA: 0 });
    expect(performance.now() - from).toBeGreaterThanOrEqual(98);
    expect(await c.left.read()).toBeNull();
  });

  test('is put off by bytes of the other direction', async () => {
    using c = await chain();
    const relaying = relay(c.a, c.b, { idleTimeout: 60_000, halfCloseTimeout: 200 });
    c.right.closeWrite();
    expect(await c.left.read()).toBeNull();
    for (let i = 0; i < 5; i++) {
      await setTimeout(60);
      await c.left.write('x');
      expect(String(await c.right.read())).toBe('x');
    }
    expect(await relaying).toMatchObject({ reason: 'halfClose', endedBy: 'b', aToB: 5 });
  });

  test('0 leaves it to idleTimeout', async () => {
    using c = await chain();
    const relaying = relay(c.a, c.b, { idleTimeout: 100, halfCloseTimeout: 0 });
    c.left.closeWrite();
    expect(await relaying).toMatchObject({ reason: 'idle', endedBy: 'a' });
  });

  test('may be longer than idleTimeout', async () => {
    using c = await chain();
    const relaying = relay(c.a, c.b, { idleTimeout: 100, halfCloseTimeout: 400 });
    const from = performance.now();
    c.left.closeWrite();
    expect(await relaying).toMatchObject({ reason: 'halfClose' });
    expect(performance.now() - from).toBeGreaterThanOrEqual(398);
  });
});

test.each(finWays)('a limit that is reached with the last byte ends it as a limit, %s', async (_way, make) => {
  using c = await make();
  const relaying = relay(c.a, c.b, { maxBytes: 4 });
  await Promise.all([send(c.left as never, '1234'), readExactly(c.right, 4)]);
  expect(await relaying).toMatchObject({ reason: 'limit', aToB: 4 });
});

test('options of the wrong kind are refused, and touch nothing', async () => {
  using c = await chain();
  const type = { code: 'ERR_INVALID_ARG_TYPE' };
  const range = { code: 'ERR_OUT_OF_RANGE' };
  for (const name of ['maxBytes', 'rateLimit', 'progressInterval', 'halfCloseTimeout', 'idleTimeout'] as const) {
    for (const wrong of ['1', null, {}, 1n, true]) {
      expect(await caught(relay(c.a, c.b, { [name]: wrong } as RelayOptions))).toMatchObject(type);
    }
    for (const wrong of [-1, Number.NaN]) {
      expect(await caught(relay(c.a, c.b, { [name]: wrong }))).toMatchObject(range);
    }
  }
  for (const name of ['maxBytes', 'rateLimit', 'progressInterval'] as const) {
    for (const wrong of [0, 0.5, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(await caught(relay(c.a, c.b, { [name]: wrong }))).toMatchObject(range);
    }
  }
  expect(await caught(relay(c.a, c.b, { progressInterval: 9 }))).toMatchObject(range);
  expect(await caught(relay(c.a, c.b, { onProgress: 1 as never }))).toMatchObject(type);
  expect([c.a.state, c.b.state]).toEqual(['new', 'new']);
});

test('an option that closes a connection when it is read does no harm', async () => {
  using c = await chain();
  const options = {
    get maxBytes(): number {
      c.a.close();
      return 1;
    },
  };
  expect(await relay(c.a, c.b, options)).toMatchObject({ reason: 'closed', aToB: 0 });
});

test('the largest values are none', async () => {
  using c = await chain();
  const most = Number.MAX_SAFE_INTEGER;
  const relaying = relay(c.a, c.b, { maxBytes: most, rateLimit: most, idleTimeout: most, halfCloseTimeout: most });
  const all = bytes(4 * MiB);
  const [got] = await Promise.all([readAll(c.right), send(c.left, all)]);
  expect(sha256(got)).toBe(sha256(all));
  c.right.closeWrite();
  expect(await relaying).toMatchObject({ reason: 'end', aToB: all.length });
});

// Both peers of the relay, in another process, which says what it sees and when.
const PEERS = `
import threading, time
def connect(i):
  host, port = sys.argv[i].rsplit(':', 1)
  return socket.create_connection((host, int(port)))
left, right = connect(1), connect(2)
print('up', flush=True)
sys.stdin.readline()
`;

describe.runIf(hasPython)('while JavaScript is blocked', () => {
  async function peers(
    program: string,
  ): Promise<{ python: ReturnType<typeof startPython>; c: Pick<Chain, 'a' | 'b'> }> {
    const { listen } = await import('spliceway');
    const one = await listen('tcp', '127.0.0.1:0');
    const two = await listen('tcp', '127.0.0.1:0');
    const python = startPython(PEERS + program, [`${one.addr}`, `${two.addr}`]);
    const [a, b] = await Promise.all([one.accept(), two.accept()]);
    one.close();
    two.close();
    expect(await python.line()).toBe('up');
    return { python, c: { a, b } };
  }

  /** Has the peers do their part while nothing runs here; what they said of it. */
  async function blocked(program: string): Promise<{ said: string; ms: number; result: unknown }> {
    const { python, c } = await peers(program);
    await using _ = python;
    const relaying = relay(c.a, c.b);
    await setTimeout(50);
    python.tell('go');
    await setTimeout(0);
    const from = Date.now();
    block(1000);
    const [said, at] = (await python.line()).split(' ') as [string, string];
    return { said, ms: Number(at) - from, result: await relaying };
  }

  // When a program is done it says so, with the time of the wall clock.
  const done = (what: string) => `print(${what}, int(time.time() * 1000), flush=True)`;

  test('bytes keep flowing, both ways', async () => {
    const { said, ms, result } = await blocked(`
for i in range(100):
  left.sendall(b'there'); assert right.recv(5, socket.MSG_WAITALL) == b'there'
  right.sendall(b'back!'); assert left.recv(5, socket.MSG_WAITALL) == b'back!'
data = os.urandom(1 << 20) * 8
thread = threading.Thread(target=lambda: left.sendall(data)); thread.start()
same = right.recv(len(data), socket.MSG_WAITALL) == data
${done('same')}
left.close(); right.close()
`);
    expect(said).toBe('True');
    expect(ms).toBeLessThan(1000 * PATIENCE);
    expect(result).toMatchObject({ reason: 'end', aToB: 500 + 8 * MiB, bToA: 500 });
  });

  test('a FIN is passed on, each way', async () => {
    const { said, ms, result } = await blocked(`
left.shutdown(socket.SHUT_WR)
first = right.recv(1)
right.sendall(b'answer'); right.shutdown(socket.SHUT_WR)
both = first == b'' and left.recv(10, socket.MSG_WAITALL) == b'answer'
${done('both')}
`);
    expect(said).toBe('True');
    expect(ms).toBeLessThan(1000 * PATIENCE);
    expect(result).toMatchObject({ reason: 'end', endedBy: 'a', aToB: 0, bToA: 6 });
  });

  test('a reset ends the other side too', async () => {
    const { said, ms, result } = await blocked(`
left.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); left.close()
try: over = right.recv(1) == b''
except ConnectionResetError: over = True
${done('over')}
`);
    expect(said).toBe('True');
    expect(ms).toBeLessThan(1000 * PATIENCE);
    expect(result).toMatchObject({ reason: 'error', endedBy: 'a', error: { code: 'ECONNRESET' } });
  });
});

test('a thousand relays, ended in every way, all resolve', async () => {
  const reasons = new Map<string, number>();
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        using c = await chain();
        const relaying = relay(c.a, c.b, { maxBytes: i % 5 === 4 ? 1 : undefined });
        await c.left.write('x');
        if (i % 5 === 0) c.a.close();
        if (i % 5 === 1) reset(c.left);
        if (i % 5 === 2) c.left.closeWrite();
        if (i % 5 === 2) c.right.closeWrite();
        if (i % 5 === 3) c.right.close();
        if (i % 5 === 3) c.left.close();
        const { reason } = await relaying;
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }),
    );
  }
  expect(reasons.get('closed')).toBe(200);
  expect(reasons.get('limit')).toBe(200);
  expect([...reasons.values()].reduce((a, b) => a + b)).toBe(1000);
});
