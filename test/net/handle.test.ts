import { AsyncLocalStorage } from 'node:async_hooks';
import { type Conn, ErrBusy, ErrClosed, ErrDeadlineExceeded, type OpError } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, KiB, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { streams, tcpPair, unixPair } from '../support/pair.ts';
import { eventually, isPending, turns, until } from '../support/time.ts';

// More than the kernel's buffers of both ends take.
const LARGE = 32 * MiB;

/** Everything that comes, copied, in handler style. */
function collect(conn: Conn): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, error) => {
    conn.handle({
      data: (chunk) => void chunks.push(Buffer.from(chunk)),
      end: () => resolve(Buffer.concat(chunks)),
      error,
    });
  });
}

/** A promise, and what settles it. */
function deferred(): { promise: Promise<void>; resolve: () => void; reject: (reason: unknown) => void } {
  let resolve!: () => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

describe.each(streams)('%s: data()', (_network, makePair) => {
  test('gets every byte in order, in chunks of at most 64 KiB', async () => {
    using pair = await makePair();
    const sent = bytes(8 * MiB);
    const chunks: Buffer[] = [];
    let largest = 0;
    let smallest = Number.POSITIVE_INFINITY;
    const ended = new Promise<void>((end) => {
      pair.server.handle({
        data(chunk) {
          largest = Math.max(largest, chunk.length);
          smallest = Math.min(smallest, chunk.length);
          chunks.push(Buffer.from(chunk));
        },
        end,
      });
    });
    await pair.client.write(sent);
    pair.client.closeWrite();
    await ended;
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(sent));
    expect(largest).toBeLessThanOrEqual(64 * KiB);
    expect(smallest).toBeGreaterThan(0);
  });

  test('gets what had come before handle(), and never inside handle()', async () => {
    using pair = await makePair();
    await pair.client.write('early');
    let inside = true;
    const got = new Promise<[string, boolean]>((resolve) => {
      pair.server.handle({ data: (chunk) => resolve([String(chunk), inside]) });
    });
    inside = false;
    expect(await got).toEqual(['early', false]);
  });

  test('is called with the handlers as its this', async () => {
    using pair = await makePair();
    const handlers = {
      seen: deferred(),
      data() {
        this.seen.resolve();
      },
    };
    pair.server.handle(handlers);
    await pair.client.write('x');
    await handlers.seen.promise;
  });

  test('does not keep other connections waiting, however much comes', async () => {
    using busy = await makePair();
    using quiet = await makePair();
    let stop = false;
    const flood = (async () => {
      while (!stop) await busy.client.write(bytes(1 * MiB));
    })();
    busy.server.handle({ data() {} });
    for (let i = 0; i < 20; i++) {
      await quiet.client.write('ping');
      expect(String(await quiet.server.read())).toBe('ping');
    }
    stop = true;
    await flood;
  });
});

describe('end()', () => {
  test('is called once, after all the bytes; writing goes on', async () => {
    using pair = await tcpPair();
    const seen: string[] = [];
    pair.server.handle({ data: (chunk) => seen.push(String(chunk)), end: () => seen.push('end') });
    await pair.client.write('bytes');
    pair.client.closeWrite();
    await eventually(() => seen.length === 2);
    expect(seen).toEqual(['bytes', 'end']);
    await pair.server.write('answer');
    expect(String(await pair.client.read())).toBe('answer');
    await turns();
    expect(seen).toEqual(['bytes', 'end']);
    expect(pair.server.state).toBe('active');
  });

  test('is not needed: without it the connection is shut down, after waiting writes', async () => {
    using pair = await tcpPair();
    pair.server.handle({ data() {} });
    const sent = bytes(LARGE);
    const writing = pair.server.write(sent);
    pair.client.closeWrite();
    const got = await readAll(pair.client);
    expect(await writing).toBe(LARGE);
    expect(sha256(got)).toBe(sha256(sent));
    await eventually(() => pair.server.state === 'closed');
  });

  test('waits for the promise of the data() before it', async () => {
    using pair = await tcpPair();
    const seen: string[] = [];
    const gate = deferred();
    pair.server.handle({
      data() {
        seen.push('data');
        return gate.promise.then(() => seen.push('settled'));
      },
      end: () => seen.push('end'),
    });
    await pair.client.write('x');
    pair.client.closeWrite();
    await eventually(() => seen.length === 1);
    await turns();
    expect(seen).toEqual(['data']);
    gate.resolve();
    await eventually(() => seen.length === 3);
    expect(seen).toEqual(['data', 'settled', 'end']);
  });

  test('comes for closeRead() too', async () => {
    using pair = await tcpPair();
    const ended = new Promise<void>((end) => pair.server.handle({ data() {}, end }));
    pair.server.closeRead();
    await ended;
  });
});

