// Requests, responses and going away.

import { type Conn, dial, listen, pipe, serve, type TCPConn } from 'spliceway';
import { FramedConn, type FramedConnOptions, RequestError } from 'spliceway/codec';
import { afterEach, describe, expect, test } from 'vitest';
import { bytes, KiB } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { tcpPair } from '../support/pair.ts';
import { eventually, isPending, turns } from '../support/time.ts';
import { frameOf } from './frames.ts';

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function tcp(): Promise<[Conn, Conn]> {
  const pair = await tcpPair();
  cleanups.push(() => pair[Symbol.dispose]());
  return [pair.client, pair.server];
}

const kinds: [string, FramedConnOptions][] = [
  ['plain', { session: true }],
  ['with a heartbeat', { heartbeat: true }],
];

const sessions = (kind: FramedConnOptions) => async (options?: FramedConnOptions) => {
  const [a, b] = await tcp();
  const both = { ...kind, ...options };
  return [new FramedConn(a, both), new FramedConn(b, both)] as const;
};

/** One that the peer is left to answer, though nobody waits for that any more. */
async function giveUpRequest(conn: FramedConn): Promise<void> {
  const stop = new AbortController();
  const asked = conn.request(1, '', { signal: stop.signal });
  await turns();
  stop.abort(new Error('given up'));
  await expect(asked).rejects.toThrow('given up');
}

/** Has a request answered with 'late' once what this returns is called. */
function answersLate(conn: FramedConn): () => void {
  let finish = () => {};
  conn.onRequest(() => new Promise<string>((resolve) => (finish = () => resolve('late'))));
  return () => finish();
}

/** The peer, which is still asked something, shuts down: the connection stays until that is answered. */
async function followsItsPeer(peer: FramedConn, conn: Conn, finish: () => void): Promise<void> {
  await giveUpRequest(peer);
  const down = peer.shutdown();
  await turns();
  expect(conn.state).toBe('active');
  finish();
  await down;
  await eventually(() => conn.state === 'closed');
}

// Behind a heartbeat the connection is not for others to half-close.
test('a peer that has sent FIN is still answered', async () => {
  const [a, b] = await sessions({ session: true })();
  const finish = answersLate(b);
  const asked = a.request(1, '');
  await turns();
  (a.conn as TCPConn).closeWrite();
  await turns();
  expect(b.conn.state).toBe('active');
  finish();
  expect(String(await asked)).toBe('late');
  await a.shutdown();
  await eventually(() => b.conn.state === 'closed');
});

