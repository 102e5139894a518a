// The suites find what is wrong with a Conn or a Listener, and run under any test runner.

import { type Conn, dial, type Listener, listen, pipe } from 'spliceway';
import { type ConformanceTest, type ConnPair, testConn, testListener } from 'spliceway/testing';
import { describe, expect, test } from 'vitest';
import { runScript } from '../support/child.ts';

/** Two ends of a pipe, of which one has some methods replaced. */
function brokenPipe(replace: (conn: Conn) => Partial<Conn>): () => Promise<ConnPair> {
  return async () => {
    const [a, b] = pipe();
    Object.assign(a, replace(a));
    const stop = () => {
      Object.getPrototypeOf(a).close.call(a);
      b.close();
    };
    return { a, b, stop };
  };
}

/** The names of the tests that fail, of those whose name has the text. */
async function failing(tests: ConformanceTest[], text: string): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of tests.filter((each) => each.name.includes(text))) {
    await run().catch(() => failed.push(name));
  }
  return failed;
}

describe('testConn() finds a Conn', () => {
  const mistakes: [what: string, where: string, replace: (conn: Conn) => Partial<Conn>][] = [
    [
      'that loses bytes',
      'basic I/O',
      ({ write }) => ({
        async write(this: Conn, p) {
          await write.call(this, (p as Buffer).subarray(1));
          return p.length;
        },
      }),
    ],
    [
      'whose close() is always true',
      'answers true once',
      ({ close }) => ({
        close(this: Conn) {
          close.call(this);
          return true;
        },
      }),
    ],
    [
      'without read deadlines',
      'read timeout',
      () => ({
        setReadDeadline() {},
        read: () => Promise.reject(new Error('no timeout')) as Promise<never>,
      }),
    ],
    [
      'whose deadline sticks',
      'past timeout',
      ({ setDeadline }) => ({
        setDeadline(this: Conn, t) {
          if (t !== null) setDeadline.call(this, t);
        },
      }),
    ],
    [
      'whose deadlines are early',
      'future timeout',
      ({ setDeadline }) => ({
        setDeadline(this: Conn, t) {
          setDeadline.call(this, typeof t === 'number' && t > 1000 ? t - 50 : t);
        },
      }),
    ],
    [
      'that takes close() for a timeout',
      'close timeout',
      ({ read }): object => ({
        read(this: Conn, p: Uint8Array) {
          return read.call(this, p).catch((error) => Promise.reject(Object.assign(error, { timeout: true })));
        },
      }),
    ],
    [
      'that ignores signals',
      'aborted already',
      ({ write }) => ({
        write(this: Conn, p) {
          return write.call(this, p);
        },
      }),
    ],
    [
      'that throws in place of rejecting',
      'wrong arguments',
      ({ write }) => ({
        write(this: Conn, p, options) {
          if (typeof p === 'number') throw new TypeError('p');
          return write.call(this, p, options);
        },
      }),
    ],
    [
      'whose iteration throws when it is closed',
      'iteration gives',
      () => ({
        async *[Symbol.asyncIterator](this: Conn): AsyncGenerator<Buffer, undefined> {
          for (let chunk = await this.read(); chunk !== null; chunk = await this.read()) yield chunk;
        },
      }),
    ],
  ];

  test.each(mistakes)('%s', async (_, where, replace) => {
    // Either end: some tests look at the one, some at the other.
    expect(await failing(testConn(brokenPipe(replace), { limit: 500 }), where)).not.toEqual([]);
  });

  test('and nothing wrong with one that is right', async () => {
    expect(await failing(testConn(brokenPipe(() => ({}))), '')).toEqual([]);
  });
});

describe('testListener() finds a Listener', () => {
  const broken = (replace: (listener: Listener) => Partial<Listener>) => async () => {
    const inner = await listen('tcp', '127.0.0.1:0');
    const listener = Object.assign(Object.create(inner) as Listener, replace(inner));
    const conns: Conn[] = [];
    return {
      listener,
      async dial() {
        const conn = await dial('tcp', `${inner.addr}`);
        conns.push(conn);
        return conn;
      },
      stop() {
        for (const conn of conns) conn.close();
        inner.close();
      },
    };
  };

  test.each<[string, string, (listener: Listener) => Partial<Listener>]>([
    ['without deadlines', 'in the past fails', (inner) => ({ setDeadline() {}, accept: (o) => inner.accept(o) })],
    ['that closes twice', 'answers true once', (inner) => ({ close: () => inner.close() || true })],
    ['that ignores signals', 'a signal takes', (inner) => ({ accept: () => inner.accept() })],
    [
      'that closes its connections',
      'leaves accepted',
      (inner) => {
        const conns: Conn[] = [];
        return {
          async accept() {
            const conn = await inner.accept();
            conns.push(conn);
            return conn;
          },
          close() {
            for (const conn of conns) conn.close();
            return inner.close();
          },
        };
      },
    ],
  ])('%s', async (_, where, replace) => {
    expect(await failing(testListener(broken(replace), { limit: 500 }), where)).not.toEqual([]);
  });
});

test('tests have names of their own, and are only returned where no runner is given', () => {
  for (const tests of [testConn(brokenPipe(() => ({}))), testListener(() => Promise.reject(new Error('never')))]) {
    expect(new Set(tests.map(({ name }) => name)).size).toBe(tests.length);
  }
});

test('what was made is released, however a test ends', async () => {
  let stopped = 0;
  const tests = testConn(async () => {
    const [a, b] = pipe();
    a.close();
    return { a, b, stop: () => stopped++ };
  });
  const { run } = tests[0] as ConformanceTest;
  await expect(run()).rejects.toThrow();
  expect(stopped).toBe(1);
});

const SUITE = `
  import { test } from 'node:test';
  import { pipe, listen, dial } from 'spliceway';
  import { testConn, testListener } from 'spliceway/testing';
  testConn(async () => {
    const [a, b] = pipe();
    return { a, b, stop: () => [a, b].forEach((conn) => conn.close()) };
  }, { test });
  testListener(async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    const conns = [];
    const to = async () => {
      const conn = await dial('tcp', String(listener.addr));
      conns.push(conn);
      return conn;
    };
    return { listener, dial: to, stop: () => [listener, ...conns].forEach((each) => each.close()) };
  }, { test });
`;

test('they run under node:test', async () => {
  const { code, stdout } = await runScript(SUITE, { limit: 60_000 });
  expect(stdout).toMatch(/^# fail 0$/m);
  expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(50);
  expect(code).toBe(0);
});

test('wrong arguments', () => {
  expect(() => testConn(1 as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  expect(() => testConn(async () => ({}) as never, 1 as never)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
  );
  expect(() => testListener(1 as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
});