describe('error()', () => {
  test('tells of a reset, after the bytes before it; the connection is closed then', async () => {
    using pair = await tcpPair();
    const seen: string[] = [];
    const failed = new Promise<OpError>((resolve) => {
      pair.server.handle({
        data: (chunk) => seen.push(String(chunk)),
        end: () => seen.push('end'),
        error(error) {
          seen.push(pair.server.state);
          resolve(error as OpError);
        },
      });
    });
    await pair.client.write('bytes');
    pair.client.setLinger(0);
    pair.client.close();
    expect(await failed).toMatchObject({ op: 'read', code: 'ECONNRESET', syscall: 'read' });
    await turns();
    expect(seen).toEqual(['bytes', 'closed']);
    expect((await caught(pair.server.write('x'))).cause).toBe(ErrClosed);
  });

  test('is not needed: a reset closes the connection', async () => {
    using pair = await tcpPair();
    pair.server.handle({ data() {} });
    pair.client.setLinger(0);
    pair.client.close();
    await eventually(() => pair.server.state === 'closed');
  });

  test('tells of what tryWrite() met', async () => {
    using pair = await tcpPair();
    const failed = new Promise<OpError>((resolve) => {
      pair.server.handle({ data() {}, error: (error) => resolve(error as OpError) });
    });
    pair.server.closeWrite();
    expect(pair.server.tryWrite('x')).toBe(0);
    expect(pair.server.state).toBe('active');
    expect(await failed).toMatchObject({ op: 'write', code: 'EPIPE' });
    expect(pair.server.state).toBe('closed');
  });

  test('is not called for close()', async () => {
    using pair = await tcpPair();
    let called = 0;
    pair.server.handle({ data() {}, end: () => called++, error: () => called++ });
    pair.server.close();
    await turns();
    expect(called).toBe(0);
  });
});

