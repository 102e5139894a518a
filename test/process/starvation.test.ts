// However much one connection has to give, the others, the timers and the rest of the loop have their
// turn.

import { setImmediate, setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type Conn, copy, dial, listen, relay, type SocketListener, type TCPConn } from 'spliceway';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes, KiB, MiB } from '../support/bytes.ts';
import { type Pair, tcpPair } from '../support/pair.ts';
import { eventually, PATIENCE } from '../support/time.ts';

// Threads with loops of their own, so that there is always more: they write, or read, for ever.
const FLOOD = `
const { dial } = require('spliceway');
const { address, reads } = require('node:worker_threads').workerData;
(async () => {
  const conn = await dial('tcp', address);
  if (reads) return conn.handle({ data() {} });
  const chunk = Buffer.alloc(1 << 20);
  for (;;) await conn.write(chunk);
})().catch(() => {});
`;

let listener: SocketListener<TCPConn>;
let workers: Worker[];
let busy: TCPConn[];
let over: boolean;
beforeEach(async () => {
  listener = await listen('tcp', '127.0.0.1:0');
  [workers, busy, over] = [[], [], false];
});
afterEach(async () => {
  over = true;
  for (const conn of busy) conn.close();
  listener.close();
  await Promise.all(workers.map((worker) => worker.terminate()));
});

/** A connection whose peer writes, or reads, as fast as it can. */
async function flooded(reads = false): Promise<TCPConn> {
  const workerData = { address: `${listener.addr}`, reads };
  workers.push(new Worker(FLOOD, { eval: true, execArgv: [], workerData }));
  const conn = await listener.accept();
  busy.push(conn);
  return conn;
}

/** How late each of some timers was, in milliseconds, in order; and how often the loop turned. */
async function lags(): Promise<{ median: number; worst: number; turns: number }> {
  const late: number[] = [];
  let turns = 0;
  void (async () => {
    for (; late.length < 30; turns++) await setImmediate();
  })();
  while (late.length < 30) {
    const at = performance.now() + 5;
    await setTimeout(5);
    late.push(performance.now() - at);
  }
  late.sort((a, b) => a - b);
  return { median: late[15] as number, worst: late[29] as number, turns };
}

async function answers(pair: Pair<TCPConn>): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await pair.client.write(`question ${i}`);
    expect(String(await pair.server.read())).toBe(`question ${i}`);
  }
}

/** Everybody else's share while something is under way. */
async function expectShares(progress: () => number): Promise<void> {
  await eventually(() => progress() > 0);
  using quiet = await tcpPair();
  const before = progress();
  const [{ median, worst, turns }] = await Promise.all([lags(), answers(quiet)]);
  expect(progress()).toBeGreaterThan(before);
  expect(median).toBeLessThan(150 * PATIENCE);
  expect(worst).toBeLessThan(1500 * PATIENCE);
  expect(turns).toBeGreaterThan(20);
}

/** Ways to take what a peer writes, or to write what it takes; each returns how far it is. */
const readers: Record<string, (conn: TCPConn) => () => number> = {
  'read()': (conn) => {
    let n = 0;
    void (async () => {
      while (!over) n += (await conn.read())?.length ?? 0;
    })().catch(() => {});
    return () => n;
  },
  'read(p)': (conn) => {
    let n = 0;
    const p = new Uint8Array(100);
    void (async () => {
      while (!over) n += (await conn.read(p)) ?? 0;
    })().catch(() => {});
    return () => n;
  },
  'for await': (conn) => {
    let n = 0;
    void (async () => {
      for await (const chunk of conn) n += chunk.length;
    })().catch(() => {});
    return () => n;
  },
  'handle()': (conn) => {
    let n = 0;
    conn.handle({
      data(chunk) {
        n += chunk.length;
      },
    });
    return () => n;
  },
  'handle() with promises': (conn) => {
    let n = 0;
    conn.handle({
      async data(chunk) {
        n += chunk.length;
      },
    });
    return () => n;
  },
};

