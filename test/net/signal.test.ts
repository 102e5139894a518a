import { getEventListeners } from 'node:events';
import { dial, listen } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { blackhole } from '../support/blackhole.ts';
import { bytes, MiB, readAll, readExactly } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { openSockets } from '../support/fds.ts';
import { streams, tcpPair } from '../support/pair.ts';
import { isPending, turns } from '../support/time.ts';

// More than the kernel's buffers of both ends take.
const LARGE = 32 * MiB;

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

describe('a signal that is aborted already', () => {
  const reason = new Error('changed my mind');
  const signal = AbortSignal.abort(reason);

  test('rejects read() with its reason, and the bytes stay', async () => {
    using pair = await tcpPair();
    await pair.client.write('kept');
    expect(await caught(pair.server.read({ signal }))).toBe(reason);
    expect(await caught(pair.server.read(Buffer.alloc(4), { signal }))).toBe(reason);
    expect(await caught(pair.server.read(new Uint8Array(0), { signal }))).toBe(reason);
    expect(String(await pair.server.read())).toBe('kept');
  });

  test('rejects write() and writev() with its reason, and sends nothing', async () => {
    using pair = await tcpPair();
    expect(await caught(pair.client.write('x', { signal }))).toBe(reason);
    expect(await caught(pair.client.writev([Buffer.from('x')], { signal }))).toBe(reason);
    await pair.client.write('y');
    expect(String(await pair.server.read())).toBe('y');
  });

  test('rejects accept() with its reason, and the connection stays in the queue', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    using _client = await dial('tcp', `${listener.addr}`);
    expect(await caught(listener.accept({ signal }))).toBe(reason);
    using _server = await listener.accept();
  });

  test('rejects dial() with its reason, and makes no connection', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const before = openSockets();
    expect(await caught(dial('tcp', `${listener.addr}`, { signal }))).toBe(reason);
    expect(openSockets()).toBe(before);
    expect(await isPending(listener.accept())).toBe(true);
  });

  test('rejects dial() before it asks for a name', async () => {
    let asked = 0;
    const lookup = async () => {
      asked++;
      return ['127.0.0.1'];
    };
    expect(await caught(dial('tcp', 'name.test:80', { signal, lookup }))).toBe(reason);
    expect(asked).toBe(0);
  });

  test('comes before closed and expired, but not before a wrong argument', async () => {
    using pair = await tcpPair();
    pair.server.setDeadline(0);
    expect(await caught(pair.server.read({ signal }))).toBe(reason);
    pair.server.close();
    expect(await caught(pair.server.read({ signal }))).toBe(reason);
    expect(await caught(pair.server.write(5 as never, { signal }))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  test('has no listener of ours', () => {
    expect(listenersOf(signal)).toBe(0);
  });
});

describe('a signal that aborts a read that waits', () => {
  test.each(streams)('%s: it rejects with the reason; no byte is lost', async (_network, makePair) => {
    using pair = await makePair();
    for (const read of [
      (signal: AbortSignal) => pair.server.read({ signal }),
      (signal: AbortSignal) => pair.server.read(Buffer.alloc(100), { signal }),
    ]) {
      const abort = new AbortController();
      const reason = { any: 'value' };
      const reading = read(abort.signal);
      expect(await isPending(reading)).toBe(true);
      abort.abort(reason);
      expect(await caught<unknown>(reading)).toBe(reason);
      await pair.client.write('for the next one');
      expect(String(await pair.server.read())).toBe('for the next one');
    }
  });

  test('with the AbortError of abort() without a reason', async () => {
    using pair = await tcpPair();
    const abort = new AbortController();
    const reading = pair.server.read({ signal: abort.signal });
    abort.abort();
    expect(await caught(reading)).toMatchObject({ name: 'AbortError' });
  });

  test('with the TimeoutError of AbortSignal.timeout()', async () => {
    using pair = await tcpPair();
    const reading = pair.server.read({ signal: AbortSignal.timeout(5) });
    expect(await caught(reading)).toMatchObject({ name: 'TimeoutError' });
  });

  test('and bytes come at once: they are for the read behind it', async () => {
    using pair = await tcpPair();
    const abort = new AbortController();
    const first = pair.server.read({ signal: abort.signal });
    const second = pair.server.read();
    await turns();
    pair.client.tryWrite('bytes');
    abort.abort();
    expect(await caught(first)).toMatchObject({ name: 'AbortError' });
    expect(String(await second)).toBe('bytes');
  });

  test.each([0, 1, 2, 3])('at place %d of four: the others keep their order', async (place) => {
    using pair = await tcpPair();
    const abort = new AbortController();
    const reads = [0, 1, 2, 3].map((i) => pair.server.read(i === place ? { signal: abort.signal } : {}));
    await turns();
    abort.abort();
    expect(await caught(reads[place] as Promise<unknown>)).toMatchObject({ name: 'AbortError' });
    const others = reads.filter((_, i) => i !== place);
    for (const [i, read] of others.entries()) {
      await pair.client.write(`${i}`);
      expect(String(await read)).toBe(`${i}`);
    }
    const last = pair.server.read();
    await pair.client.write('last');
    expect(String(await last)).toBe('last');
  });

  test('of all in line at once', async () => {
    using pair = await tcpPair();
    const abort = new AbortController();
    const reads = [1, 2, 3].map(() => pair.server.read({ signal: abort.signal }));
    abort.abort();
    for (const read of reads) expect(await caught(read)).toMatchObject({ name: 'AbortError' });
    expect(listenersOf(abort.signal)).toBe(0);
    await pair.client.write('x');
    expect(String(await pair.server.read())).toBe('x');
  });

  test('never touches its buffer later', async () => {
    using pair = await tcpPair();
    const p = Buffer.alloc(4, '-');
    const abort = new AbortController();
    const reading = pair.server.read(p, { signal: abort.signal });
    abort.abort();
    await caught(reading);
    await pair.client.write('late');
    expect(String(await pair.server.read())).toBe('late');
    expect(String(p)).toBe('----');
  });
});

describe('a signal that aborts a write that waits', () => {
  test.each(streams)('%s: it stops where it is, and the connection goes on', async (_network, makePair) => {
    using pair = await makePair();
    const sent = bytes(LARGE);
    const abort = new AbortController();
    const writing = pair.client.write(sent, { signal: abort.signal });
    expect(await isPending(writing)).toBe(true);
    abort.abort();
    expect(await caught(writing)).toMatchObject({ name: 'AbortError' });
    const after = pair.client.write('the end').then(() => pair.client.closeWrite());
    const got = await readAll(pair.server);
    await after;
    const n = got.length - 7;
    expect(n).toBeGreaterThan(0);
    expect(n).toBeLessThan(LARGE);
    expect(got.subarray(0, n).equals(sent.subarray(0, n))).toBe(true);
    expect(String(got.subarray(n))).toBe('the end');
  });

  test.each([1, 2])('at place %d in line: nothing of it is sent, the others arrive in order', async (place) => {
    using pair = await tcpPair();
    const abort = new AbortController();
    const all = [bytes(LARGE), Buffer.from('one'), Buffer.from('two'), Buffer.from('three')];
    const writes = all.map((p, i) =>
      i === place ? pair.client.writev([p], { signal: abort.signal }) : pair.client.write(p),
    );
    await turns();
    abort.abort();
    expect(await caught(writes[place] as Promise<unknown>)).toMatchObject({ name: 'AbortError' });
    const got = readAll(pair.server);
    await Promise.all(writes.filter((_, i) => i !== place));
    pair.client.closeWrite();
    const wanted = Buffer.concat(all.filter((_, i) => i !== place));
    expect((await got).equals(wanted)).toBe(true);
  });

  test('lets the one behind it begin', async () => {
    using pair = await tcpPair();
    const abort = new AbortController();
    const first = pair.client.write(bytes(LARGE), { signal: abort.signal });
    const second = pair.client.write('second');
    await turns();
    abort.abort();
    await caught(first);
    const got = readAll(pair.server);
    expect(await second).toBe(6);
    pair.client.closeWrite();
    expect(String((await got).subarray(-6))).toBe('second');
  });
});

describe('a signal that aborts an accept that waits', () => {
  test('rejects it with the reason; connections are for the next ones', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const abort = new AbortController();
    const reason = new Error('enough');
    const first = listener.accept({ signal: abort.signal });
    const second = listener.accept();
    expect(await isPending(first)).toBe(true);
    abort.abort(reason);
    expect(await caught(first)).toBe(reason);
    using client = await dial('tcp', `${listener.addr}`);
    using server = await second;
    expect(`${server.remoteAddr}`).toBe(`${client.localAddr}`);
    expect(listenersOf(abort.signal)).toBe(0);
  });
});