describe('drain()', () => {
  test('is called once there is room after a tryWrite() that took less than it was given', async () => {
    // Over a Unix socket, whose buffers stay full until somebody reads.
    using pair = await unixPair();
    let drains = 0;
    const drained = new Promise<void>((resolve) => {
      pair.client.handle({
        data() {},
        drain() {
          drains++;
          resolve();
        },
      });
    });
    let sent = 0;
    for (let took = -1; took !== 0; sent += took) took = pair.client.tryWrite(bytes(1 * MiB));
    await turns();
    expect(drains).toBe(0);
    const reading = readExactly(pair.server, sent + 1);
    await drained;
    expect(pair.client.tryWrite('!')).toBe(1);
    await reading;
    await turns();
    expect(drains).toBe(1);
  });

  test('is not called where nothing was refused', async () => {
    using pair = await tcpPair();
    let drains = 0;
    pair.client.handle({ data() {}, drain: () => drains++ });
    expect(pair.client.tryWrite('small')).toBe(5);
    await pair.client.write(bytes(1 * MiB).subarray(0, 1000));
    await turns();
    expect(drains).toBe(0);
  });

  test('carries 24 MiB, written only as there is room', async () => {
    using pair = await tcpPair();
    const sent = bytes(24 * MiB);
    let at = 0;
    const push = () => {
      while (at < sent.length) {
        const took = pair.client.tryWrite(sent.subarray(at, at + 256 * KiB));
        at += took;
        if (took < 256 * KiB && at < sent.length) return;
      }
      pair.client.closeWrite();
    };
    pair.client.handle({ data() {}, drain: push });
    push();
    expect(sha256(await collect(pair.server))).toBe(sha256(sent));
  });

  test('follows a write() that was in the way of tryWrite()', async () => {
    using pair = await tcpPair();
    const drained = new Promise<void>((drain) => pair.client.handle({ data() {}, drain }));
    const writing = pair.client.write(bytes(LARGE));
    expect(pair.client.tryWrite('x')).toBe(0);
    await readExactly(pair.server, LARGE);
    await writing;
    await drained;
    await eventually(() => pair.client.tryWrite('x') === 1);
  });

  test('follows a write() in the way that was aborted', async () => {
    using pair = await tcpPair();
    const drained = new Promise<void>((drain) => pair.client.handle({ data() {}, drain }));
    const abort = new AbortController();
    const writing = caught(pair.client.write(bytes(LARGE), { signal: abort.signal }));
    expect(pair.client.tryWrite('x')).toBe(0);
    abort.abort();
    await writing;
    pair.server.handle({ data() {} });
    await drained;
    expect(pair.client.tryWrite('x')).toBe(1);
  });

  test('follows a write deadline that passed meanwhile, once there is another', async () => {
    using pair = await unixPair();
    let drains = 0;
    const drained = new Promise<void>((resolve) => {
      pair.client.handle({
        data() {},
        drain() {
          drains++;
          resolve();
        },
      });
    });
    while (pair.client.tryWrite(bytes(1 * MiB)) > 0);
    pair.client.setWriteDeadline(Date.now() + 5);
    await until(Date.now() + 20);
    pair.server.handle({ data() {} });
    await turns();
    expect(pair.client.tryWrite('x')).toBe(0);
    await turns();
    expect(drains).toBe(0);
    pair.client.setWriteDeadline(null);
    await drained;
    expect(pair.client.tryWrite('x')).toBe(1);
  });

  test('works inside data(): an echo that loses nothing', async () => {
    using pair = await tcpPair();
    const waiting: Buffer[] = [];
    const { server } = pair;
    const flush = () => {
      for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
        const took = server.tryWrite(first);
        if (took < first.length) {
          waiting[0] = first.subarray(took);
          return;
        }
        waiting.shift();
      }
    };
    server.handle({
      data(chunk) {
        waiting.push(Buffer.from(chunk));
        flush();
      },
      drain: flush,
      end() {},
    });
    const sent = bytes(8 * MiB);
    const back = readExactly(pair.client, sent.length);
    await pair.client.write(sent);
    expect(sha256(await back)).toBe(sha256(sent));
  });
});