describe.each(kinds)('request(), %s', (_, kind) => {
  const session = sessions(kind);

  test.each([1, 2] as const)('is answered in any order, both ways (commands of %d bytes)', async (commandBytes) => {
    const [a, b] = await session({ commandBytes });
    const largest = commandBytes === 1 ? 0xef : 0xffef;
    b.onRequest(async ({ command, body }) => {
      if (String(body) === 'slow') await turns();
      return `${command} ${body}`;
    });
    a.onRequest(({ body }) => Buffer.from(body).reverse());
    const answers = Promise.all([a.request(1, 'slow'), a.request(largest, 'fast'), b.request(2, 'abc')]);
    expect((await answers).map(String)).toEqual(['1 slow', `${largest} fast`, 'cba']);
  });

  test('is one of many', async () => {
    const [a, b] = await session();
    let most = 0;
    let now = 0;
    b.onRequest(async ({ body }) => {
      most = Math.max(most, ++now);
      await turns();
      now--;
      return body;
    });
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => a.request(1, String(i))));
    expect(answers.map(Number)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(most).toBe(128);
  });

  test('goes beside frames, which wait for receive()', async () => {
    const [a, b] = await session();
    b.onRequest(() => 'answer');
    await b.send(1, 'before');
    expect(String(await a.request(1, ''))).toBe('answer');
    await b.send(2, 'after');
    expect((await a.receive())?.command).toBe(1);
    expect((await a.receive())?.command).toBe(2);
  });

  test.each(['before', 'after', 'long after'])('works in handler style (onFrames() %s onRequest())', async (when) => {
    const [a, b] = await session();
    const commands: number[] = [];
    const handle = () => b.onFrames((batch) => commands.push(...[...batch].map(({ command }) => command)));
    if (when === 'before') handle();
    b.onRequest(({ body }) => body);
    if (when === 'long after') await turns();
    if (when !== 'before') handle();
    void a.sendMany([
      { command: 1, body: '' },
      { command: 2, body: '' },
    ]);
    const answer = a.request(3, 'x');
    void a.send(4, '');
    expect(String(await answer)).toBe('x');
    await eventually(() => commands.length === 3);
    expect(commands).toEqual([1, 2, 4]);
  });

  test('fails with what the handler throws, and where there is none', async () => {
    const [a, b] = await session();
    void b.receive().catch(() => {});
    const none = await caught(a.request(1, ''));
    expect(none).toMatchObject({ code: 'ERR_SPLICEWAY_NO_HANDLER' });
    b.onRequest(() => {
      throw new Error('no such thing');
    });
    const failed = await caught(a.request(1, ''));
    expect(failed).toBeInstanceOf(RequestError);
    expect(failed).toMatchObject({ code: 'ERR_SPLICEWAY_REQUEST_FAILED' });
    expect(String(failed)).toBe('RequestError: the request failed: no such thing');
  });

  test.each([null, 'text', Symbol('sign'), Object.create(null), Object.assign(new Error(), { message: 5 })])(
    'fails whatever the handler throws (%#)',
    async (thrown) => {
      const [a, b] = await session();
      b.onRequest(() => {
        throw thrown;
      });
      expect(await caught(a.request(1, ''))).toMatchObject({ code: 'ERR_SPLICEWAY_REQUEST_FAILED' });
    },
  );

  test('of what the handler throws as much is told as a frame has room for', async () => {
    const [a, b] = await session({ maxFrame: 64 });
    b.onRequest(() => {
      throw new Error('語'.repeat(100));
    });
    expect(String(await caught(a.request(1, '')))).toMatch(/the request failed: 語+$/);
    expect(String(await caught(a.request(1, '')))).toMatch(/the request failed: 語+$/);
  });

  test('an answer of the wrong type, or too large, fails its request alone', async () => {
    const [a, b] = await session({ maxFrame: 1000 });
    b.onRequest(({ command }) => (command === 1 ? (5 as never) : command === 2 ? bytes(995) : bytes(994)));
    expect(await caught(a.request(1, ''))).toMatchObject({ code: 'ERR_SPLICEWAY_REQUEST_FAILED' });
    expect(await caught(a.request(2, ''))).toMatchObject({ code: 'ERR_SPLICEWAY_REQUEST_FAILED' });
    expect(await a.request(3, bytes(994))).toEqual(bytes(994));
    expect(await caught(a.request(3, bytes(995)))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  });

  test('is given up by its deadline or signal; the answer that comes late is dropped', async () => {
    const [a, b] = await session();
    b.onRequest(async ({ body }) => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      return body;
    });
    const stop = new AbortController();
    const aborted = a.request(1, 'aborted', { signal: stop.signal });
    const late = a.request(1, 'late', { deadline: Date.now() + 5 });
    const patient = a.request(1, 'patient');
    stop.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    expect(await caught(late)).toMatchObject({ timeout: true, op: 'request' });
    expect(String(await patient)).toBe('patient');
    expect(String(await a.request(1, 'next'))).toBe('next');
  });

  test.each(['close', 'shutdown'] as const)('rejects when the peer is gone (%s)', async (how) => {
    const [a, b] = await session();
    const call = a.request(1, '');
    await turns();
    b.conn[how]();
    await expect(call).rejects.toThrow();
    expect(await caught(a.request(1, ''))).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
  });

  test('rejects when the connection is closed here', async () => {
    const [a] = await session();
    const call = a.request(1, '');
    a.close();
    expect(await caught(call)).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
  });

  test('does not keep the process alive once it was given up', async () => {
    const { code, stdout } = await runScript(`
      import { dial, listen } from 'spliceway';
      import { FramedConn } from 'spliceway/codec';
      const listener = await listen('tcp', '127.0.0.1:0');
      const [a, b] = await Promise.all([dial('tcp', String(listener.addr)), listener.accept()]);
      globalThis.kept = [b];
      const framed = new FramedConn(a, { session: true });
      await framed.request(1, '', { deadline: Date.now() + 20 }).catch((error) => console.log(error.timeout));
      await framed.receive({ deadline: Date.now() + 20 }).catch((error) => console.log(error.timeout));
    `);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'true\ntrue\n' });
  });
});