const writers: Record<string, (conn: TCPConn) => () => number> = {
  'write() of much': (conn) => writing(conn, bytes(1 * MiB)),
  'write() of little': (conn) => writing(conn, bytes(10)),
  'writev()': (conn) => {
    const list = [bytes(64 * KiB), bytes(1000)];
    return repeated(() => conn.writev(list));
  },
};

function writing(conn: Conn, p: Uint8Array): () => number {
  return repeated(() => conn.write(p));
}

function repeated(call: () => Promise<number>): () => number {
  let n = 0;
  void (async () => {
    while (!over) n += await call();
  })().catch(() => {});
  return () => n;
}

describe('a peer that never stops writing starves nobody', () => {
  test.each(Object.entries(readers))('%s', async (_way, read) => {
    await expectShares(read(await flooded()));
  });

  test('relay()', async () => {
    const [from, to] = [await flooded(), await flooded(true)];
    void relay(from, to);
    await expectShares(() => (from.state === 'closed' ? 0 : performance.now()));
  });

  test('copy()', async () => {
    const [from, to] = [await flooded(), await flooded(true)];
    void copy(to, from);
    await expectShares(() => (from.state === 'closed' ? 0 : performance.now()));
  });

  test('several of them, each taken in another way', async () => {
    const progress = await Promise.all(Object.values(readers).map(async (read) => read(await flooded())));
    await expectShares(() => Math.min(...progress.map((each) => each())));
  });

  test('from one to the next, by hand', async () => {
    const [from, to] = [await flooded(), await flooded(true)];
    const pass = async () => to.write((await from.read()) as Buffer);
    await expectShares(repeated(pass));
  });
});

describe('a peer that takes everything starves nobody', () => {
  test.each(Object.entries(writers))('%s', async (_way, write) => {
    await expectShares(write(await flooded(true)));
  });
});

test('a storm of connects starves nobody', async () => {
  const storm = await listen('tcp', '127.0.0.1:0');
  const code = `
    const { dial } = require('spliceway');
    const { workerData } = require('node:worker_threads');
    const connect = async () => { const conn = await dial('tcp', workerData); await conn.read(); conn.close(); };
    const loop = async () => { for (;;) await connect().catch(() => {}); };
    for (let i = 0; i < 100; i++) loop();
  `;
  workers.push(new Worker(code, { eval: true, execArgv: [], workerData: `${storm.addr}` }));
  let accepted = 0;
  void (async () => {
    while (!over) {
      const conn = await storm.accept();
      conn.setLinger(0);
      conn.close();
      accepted++;
    }
  })().catch(() => {});
  await expectShares(() => accepted);
  storm.close();
});

// The connection's last call comes where close() is; everything else goes on.
describe('close(), amid all that,', () => {
  const places: Record<string, (conn: TCPConn, here: () => void) => void> = {
    'inside data()': (conn, here) => conn.handle({ data: here }),
    'inside the promise of data()': (conn, here) =>
      conn.handle({
        async data() {
          await setImmediate();
          here();
        },
      }),
    'after read()': (conn, here) => void conn.read().then(here),
    'between read() and read()': (conn, here) => void Promise.allSettled([conn.read().then(here), conn.read()]),
    'inside for await': (conn, here) =>
      void (async () => {
        for await (const _ of conn) here();
      })(),
    'inside drain()': (conn, here) => {
      conn.handle({ data() {}, drain: here });
      while (conn.tryWrite(bytes(1 * MiB)) > 0);
    },
    'in the middle of a copy': (conn, here) => {
      void copy(conn, conn).catch(() => {});
      globalThis.setTimeout(here, 5);
    },
    'in the handler of an accept': (_conn, here) => void listener.accept().then(here),
  };

  test.each(Object.entries(places))('%s ends that one alone', async (place, use) => {
    const other = (readers['handle()'] as (conn: TCPConn) => () => number)(await flooded());
    const conn = await flooded(place === 'inside drain()');
    let calls = 0;
    use(conn, () => {
      calls++;
      conn.close();
    });
    if (place.includes('accept')) busy.push(await dial('tcp', `${listener.addr}`));
    await eventually(() => conn.state === 'closed');
    const [before, after] = [other(), calls];
    await eventually(() => other() > before + 1 * MiB);
    expect([calls, after]).toEqual([1, 1]);
  });
});
