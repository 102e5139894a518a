import { inspect } from 'node:util';
import {
  type Conn,
  copy,
  dial,
  ErrBusy,
  ErrClosed,
  type Listener,
  listen,
  pipe,
  type SocketListener,
  serve,
  TCPConn,
} from 'spliceway';
import { limitListener } from 'spliceway/limits';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { foreignPair } from '../support/foreign.ts';
import { eventually, isPending, turns } from '../support/time.ts';

let inner: SocketListener<TCPConn>;
const conns: Conn[] = [];

beforeEach(async () => {
  inner = await listen('tcp', '127.0.0.1:0');
});

afterEach(() => {
  inner.close();
  for (const conn of conns.splice(0)) conn.close();
});

async function client(): Promise<TCPConn> {
  const conn = await dial('tcp', `${inner.addr}`);
  conns.push(conn);
  return conn;
}

function kept<C extends Conn>(conn: C): C {
  conns.push(conn);
  return conn;
}

describe('accept()', () => {
  test('waits while n connections are open, until one is closed here', async () => {
    const limited = limitListener(inner, 1);
    const a = await client();
    const first = kept(await limited.accept());
    const b = await client();
    const second = limited.accept();
    await b.write('early');
    expect(await isPending(second)).toBe(true);
    a.close();
    expect(await first.read()).toBeNull();
    expect(await isPending(second)).toBe(true);
    expect(first.close()).toBe(true);
    expect(String(await kept(await second).read())).toBe('early');
  });

  test('a connection closed twice frees one place', async () => {
    const limited = limitListener(inner, 1);
    await Promise.all([client(), client(), client()]);
    const first = kept(await limited.accept());
    first.close();
    expect(first.close()).toBe(false);
    kept(await limited.accept());
    first.close();
    expect(await isPending(limited.accept())).toBe(true);
  });

  test('gives places in the order of the calls', async () => {
    const limited = limitListener(inner, 2);
    await Promise.all(Array.from({ length: 5 }, client));
    const [a, b] = [kept(await limited.accept()), kept(await limited.accept())];
    const order: number[] = [];
    const waiting = [0, 1, 2].map(async (i) => {
      const conn = kept(await limited.accept());
      order.push(i);
      return conn;
    });
    expect(await isPending(waiting[0] as Promise<unknown>)).toBe(true);
    a?.close();
    (await waiting[0])?.close();
    b?.close();
    await Promise.all(waiting);
    expect(order).toEqual([0, 1, 2]);
  });

  test('gives connections of the listener that is wrapped', async () => {
    const limited: Listener<TCPConn> = limitListener(inner, 3);
    const a = await client();
    const conn = kept(await limited.accept());
    expect(conn).toBeInstanceOf(TCPConn);
    expect(`${limited.addr}`).toBe(`${inner.addr}`);
    void copy(conn, conn);
    await a.write('spliced');
    expect(String(await a.read())).toBe('spliced');
    expect(inspect(limited)).toBe(`LimitListener { ${inner.addr}, listening, 1 of 3 }`);
  });

  test.each([
    ['shutdown()', (conn: Conn) => conn.shutdown({ timeout: 1 })],
    ['disposing', (conn: Conn) => conn[Symbol.dispose]()],
    ['a handler that throws nothing and ends', (conn: Conn) => conn.handle({ data() {} })],
  ])('%s frees the place', async (_, end) => {
    const limited = limitListener(inner, 1);
    const a = await client();
    await client();
    const conn = kept(await limited.accept());
    const next = limited.accept();
    void end(conn);
    a.close();
    kept(await next);
  });

  test('a failed accept gives its place back', async () => {
    const limited = limitListener(inner, 1);
    limited.setDeadline(1);
    for (let i = 0; i < 3; i++) expect((await caught(limited.accept())).timeout).toBe(true);
    limited.setDeadline(null);
    const controller = new AbortController();
    const waiting = limited.accept({ signal: controller.signal });
    controller.abort(new Error('enough'));
    expect(await caught(waiting)).toBe(controller.signal.reason);
    await client();
    kept(await limited.accept());
  });
});