describe('back-pressure', () => {
  test("data()'s promise stops reading: in time the peer's writes block, and nothing is lost", async () => {
    using pair = await tcpPair();
    const gate = deferred();
    const sent = bytes(LARGE);
    const chunks: Buffer[] = [];
    const ended = new Promise<void>((end) => {
      pair.server.handle({
        data(chunk) {
          chunks.push(Buffer.from(chunk));
          return gate.promise;
        },
        end,
      });
    });
    const writing = pair.client.write(sent).then(() => pair.client.closeWrite());
    await until(Date.now() + 50);
    expect(await isPending(writing)).toBe(true);
    expect(chunks.length).toBe(1);
    gate.resolve();
    await writing;
    await ended;
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(sent));
  });

  test('calls of an async data() never overlap', async () => {
    using pair = await tcpPair();
    let running = 0;
    let most = 0;
    const chunks: Buffer[] = [];
    const ended = new Promise<void>((end) => {
      pair.server.handle({
        async data(chunk) {
          most = Math.max(most, ++running);
          await turns();
          chunks.push(Buffer.from(chunk));
          running--;
        },
        end,
      });
    });
    const sent = bytes(2 * MiB);
    await pair.client.write(sent);
    pair.client.closeWrite();
    await ended;
    expect(most).toBe(1);
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(sent));
  });

  test('a lent chunk stays as it is until the promise settles, whatever others receive', async () => {
    const pairs = await Promise.all([tcpPair(), tcpPair(), tcpPair(), tcpPair()]);
    const gates = pairs.map(() => deferred());
    const lent: Buffer[] = [];
    for (const [i, { server }] of pairs.entries()) {
      server.handle({
        data(chunk) {
          lent[i] ??= chunk;
          return (gates[i] as ReturnType<typeof deferred>).promise;
        },
      });
    }
    for (const [i, { client }] of pairs.entries()) {
      await client.write(Buffer.alloc(20_000, i + 1));
      await eventually(() => lent[i] !== undefined);
    }
    using other = await tcpPair();
    const seen = collect(other.server);
    await other.client.write(Buffer.alloc(1 * MiB, 0xff));
    other.client.closeWrite();
    await seen;
    for (const [i, chunk] of lent.entries()) {
      expect(chunk.length).toBeGreaterThan(0);
      expect(chunk.equals(Buffer.alloc(chunk.length, i + 1))).toBe(true);
    }
    for (const gate of gates) gate.resolve();
    for (const pair of pairs) pair[Symbol.dispose]();
  });

  test('a chunk that is kept by copying it stays as it is for ever', async () => {
    using pair = await tcpPair();
    const kept: Buffer[] = [];
    pair.server.handle({ data: (chunk) => void kept.push(Buffer.from(chunk)) });
    for (let i = 0; i < 20; i++) {
      await pair.client.write(Buffer.alloc(100, i));
      await eventually(() => kept.length === i + 1);
    }
    expect(Buffer.concat(kept).equals(Buffer.concat(Array.from({ length: 20 }, (_, i) => Buffer.alloc(100, i))))).toBe(
      true,
    );
  });

  test('a thenable that is no Promise is waited for as well', async () => {
    using pair = await tcpPair();
    let calls = 0;
    let release = () => {};
    pair.server.handle({
      data() {
        calls++;
        const then = (settled: () => void) => {
          release = settled;
        };
        return { then };
      },
    });
    await pair.client.write('one');
    await eventually(() => calls === 1);
    await pair.client.write('two');
    await turns();
    expect(calls).toBe(1);
    release();
    await eventually(() => calls === 2);
  });
});

