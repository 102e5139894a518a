import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';
import {
  type Conn,
  dial,
  type Listener,
  listen,
  type Server,
  type SocketListener,
  serve,
  type TCPConn,
} from 'spliceway';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readAll } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { socketPath } from '../support/pair.ts';

let listener: SocketListener<TCPConn>;
let server: Server | undefined;
beforeEach(async () => {
  listener = await listen('tcp', '127.0.0.1:0');
});
afterEach(() => {
  server?.close();
  server = undefined;
  listener.close();
});

const connect = () => dial('tcp', `${listener.addr}`);
const echo = async (conn: Conn) => {
  for await (const chunk of conn) await conn.write(chunk);
};

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setImmediate();
}

/** A promise with its handles: for handlers that end when the test says so. */
function gate(): { promise: Promise<void>; open: () => void } {
  let open = () => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

describe('accepting', () => {
  test('every client is served, those that queued before serve() too', async () => {
    const early = await Promise.all(Array.from({ length: 100 }, connect));
    server = serve(listener, echo);
    const late = await Promise.all(Array.from({ length: 200 }, connect));
    await Promise.all(
      [...early, ...late].map(async (client, i) => {
        await client.write(`hello ${i}`);
        client.closeWrite();
        expect(String(await readAll(client))).toBe(`hello ${i}`);
        client.close();
      }),
    );
  });

  test('accept() and a second serve() are busy while one serves', async () => {
    server = serve(listener, echo);
    expect(await caught(listener.accept())).toMatchObject({ op: 'accept', code: 'ERR_SPLICEWAY_BUSY' });
    expect(() => serve(listener, echo)).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }));
  });

  test('serve() throws while an accept() waits, and for a closed listener', async () => {
    const accept = listener.accept();
    expect(() => serve(listener, echo)).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }));
    using client = await connect();
    using accepted = await accept;
    expect(`${accepted.remoteAddr}`).toBe(`${client.localAddr}`);
    listener.close();
    expect(() => serve(listener, echo)).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_CLOSED' }));
  });

  test('wrong arguments throw', () => {
    expect(() => serve(null as never, echo)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    expect(() => serve({} as never, echo)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    expect(() => serve(listener, 'echo' as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    const options = { onError: 1 as never };
    expect(() => serve(listener, echo, options)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    expect(() => serve(listener, echo, { signal: 1 as never })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
  });

  test('a listener of a foreign make is served through its iterator', async () => {
    const foreign: Listener<TCPConn> = {
      accept: (options) => listener.accept(options),
      close: () => listener.close(),
      addr: listener.addr,
      setDeadline: (t) => listener.setDeadline(t),
      ref: () => foreign,
      unref: () => foreign,
      [Symbol.asyncIterator]: () => listener[Symbol.asyncIterator](),
      [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
      [Symbol.dispose]: () => listener.close(),
    };
    server = serve(foreign, echo);
    const client = await connect();
    await client.write('hello');
    client.closeWrite();
    expect(String(await readAll(client))).toBe('hello');
    client.close();
    expect(await server.shutdown()).toEqual({ finished: 0, forced: 0 });
  });
});

describe('a handler', () => {
  /** A server whose handler fails for a client that writes "fail", and the errors that it reported. */
  function failing(fail: (conn: Conn) => unknown): { error: unknown; conn: Conn | null }[] {
    const errors: { error: unknown; conn: Conn | null }[] = [];
    let first = true;
    server = serve(
      listener,
      (conn) => {
        if (!first) return echo(conn);
        first = false;
        return fail(conn);
      },
      { onError: (error, conn) => errors.push({ error, conn }) },
    );
    return errors;
  }

  test.each<[string, (conn: Conn) => unknown]>([
    [
      'that throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['whose promise rejects', () => Promise.reject(new Error('mine'))],
    [
      'whose handle() functions throw',
      (conn) =>
        conn.handle({
          data() {
            throw new Error('mine');
          },
        }),
    ],
    ['whose data() promise rejects', (conn) => conn.handle({ data: () => Promise.reject(new Error('mine')) })],
  ])('%s ends its own connection only, and onError is told', async (_, fail) => {
    const errors = failing(fail);
    using bad = await connect();
    await bad.write('x').catch(() => {});
    await bad.read().catch(() => null);
    await until(() => errors.length > 0);
    expect(errors[0]?.error).toMatchObject({ message: 'mine' });
    expect(errors[0]?.conn?.state).toBe('closed');
    expect(`${errors[0]?.conn?.remoteAddr}`).toBe(`${bad.localAddr}`);
    using good = await connect();
    await good.write('fine');
    expect(String(await good.read())).toBe('fine');
    expect(errors).toHaveLength(1);
  });

  test('that throws does not keep the rest of its batch from being served', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, connect));
    let served = 0;
    server = serve(
      listener,
      (conn) => {
        if (served++ % 2 === 0) throw new Error('every other one');
        return echo(conn);
      },
      { onError: () => {} },
    );
    await until(() => served === 20);
    await Promise.all(clients.map((client) => client.write('x').catch(() => {})));
    const answers = await Promise.all(clients.map((client) => client.read().then(String, () => 'reset')));
    expect(answers.filter((answer) => answer === 'x')).toHaveLength(10);
    for (const client of clients) client.close();
  });

  test("an onError that throws loses no other connection: the error is the process' to see", async () => {
    const ended = await runScript(`
      import { dial, listen, serve } from 'spliceway';
      const seen = [];
      process.on('uncaughtException', (error) => seen.push(error.message));
      const listener = await listen('tcp', '127.0.0.1:0');
      const connect = () => dial('tcp', String(listener.addr));
      const clients = [await connect(), await connect(), await connect()];
      let n = 0;
      const server = serve(
        listener,
        (conn) => {
          if (n++ === 0) throw new Error('handler');
          conn.write('served');
        },
        { onError() { throw new Error('onError'); } },
      );
      clients.push(await connect());
      const answers = await Promise.all(clients.map((c) => c.read().then(String, (e) => e.code)));
      console.log(JSON.stringify({ answers, seen }));
      server.close();
      for (const c of clients) c.close();
    `);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(ended.stdout)).toEqual({ answers: ['null', 'served', 'served', 'served'], seen: ['onError'] });
  });

  test('without onError what the network did is dropped, and anything else is a warning', async () => {
    const ended = await runScript(`
      import { dial, listen, OpError, serve } from 'spliceway';
      const thrown = [new OpError('read', 'tcp', null, null, new Error('peer')), new Error('bug'), 'text', 42, null, {}];
      const left = [...thrown, ...thrown];
      const warnings = [];
      process.on('warning', (warning) => warnings.push(warning.message));
      const listener = await listen('tcp', '127.0.0.1:0');
      const server = serve(listener, () => {
        if (left.length > thrown.length) throw left.shift();
        return Promise.reject(left.shift());
      });
      while (left.length > 0) {
        const client = await dial('tcp', String(listener.addr));
        await client.read();
        client.close();
      }
      server.close();
      process.on('exit', () => console.log(JSON.stringify(warnings)));
    `);
    expect(ended.code).toBe(0);
    const each = ['bug', ...["'text'", '42', 'null', '{}'].map((text) => `A handler threw ${text}`)];
    expect(JSON.parse(ended.stdout)).toEqual([...each, ...each]);
  });

  test('that is async and has read to the end is done: its connection is shut down', async () => {
    server = serve(listener, async (conn) => {
      while ((await conn.read()) !== null);
      await conn.write('goodbye');
    });
    using client = await connect();
    client.closeWrite();
    expect(String(await readAll(client))).toBe('goodbye');
    await until(() => server?.connections === 0);
  });

  test('that is async and stops before the end keeps its connection open', async () => {
    let kept: Conn | undefined;
    server = serve(listener, async (conn) => {
      await conn.read();
      kept = conn;
    });
    using client = await connect();
    await client.write('hello');
    await until(() => kept !== undefined);
    await setImmediate();
    expect(kept?.state).toBe('active');
    await kept?.write('still open');
    expect(String(await client.read())).toBe('still open');
    expect(server.connections).toBe(1);
  });

  test('runs in the async context of serve()', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const done = gate();
    storage.run('of serve', () => {
      server = serve(
        listener,
        async (conn) => {
          seen.push(storage.getStore());
          await conn.read();
          seen.push(storage.getStore());
          conn.handle({
            data() {
              seen.push(storage.getStore());
              throw new Error('end');
            },
          });
        },
        {
          onError() {
            seen.push(storage.getStore());
            done.open();
          },
        },
      );
    });
    await storage.run('of a client', async () => {
      using client = await connect();
      await client.write('x');
      await until(() => seen.length === 2);
      await client.write('y');
      await done.promise;
    });
    expect(seen).toEqual(['of serve', 'of serve', 'of serve', 'of serve']);
  });
});

describe('connections', () => {
  test('counts the open ones, whoever closes them', async () => {
    const held: Conn[] = [];
    server = serve(listener, (conn) => {
      held.push(conn);
    });
    const clients = await Promise.all([connect(), connect(), connect()]);
    await until(() => server?.connections === 3);
    held[0]?.close();
    expect(server.connections).toBe(2);
    held[0]?.close();
    expect(server.connections).toBe(2);
    const ends = held[1]?.shutdown();
    for (const client of clients) client.close();
    await ends;
    expect(server.connections).toBe(1);
    held[2]?.close();
    expect(server.connections).toBe(0);
  });

  test('one that its handler has forgotten is collected and closed', async () => {
    const ended = await runScript(
      `
      import { setImmediate } from 'node:timers/promises';
      import { dial, listen, serve } from 'spliceway';
      const listener = await listen('tcp', '127.0.0.1:0');
      const server = serve(listener, () => {});
      const client = await dial('tcp', String(listener.addr));
      while (server.connections === 0) await setImmediate();
      const end = client.read();
      while (server.connections > 0) { gc(); await setImmediate(); }
      console.log(await end);
      server.close();
      client.close();
      `,
      { node: ['--expose-gc'] },
    );
    expect(ended).toMatchObject({ code: 0, stdout: 'null\n' });
    expect(ended.stderr).toContain('SPLICEWAY_CONN_COLLECTED');
  });
});

describe('shutdown', () => {
  test('counts who finished in time and who was forced', async () => {
    server = serve(listener, echo);
    const clients = await Promise.all(Array.from({ length: 5 }, connect));
    await until(() => server?.connections === 5);
    const ending = server.shutdown({ timeout: 100 });
    for (const client of clients.slice(0, 3)) client.closeWrite();
    expect(await ending).toEqual({ finished: 3, forced: 2 });
    expect(server.connections).toBe(0);
    for (const client of clients.slice(3)) expect(await client.read().catch(() => null)).toBeNull();
    for (const client of clients) client.close();
  });

  test('is over at once when nothing is open, and before its timeout when all have ended', async () => {
    const other = serve(await listen('tcp', '127.0.0.1:0'), echo);
    expect(await other.shutdown()).toEqual({ finished: 0, forced: 0 });
    server = serve(listener, echo);
    using client = await connect();
    await until(() => server?.connections === 1);
    const from = performance.now();
    const ending = server.shutdown({ timeout: 60_000 });
    client.closeWrite();
    expect(await ending).toEqual({ finished: 1, forced: 0 });
    expect(performance.now() - from).toBeLessThan(30_000);
  });

  test('takes what queues first, then refuses', async () => {
    // A connect to a Unix socket is over at once: most or all of them queue, with no event looked at yet.
    const path = socketPath();
    server = serve(await listen('unix', path), echo);
    const clients = await Promise.all(Array.from({ length: 200 }, () => dial('unix', path)));
    const ending = server.shutdown({ timeout: 60_000 });
    expect(server.connections).toBe(200);
    expect(await caught(dial('unix', path))).toMatchObject({ code: 'ENOENT' });
    for (const client of clients) {
      await client.write('last');
      client.closeWrite();
      expect(String(await readAll(client))).toBe('last');
      client.close();
    }
    expect(await ending).toEqual({ finished: 200, forced: 0 });
  });

  test('aborts the signal that handlers watch', async () => {
    const closed = gate();
    server = serve(listener, async (conn) => {
      server?.signal.addEventListener('abort', () => {
        conn.close();
        closed.open();
      });
    });
    using _client = await connect();
    await until(() => server?.connections === 1);
    expect(server.signal.aborted).toBe(false);
    expect(await server.shutdown()).toEqual({ finished: 1, forced: 0 });
    expect(server.signal.aborted).toBe(true);
    await closed.promise;
  });

  test('gives the same outcome to everybody who asks', async () => {
    server = serve(listener, echo);
    using _client = await connect();
    await until(() => server?.connections === 1);
    const [first, second] = await Promise.all([server.shutdown({ timeout: 20 }), server.shutdown({ timeout: 60_000 })]);
    expect(first).toEqual({ finished: 0, forced: 1 });
    expect(second).toEqual(first);
    expect(await server.shutdown()).toEqual(first);
  });

  test('close() while it waits ends it', async () => {
    server = serve(listener, echo);
    using _client = await connect();
    await until(() => server?.connections === 1);
    const ending = server.shutdown({ timeout: 60_000 });
    server.close();
    expect(await ending).toEqual({ finished: 0, forced: 1 });
    expect(server.connections).toBe(0);
  });

  test('wrong options reject', async () => {
    server = serve(listener, echo);
    expect(await caught(server.shutdown(1 as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(await caught(server.shutdown({ timeout: -1 }))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  });

  test('is what await using does', async () => {
    let client: TCPConn;
    {
      await using local = serve(await listen('tcp', '127.0.0.1:0'), echo);
      server = serve(listener, echo);
      client = await connect();
      await until(() => server?.connections === 1);
      client.closeWrite();
      expect(local.connections).toBe(0);
    }
    client.close();
  });
});

describe('close', () => {
  test('closes the listener and every connection at once', async () => {
    const errors: unknown[] = [];
    server = serve(listener, echo, { onError: (error) => errors.push(error) });
    const clients = await Promise.all([connect(), connect()]);
    await until(() => server?.connections === 2);
    expect(server.close()).toBe(true);
    expect(server.close()).toBe(false);
    expect(server.connections).toBe(0);
    expect(server.signal.aborted).toBe(true);
    for (const client of clients) {
      expect(await client.read()).toBeNull();
      client.close();
    }
    expect(await caught(connect())).toMatchObject({ code: 'ECONNREFUSED' });
    expect(errors).toEqual([]);
  });

  test('keeps the addresses of connections that nothing waited on', async () => {
    let kept: TCPConn | undefined;
    server = serve(listener, (conn) => {
      kept = conn;
    });
    using client = await connect();
    await until(() => kept !== undefined);
    server.close();
    expect(kept?.state).toBe('closed');
    expect(`${kept?.localAddr}`).toBe(`${client.remoteAddr}`);
    expect(`${kept?.remoteAddr}`).toBe(`${client.localAddr}`);
    expect(kept?.close()).toBe(false);
  });

  test('is what the signal does', async () => {
    const controller = new AbortController();
    server = serve(listener, echo, { signal: controller.signal });
    using client = await connect();
    await until(() => server?.connections === 1);
    controller.abort();
    expect(server.connections).toBe(0);
    expect(await client.read()).toBeNull();
    expect(listener.close()).toBe(false);
  });

  test('has happened already where the signal was aborted before', async () => {
    server = serve(listener, echo, { signal: AbortSignal.abort() });
    expect(listener.close()).toBe(false);
    expect(server.signal.aborted).toBe(true);
    expect(await server.shutdown()).toEqual({ finished: 0, forced: 0 });
  });

  test('of the listener alone leaves the connections', async () => {
    const errors: unknown[] = [];
    server = serve(listener, echo, { onError: (error) => errors.push(error) });
    using client = await connect();
    await until(() => server?.connections === 1);
    listener.close();
    await client.write('on');
    expect(String(await client.read())).toBe('on');
    expect(errors).toEqual([]);
  });
});