describe.each(kinds)('shutdown(), %s', (_, kind) => {
  const session = sessions(kind);

  test('says GOAWAY, and waits for what is under way both ways', async () => {
    const [a, b] = await session();
    const gates: (() => void)[] = [];
    const slowly = async () => {
      await new Promise<void>((open) => gates.push(open));
      return 'done';
    };
    a.onRequest(slowly);
    b.onRequest(slowly);
    const asked = a.request(1, '');
    const served = b.request(1, '');
    await eventually(() => gates.length === 2);
    const down = a.shutdown();
    await eventually(() => b.peerLeaves);
    expect(a.peerLeaves).toBe(false);
    expect(await caught(b.request(1, ''))).toMatchObject({ code: 'ERR_SPLICEWAY_GOING_AWAY' });
    expect(await caught(a.request(1, ''))).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    expect(await caught(a.send(1, ''))).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    expect(await isPending(down)).toBe(true);
    for (const open of gates) open();
    expect(String(await asked)).toBe('done');
    expect(String(await served)).toBe('done');
    await Promise.all([b.shutdown(), down]);
    expect(a.conn.state).toBe('closed');
    expect(b.conn.state).toBe('closed');
  });

  test('one that only answers requests follows its peer, when the last is answered', async () => {
    const [a, b] = await session();
    await followsItsPeer(a, b.conn, answersLate(b));
  });

  test('so does one that takes frames with a handler of batches', async () => {
    const [a, b] = await session();
    b.onFrames(() => {});
    await followsItsPeer(a, b.conn, answersLate(b));
  });

  test('and one whose handler served it to its end, through serve()', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    let finish = () => {};
    const served: Conn[] = [];
    const server = serve(listener, async (conn) => {
      served.push(conn);
      const frames = new FramedConn(conn, kind);
      finish = answersLate(frames);
      for await (const _ of frames);
    });
    cleanups.push(() => server.close());
    const a = new FramedConn(await dial('tcp', `${listener.addr}`), kind);
    await eventually(() => served.length === 1);
    await followsItsPeer(a, served[0] as Conn, () => finish());
  });

  test('one that receives as well is its own to shut down', async () => {
    const [a, b] = await session();
    b.onRequest(() => 'x');
    const received = b.receive();
    const down = a.shutdown();
    expect(await received).toBeNull();
    await turns();
    expect(b.conn.state).toBe('active');
    await Promise.all([down, b.shutdown()]);
  });

  test('so is one that takes what had come before it asked', async () => {
    const [a, b] = await session();
    b.onRequest(() => 'x');
    await a.send(1, 'before');
    await a.request(1, '');
    const { value } = await b[Symbol.asyncIterator]().next();
    expect(String(value?.body)).toBe('before');
    const down = a.shutdown();
    await turns();
    expect(b.conn.state).toBe('active');
    await Promise.all([down, b.shutdown()]);
  });

  test('a request that crosses the GOAWAY is refused and safe to ask again', async () => {
    const [a, b] = await tcp();
    const conn = new FramedConn(a, { session: true });
    const call = conn.request(1, 'x');
    expect(await b.read()).toEqual(frameOf(0xf4, Buffer.from('0000000101' + '78', 'hex')));
    await b.write(frameOf(0xf0, Buffer.alloc(4)));
    expect(await caught(call)).toMatchObject({ code: 'ERR_SPLICEWAY_GOING_AWAY' });
    expect(conn.peerLeaves).toBe(true);
  });

  test('gives up after its timeout', async () => {
    const [a, b] = await session();
    b.onRequest(() => new Promise(() => {}));
    const call = a.request(1, '');
    const before = performance.now();
    await a.shutdown({ timeout: 60 });
    expect(performance.now() - before).toBeGreaterThanOrEqual(58);
    await expect(call).rejects.toThrow();
    expect(a.conn.state).toBe('closed');
  });

  test('writes what was sent before', async () => {
    const [a, b] = pipe();
    const sender = new FramedConn(a);
    const receiver = new FramedConn(b);
    sender.cork();
    const sent = sender.sendMany(Array.from({ length: 20 }, (_, i) => ({ command: i, body: bytes(10 * KiB) })));
    const down = sender.shutdown();
    let count = 0;
    for await (const _ of receiver) count++;
    expect(count).toBe(20);
    await sent;
    receiver.close();
    await down;
  });

  test('refuses what is no timeout', async () => {
    const [a] = await session();
    await expect(a.shutdown({ timeout: 'x' as never })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    await expect(a.shutdown({ timeout: -1 })).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  });
});

describe('what a hostile peer sends', () => {
  test.each([
    ['control frames without a body', [0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xff].map((c) => frameOf(c, ''))],
    ['responses to nothing', [frameOf(0xf5, '\0\0\0\x07\0body'), frameOf(0xf5, '\0\0\0\0\xff')]],
    ['commands that do not exist yet', [frameOf(0xfa, 'future')]],
  ])('%s does no harm', async (_, frames) => {
    const [a, b] = await tcp();
    const conn = new FramedConn(a, { session: true });
    await b.write(Buffer.concat([...frames, frameOf(1, 'next')]));
    expect((await conn.receive())?.command).toBe(1);
  });

  test('requests that nobody answers, from a peer that does not read, are not taken without end', async () => {
    const [a, b] = await tcp();
    const conn = new FramedConn(a, { session: true });
    const received = conn.receive();
    const requests = Buffer.concat(Array(1000).fill(frameOf(0xf4, Buffer.alloc(5))));
    const flood = (async () => {
      for (;;) await b.write(requests);
    })();
    await eventually(() => conn.bufferedBytes > 0);
    expect(await isPending(flood)).toBe(true);
    await turns();
    expect(conn.bufferedBytes).toBeLessThan(128 * 20);
    conn.close();
    await caught(flood);
    await caught(received);
  });

  test('requests without end are taken only as fast as they are answered', async () => {
    const [a, b] = await tcp();
    const conn = new FramedConn(a, { session: true });
    let asked = 0;
    conn.onRequest(() => {
      asked++;
      return new Promise(() => {});
    });
    const request = frameOf(0xf4, Buffer.alloc(100));
    const flood = (async () => {
      for (;;) await b.write(Buffer.concat(Array(500).fill(request)));
    })();
    await eventually(() => asked > 0);
    await turns();
    expect(asked).toBe(128);
    conn.close();
    await caught(flood);
  });
});