describe('a handler that fails', () => {
  const run = (handlers: string, first: string) =>
    runScript(`
      import { dial, listen } from 'spliceway';
      const listener = await listen('tcp', '127.0.0.1:0');
      const pair = () => Promise.all([dial('tcp', String(listener.addr)), listener.accept()]);
      const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
      process.on('uncaughtException', (error, origin) => console.log(origin, error.message));
      const [client, server] = await pair();
      const [otherClient, other] = await pair();
      other.handle({ data: (chunk) => other.tryWrite(chunk) });
      server.handle(${handlers});
      await otherClient.write('before');
      console.log(String(await otherClient.read()));
      ${first}
      while (server.state !== 'closed') await turn();
      await turn();
      console.log(server.state, other.state);
      console.log(String(await client.read().catch((error) => error.code)));
      await otherClient.write('after');
      console.log(String(await otherClient.read()));
      otherClient.close();
      other.close();
      client.close();
      listener.close();
    `);

  const SEND = `await client.write('x');`;
  const END = `client.closeWrite();`;
  const FILL = `while (server.tryWrite(Buffer.alloc(2 ** 20)) > 0);
    client.handle({ data() {} });
    client.read = async () => null;`;
  const EXPIRE = `server.setReadDeadline(Date.now() + 1);`;

  test.each([
    ['data() throws', `{ data() { throw new Error('oops'); } }`, SEND],
    ['data() rejects', `{ async data() { throw new Error('oops'); } }`, SEND],
    ['data() rejects later', `{ data: () => turn().then(() => { throw new Error('oops'); }) }`, SEND],
    ['end() throws', `{ data() {}, end() { throw new Error('oops'); } }`, END],
    ['end() rejects', `{ data() {}, async end() { throw new Error('oops'); } }`, END],
    ['drain() throws', `{ data() {}, drain() { throw new Error('oops'); } }`, FILL],
    ['drain() rejects', `{ data() {}, async drain() { throw new Error('oops'); } }`, FILL],
    ['error() throws', `{ data() {}, error() { throw new Error('oops'); } }`, EXPIRE],
    ['error() rejects', `{ data() {}, async error() { throw new Error('oops'); } }`, EXPIRE],
  ])('closes its own connection, is not swallowed, and others go on: %s', async (_name, handlers, first) => {
    const { stdout, code } = await run(handlers, first);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toEqual(['before', 'uncaughtException oops', 'closed active', expect.any(String), 'after']);
    expect(['null', 'ECONNRESET']).toContain(lines[3]);
    expect(code).toBe(0);
  });

  test('ends a process that catches nothing', async () => {
    const { code, stderr } = await runScript(`
      import { dial, listen } from 'spliceway';
      const listener = await listen('tcp', '127.0.0.1:0');
      const [client, server] = await Promise.all([dial('tcp', String(listener.addr)), listener.accept()]);
      server.handle({ data() { throw new Error('a mistake of mine'); } });
      await client.write('x');
      await client.read().catch(() => {});
      setTimeout(() => process.exit(3), 5000);
    `);
    expect(code).toBe(1);
    expect(stderr).toContain('a mistake of mine');
  });

  test('does not lose what others have in the same turn', async () => {
    const { stdout } = await runScript(`
      import { dial, listen } from 'spliceway';
      const listener = await listen('tcp', '127.0.0.1:0');
      process.on('uncaughtException', (error) => console.log(error.message));
      const pairs = [];
      for (let i = 0; i < 6; i++) {
        pairs.push(await Promise.all([dial('tcp', String(listener.addr)), listener.accept()]));
      }
      let served = 0;
      for (const [i, [, server]] of pairs.entries()) {
        server.handle({ data() { if (i % 2 === 0) throw new Error('oops'); served++; } });
      }
      for (const [client] of pairs) client.tryWrite('x');
      const closed = () => pairs.filter(([, server]) => server.state === 'closed').length;
      while (served + closed() < 6) await new Promise((resolve) => setTimeout(resolve, 5));
      console.log(served, pairs.map(([, server]) => server.state).join());
      process.exit();
    `);
    expect(stdout).toBe('oops\noops\noops\n3 closed,active,closed,active,closed,active\n');
  });
});