describe('while it waits for a place', () => {
  const full = async () => {
    const limited = limitListener(inner, 1);
    await Promise.all([client(), client()]);
    return { limited, first: kept(await limited.accept()) };
  };

  test('close() ends it', async () => {
    const { limited, first } = await full();
    const waiting = [limited.accept(), limited.accept()];
    await turns();
    expect(limited.close()).toBe(true);
    for (const accepting of waiting) {
      const error = await caught(accepting);
      expect(error.cause).toBe(ErrClosed);
      expect(error.message).toBe(`accept tcp ${inner.addr}: use of closed network connection`);
    }
    expect(limited.close()).toBe(false);
    expect((await caught(limited.accept())).cause).toBe(ErrClosed);
    expect(first.state).not.toBe('closed');
    expect(() => limited.setDeadline(null)).toThrow();
  });

  test('a deadline ends it: in the future, moved, in the past', async () => {
    const { limited, first } = await full();
    const at = Date.now() + 30;
    limited.setDeadline(at);
    const error = await caught(limited.accept());
    expect(error).toMatchObject({ timeout: true, op: 'accept', message: `accept tcp ${inner.addr}: i/o timeout` });
    expect(Date.now()).toBeGreaterThanOrEqual(at);
    expect((await caught(limited.accept())).timeout).toBe(true);
    limited.setDeadline(Date.now() + 60_000);
    const waiting = limited.accept();
    await turns();
    limited.setDeadline(1);
    expect((await caught(waiting)).timeout).toBe(true);
    limited.setDeadline(null);
    first.close();
    kept(await limited.accept());
  });

  test('a signal ends it, and the next in line keeps its place there', async () => {
    const { limited, first } = await full();
    const controller = new AbortController();
    const aborted = limited.accept({ signal: controller.signal });
    const next = limited.accept();
    await turns();
    controller.abort(new Error('enough'));
    expect(await caught(aborted)).toBe(controller.signal.reason);
    expect(await caught(limited.accept({ signal: controller.signal }))).toBe(controller.signal.reason);
    first.close();
    kept(await next);
  });

  test('the process lives, unless unref() was called', async () => {
    const program = (unref: string) => `
      import { dial, listen } from 'spliceway';
      import { limitListener } from 'spliceway/limits';
      const inner = await listen('tcp', '127.0.0.1:0');
      const limited = limitListener(inner, 1)${unref};
      const clients = [await dial('tcp', String(inner.addr)), await dial('tcp', String(inner.addr))];
      const first = await limited.accept();
      limited.accept();
      setTimeout(() => { console.log('alive'); process.exit(); }, 200).unref();
    `;
    expect((await runScript(program(''))).stdout).toBe('alive\n');
    expect((await runScript(program('.unref()'))).stdout).toBe('');
  });
});

test('iteration takes one at a time, and ends when the listener is closed', async () => {
  const limited = limitListener(inner, 1);
  await Promise.all([client(), client(), client()]);
  let open = 0;
  let count = 0;
  for await (const conn of limited) {
    expect(++open).toBe(1);
    setTimeout(() => {
      open--;
      conn.close();
    }, 5);
    if (++count === 3) limited[Symbol.dispose]();
  }
  expect(count).toBe(3);
});

test('serve() has no more than n open at once', async () => {
  const limited = limitListener(inner, 3);
  let most = 0;
  let served = 0;
  const server = serve(limited, async (conn) => {
    served++;
    most = Math.max(most, server.connections);
    await conn.read();
    await conn.write('done');
    await turns();
    conn.close();
  });
  const clients = await Promise.all(Array.from({ length: 20 }, client));
  await turns();
  expect(served).toBe(3);
  await Promise.all(clients.map((conn) => conn.write('go')));
  for (const conn of clients) expect(String(await conn.read())).toBe('done');
  expect(most).toBe(3);
  expect(served).toBe(20);
  await eventually(() => server.connections === 0);
  expect(await server.shutdown()).toEqual({ finished: 0, forced: 0 });
});