describe.runIf(process.platform === 'linux')('a signal that aborts a dial', () => {
  test('while it connects: it rejects with the reason at once, and leaves no socket', async () => {
    using hole = await blackhole();
    const before = openSockets();
    const abort = new AbortController();
    const reason = new Error('too slow for me');
    const dialing = dial('tcp', `${hole.addr}`, { signal: abort.signal });
    expect(await isPending(dialing)).toBe(true);
    expect(openSockets()).toBe(before + 1);
    abort.abort(reason);
    expect(await caught(dialing)).toBe(reason);
    expect(openSockets()).toBe(before);
    expect(listenersOf(abort.signal)).toBe(0);
  });

  test('while a name is looked up: it rejects with the reason at once', async () => {
    const abort = new AbortController();
    const reason = new Error('too slow for me');
    let given: AbortSignal | undefined;
    const lookup = (_: string, options: { signal: AbortSignal | undefined }) => {
      given = options.signal;
      return new Promise<string[]>(() => {});
    };
    const dialing = dial('tcp', 'slow.test:80', { signal: abort.signal, lookup });
    expect(await isPending(dialing)).toBe(true);
    abort.abort(reason);
    expect(await caught(dialing)).toBe(reason);
    expect(given?.aborted).toBe(true);
    expect(listenersOf(abort.signal)).toBe(0);
  });

  test('after it has resolved: the connection does not notice', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const abort = new AbortController();
    using client = await dial('tcp', `${listener.addr}`, { signal: abort.signal });
    using server = await listener.accept();
    abort.abort();
    await client.write('x');
    expect(String(await server.read())).toBe('x');
  });
});