describe('handle()', () => {
  test('makes read(), and a second handle(), fail with ERR_SPLICEWAY_BUSY; writing works', async () => {
    using pair = await tcpPair();
    pair.server.handle({ data() {} });
    const BUSY = { op: 'read', code: 'ERR_SPLICEWAY_BUSY', cause: ErrBusy };
    expect(await caught(pair.server.read())).toMatchObject(BUSY);
    expect(await caught(pair.server.read(Buffer.alloc(1)))).toMatchObject(BUSY);
    expect(() => pair.server.handle({ data() {} })).toThrow(expect.objectContaining(BUSY));
    const loop = (async () => {
      for await (const _ of pair.server);
    })();
    expect(await caught(loop)).toMatchObject(BUSY);
    expect(await pair.server.write('x')).toBe(1);
    expect(String(await pair.client.read())).toBe('x');
  });

  test('throws ERR_SPLICEWAY_BUSY while a read waits, and changes nothing', async () => {
    using pair = await tcpPair();
    const reading = pair.server.read();
    expect(() => pair.server.handle({ data() {} })).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }));
    await pair.client.write('for the read');
    expect(String(await reading)).toBe('for the read');
    const got = collect(pair.server);
    await pair.client.write('for the handler');
    pair.client.closeWrite();
    expect(String(await got)).toBe('for the handler');
  });

  test('throws ERR_INVALID_ARG_TYPE for what are no handlers', async () => {
    using pair = await tcpPair();
    const wrong = [
      undefined,
      null,
      () => {},
      {},
      { data: 'x' },
      { data() {}, end: 5 },
      { data() {}, error: {} },
      { data() {}, drain: null },
    ];
    for (const handlers of wrong) {
      expect(() => pair.server.handle(handlers as never)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
      );
    }
    await pair.client.write('x');
    expect(String(await pair.server.read())).toBe('x');
  });

  test('says active from then on', async () => {
    using pair = await tcpPair();
    pair.server.handle({ data() {} });
    expect(pair.server.state).toBe('active');
  });
});

describe('a read deadline', () => {
  /** What a handler is told, in order. */
  function told(conn: Conn): { seen: string[]; next: () => Promise<string> } {
    const seen: string[] = [];
    let wake = () => {};
    const tell = (what: string) => {
      seen.push(what);
      wake();
    };
    conn.handle({
      data: (chunk) => tell(String(chunk)),
      end: () => tell('end'),
      error: (error) => tell((error as OpError).cause === ErrDeadlineExceeded ? 'timeout' : error.message),
    });
    let at = 0;
    return {
      seen,
      async next() {
        while (seen.length === at) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        return seen[at++] as string;
      },
    };
  }

  test('is told once; reading stops until another is set, and loses nothing', async () => {
    using pair = await tcpPair();
    const { seen, next } = told(pair.server);
    const t = Date.now() + 20;
    pair.server.setReadDeadline(t);
    expect(await next()).toBe('timeout');
    expect(Date.now()).toBeGreaterThanOrEqual(t);
    await pair.client.write('meanwhile');
    await turns();
    expect(seen).toEqual(['timeout']);
    expect(pair.server.state).toBe('readExpired');
    pair.server.setReadDeadline(Date.now() + 60_000);
    expect(await next()).toBe('meanwhile');
    await pair.client.write('and on');
    expect(await next()).toBe('and on');
    expect(seen.length).toBe(3);
  });

  test('that lies in the past is told at once, and before bytes that are there', async () => {
    using pair = await tcpPair();
    const { next } = told(pair.server);
    pair.client.tryWrite('kept');
    pair.server.setReadDeadline(0);
    expect(await next()).toBe('timeout');
    pair.server.setReadDeadline(null);
    expect(await next()).toBe('kept');
  });

  test('that had passed before handle() is told, and not inside handle()', async () => {
    using pair = await tcpPair();
    await pair.client.write('kept');
    pair.server.setReadDeadline(0);
    const { seen, next } = told(pair.server);
    expect(seen).toEqual([]);
    expect(await next()).toBe('timeout');
    await turns();
    expect(seen).toEqual(['timeout']);
    pair.server.setReadDeadline(null);
    expect(await next()).toBe('kept');
  });

  test('that had passed before handle(), and was moved at once, is not told', async () => {
    using pair = await tcpPair();
    pair.server.setReadDeadline(0);
    const { seen, next } = told(pair.server);
    pair.server.setReadDeadline(null);
    await pair.client.write('x');
    expect(await next()).toBe('x');
    expect(seen).toEqual(['x']);
  });

  test('that passes while a promise of data() is pending is told after it', async () => {
    using pair = await tcpPair();
    const gate = deferred();
    const seen: string[] = [];
    const timeout = new Promise<void>((resolve) => {
      pair.server.handle({
        data() {
          seen.push('data');
          return gate.promise.then(() => seen.push('settled'));
        },
        error() {
          seen.push('timeout');
          resolve();
        },
      });
    });
    await pair.client.write('x');
    await eventually(() => seen.length === 1);
    const t = Date.now() + 10;
    pair.server.setReadDeadline(t);
    await until(t + 20);
    expect(seen).toEqual(['data']);
    gate.resolve();
    await timeout;
    expect(seen).toEqual(['data', 'settled', 'timeout']);
  });

  test('without error() closes the connection', async () => {
    using pair = await tcpPair();
    pair.server.handle({ data() {} });
    pair.server.setReadDeadline(Date.now() + 5);
    expect(await pair.client.read()).toBe(null);
    expect(pair.server.state).toBe('closed');
  });

  test('leaves writing alone', async () => {
    using pair = await tcpPair();
    const { next } = told(pair.server);
    pair.server.setReadDeadline(0);
    await next();
    expect(await pair.server.write('x')).toBe(1);
    expect(pair.server.tryWrite('y')).toBe(1);
  });
});