describe('while a server has it', () => {
  test('accept() is refused, as on the listener itself', async () => {
    const limited = limitListener(inner, 2);
    const server = serve(limited, (conn) => kept(conn).write('served'));
    const message = `accept tcp ${inner.addr}: ${ErrBusy.message}`;
    expect(await caught(limited.accept())).toMatchObject({ op: 'accept', cause: ErrBusy, message });
    await expect(limited[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ERR_SPLICEWAY_BUSY' });
    expect(String(await (await client()).read())).toBe('served');
    server.close();
    expect((await caught(limited.accept())).cause).toBe(ErrClosed);
  });

  test('a signal that is aborted, and wrong arguments, come first', async () => {
    const limited = limitListener(inner, 1);
    serve(limited, () => {});
    const reason = new Error('enough');
    await expect(limited.accept({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(limited.accept(1 as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  test('another serve() is refused, as it is while accept() waits', async () => {
    const limited = limitListener(inner, 1);
    const stop = new AbortController();
    const waiting = limited.accept({ signal: stop.signal });
    expect(() => serve(limited, () => {})).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }));
    stop.abort();
    await expect(waiting).rejects.toBe(stop.signal.reason);
    serve(limited, () => {});
    expect(() => serve(limited, () => {})).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }));
  });

  test('of limits around limits, each outer one is free to its server', async () => {
    const loose = limitListener(inner, 2);
    serve(limitListener(loose, 1), (conn) => kept(conn).write('served'));
    expect(String(await (await client()).read())).toBe('served');
  });
});

test('limits may be wrapped, and each counts', async () => {
  const loose = limitListener(inner, 2);
  const tight = limitListener(loose, 1);
  await Promise.all([client(), client()]);
  const first = kept(await tight.accept());
  expect(inspect(loose)).toContain('1 of 2');
  const next = tight.accept();
  expect(await isPending(next)).toBe(true);
  first.close();
  kept(await next);
});

test('a handler that throws is still told to the server', async () => {
  const errors: unknown[] = [];
  const server = serve(
    limitListener(inner, 1),
    (conn) => conn.handle({ data: () => Promise.reject(new Error('mine')) }),
    {
      onError: (error) => errors.push(error),
    },
  );
  const a = await client();
  await a.write('x');
  await eventually(() => errors.length > 0);
  expect(errors).toMatchObject([{ message: 'mine' }]);
  await server.shutdown();
});

describe('connections of another make', () => {
  const listenerOf = (queue: Conn[]) =>
    ({ accept: async () => queue.shift() as Conn, close: () => true, addr: inner.addr }) as unknown as Listener;

  test('free their place by close() and by shutdown()', async () => {
    const [far, near] = [foreignPair().server, pipe()[0]];
    const limited = limitListener(listenerOf([far, near, pipe()[0]]), 1);
    expect(await limited.accept()).toBe(far);
    const second = limited.accept();
    expect(await isPending(second)).toBe(true);
    expect(far.close()).toBe(true);
    expect(far.close()).toBe(false);
    expect(await second).toBe(near);
    const third = limited.accept();
    expect(await isPending(third)).toBe(true);
    await near.shutdown({ timeout: 0 });
    (await third).close();
  });
});

test('wrong arguments', async () => {
  expect(() => limitListener(1 as never, 1)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  expect(() => limitListener({} as never, 1)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  expect(() => limitListener(inner, 0)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  expect(() => limitListener(inner, '1' as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  const limited = limitListener(inner, 1);
  expect(await caught(limited.accept(1 as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  expect(await caught(limited.accept({ signal: 1 as never }))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
});