test('no listener stays on a signal after any call, however it ends', async () => {
  using pair = await tcpPair();
  const { client, server, listener } = pair;
  const { signal } = new AbortController();

  // At once.
  await client.write('abc', { signal });
  await client.writev([Buffer.from('def')], { signal });
  await server.read(Buffer.alloc(2), { signal });
  await server.read({ signal });
  expect(listenersOf(signal)).toBe(0);

  // After a wait.
  const reading = server.read({ signal });
  const accepting = listener.accept({ signal });
  expect(listenersOf(signal)).toBe(2);
  await client.write('x');
  await reading;
  using _dialed = await dial('tcp', `${listener.addr}`, { signal });
  using _accepted = await accepting;
  const writes = [client.write(bytes(LARGE), { signal }), client.writev([bytes(LARGE)], { signal })];
  expect(listenersOf(signal)).toBe(2);
  await readExactly(server, 2 * LARGE);
  await Promise.all(writes);
  expect(listenersOf(signal)).toBe(0);

  // By a deadline, a failure, and close().
  server.setReadDeadline(Date.now() + 1);
  await caught(server.read({ signal }));
  await caught(server.read({ signal }));
  server.setReadDeadline(null);
  expect(listenersOf(signal)).toBe(0);
  const failing = client.write(bytes(LARGE), { signal });
  await turns();
  client.closeWrite();
  await caught(failing);
  const closing = [client.read({ signal }), listener.accept({ signal })];
  client.close();
  listener.close();
  for (const call of closing) await caught(call);
  await caught(dial('tcp', `${listener.addr}`, { signal }));
  expect(listenersOf(signal)).toBe(0);
});

describe('a process lives no longer than its calls', () => {
  test.each([
    ['an aborted read', `conn.read({ signal }); abort.abort();`],
    ['an aborted write', `conn.write(Buffer.alloc(2 ** 25), { signal }); abort.abort();`],
    ['an aborted accept', `listener.accept({ signal }); abort.abort();`],
    ['a read that a past deadline ended', `conn.read(); conn.setReadDeadline(0);`],
    ['a write that a past deadline ended', `conn.write(Buffer.alloc(2 ** 25)); conn.setWriteDeadline(0);`],
    ['a read that its deadline ended', `conn.setReadDeadline(Date.now() + 5); conn.read();`],
  ])('%s does not keep it alive, though the connection is open', async (_name, calls) => {
    const { code } = await runScript(`
      import { dial, listen } from 'spliceway';
      process.on('unhandledRejection', () => {});
      const listener = await listen('tcp', '127.0.0.1:0');
      const [conn, peer] = await Promise.all([dial('tcp', String(listener.addr)), listener.accept()]);
      const abort = new AbortController();
      const { signal } = abort;
      ${calls}
      globalThis.kept = [listener, conn, peer];
    `);
    expect(code).toBe(0);
  });
});