describe('async context', () => {
  const storage = new AsyncLocalStorage<string>();

  test('of handlers is that of handle()', async () => {
    using pair = await tcpPair();
    const seen: Record<string, string | undefined> = {};
    storage.run('handle', () => {
      pair.server.handle({
        data() {
          seen.data = storage.getStore();
          return storage.run('inner', () => turns());
        },
        end() {
          seen.end = storage.getStore();
        },
        drain() {
          seen.drain = storage.getStore();
        },
        error() {
          seen.error = storage.getStore();
        },
      });
    });
    await storage.run('client', () => pair.client.write('x'));
    await eventually(() => seen.data !== undefined);
    storage.run('deadline', () => pair.server.setReadDeadline(0));
    storage.run('cleared', () => pair.server.setReadDeadline(null));
    storage.run('writer', () => {
      while (pair.server.tryWrite(bytes(1 * MiB)) > 0);
    });
    pair.client.closeWrite();
    storage.run('reader', () => pair.client.handle({ data() {} }));
    await eventually(() => seen.drain !== undefined && seen.end !== undefined);
    expect(seen).toEqual({ data: 'handle', end: 'handle', drain: 'handle', error: 'handle' });
  });

  test('of two connections stays apart', async () => {
    const pairs = [await tcpPair(), await tcpPair(), await tcpPair()];
    const seen = await Promise.all(
      pairs.map(
        ({ client, server }, i) =>
          new Promise<string | undefined>((resolve) => {
            storage.run(`connection ${i}`, () => server.handle({ data: () => resolve(storage.getStore()) }));
            client.tryWrite('x');
          }),
      ),
    );
    expect(seen).toEqual(['connection 0', 'connection 1', 'connection 2']);
    for (const pair of pairs) pair[Symbol.dispose]();
  });

  test('goes on behind every call that is awaited', async () => {
    using pair = await tcpPair();
    const { client, server, listener } = pair;
    const behind = (name: string, call: () => Promise<unknown>) =>
      storage.run(name, async () => {
        await call().catch(() => {});
        return storage.getStore();
      });
    const abort = new AbortController();
    const waiting = [
      behind('read', () => server.read()),
      behind('write', () => server.write(bytes(LARGE))),
      behind('accept', () => listener.accept({ signal: abort.signal })),
    ];
    await turns();
    await storage.run('elsewhere', async () => {
      await client.write('x');
      await readExactly(client, LARGE);
      abort.abort();
    });
    expect(await Promise.all(waiting)).toEqual(['read', 'write', 'accept']);
    expect(await behind('shutdown', () => Promise.all([server.shutdown(), client.shutdown()]))).toBe('shutdown');
  });
});
