import { ErrClosed, type OpError } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, KiB, MiB, readAll, readExactly } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { streams, tcpPair } from '../support/pair.ts';
import { eventually, isPending, turns } from '../support/time.ts';

// More than the kernel's buffers of both ends take.
const LARGE = 32 * MiB;
const CLOSED = { code: 'ERR_SPLICEWAY_CLOSED', cause: ErrClosed };

describe.each(streams)('%s: shutdown()', (_network, makePair) => {
  test('sends FIN, waits for the one of the peer, and closes', async () => {
    using pair = await makePair();
    const done = pair.client.shutdown();
    expect(pair.client.state).toBe('closing');
    expect(await pair.server.read()).toBe(null);
    expect(await isPending(done)).toBe(true);
    pair.server.closeWrite();
    await done;
    expect(pair.client.state).toBe('closed');
    expect(pair.client.close()).toBe(false);
  });

  test('finishes waiting writes first, all of them, and then sends FIN', async () => {
    using pair = await makePair();
    const sent = [bytes(LARGE, 1), bytes(1000, 2), bytes(LARGE, 3)];
    const writes = sent.map((p) => pair.client.write(p));
    const done = pair.client.shutdown({ timeout: 60_000 });
    const got = readAll(pair.server);
    expect(await Promise.all(writes)).toEqual([LARGE, 1000, LARGE]);
    expect((await got).equals(Buffer.concat(sent))).toBe(true);
    pair.server.close();
    await done;
  });

  test('gives what arrives to reads that wait', async () => {
    using pair = await makePair();
    const p = Buffer.alloc(3);
    const reads = [pair.client.read(), pair.client.read(p), pair.client.read()] as const;
    const done = pair.client.shutdown();
    expect(await pair.server.read()).toBe(null);
    await pair.server.write('one');
    expect(String(await reads[0])).toBe('one');
    await pair.server.write('two');
    expect(await reads[1]).toBe(3);
    expect(String(p)).toBe('two');
    expect(await isPending(done)).toBe(true);
    pair.server.close();
    expect(await reads[2]).toBe(null);
    await done;
  });

  test('discards what nobody waits for, however much it is', async () => {
    using pair = await makePair();
    const reading = pair.client.read();
    const done = pair.client.shutdown();
    await pair.server.write('for the read');
    expect(String(await reading)).toBe('for the read');
    // Without someone who takes it, as much as this would wait for ever.
    expect(await pair.server.write(bytes(LARGE))).toBe(LARGE);
    expect(await isPending(done)).toBe(true);
    pair.server.close();
    await done;
  });

  test('refuses new calls as a closed connection does', async () => {
    using pair = await makePair();
    const done = pair.client.shutdown();
    const { client } = pair;
    expect(await caught(client.write('x'))).toMatchObject({ ...CLOSED, op: 'write', bytesWritten: 0 });
    expect(await caught(client.writev([Buffer.from('x')]))).toMatchObject({ ...CLOSED, op: 'writev' });
    expect(await caught(client.read())).toMatchObject({ ...CLOSED, op: 'read' });
    expect(client.tryWrite('x')).toBe(0);
    expect(() => client.handle({ data() {} })).toThrow(expect.objectContaining(CLOSED));
    pair.server.close();
    await done;
  });

  test('gives up after its timeout, and closes', async () => {
    using pair = await makePair();
    const started = performance.now();
    await pair.client.shutdown({ timeout: 50 });
    expect(performance.now() - started).toBeGreaterThanOrEqual(49);
    expect(pair.client.state).toBe('closed');
    expect(await pair.server.read()).toBe(null);
  });

  test('counts waiting writes into its timeout; they reject as closed', async () => {
    using pair = await makePair();
    const sent = bytes(LARGE);
    const writing = pair.client.write(sent);
    const [error] = await Promise.all([caught(writing), pair.client.shutdown({ timeout: 30 })]);
    expect(error).toMatchObject(CLOSED);
    const got = await readAll(pair.server).catch((reason: OpError) => reason);
    expect(Buffer.isBuffer(got) && got.length).toBe(error.bytesWritten);
  });
});

describe('shutdown()', () => {
  test('may be called again while it runs and after it has ended', async () => {
    using pair = await tcpPair();
    const first = pair.client.shutdown();
    const second = pair.client.shutdown({ timeout: 1 });
    expect(await isPending(Promise.race([first, second]))).toBe(true);
    pair.server.close();
    await Promise.all([first, second]);
    await pair.client.shutdown();
    await pair.client[Symbol.asyncDispose]();
  });

  test('of both ends at once ends both', async () => {
    using pair = await tcpPair();
    await Promise.all([pair.client.shutdown(), pair.server.shutdown()]);
    expect([pair.client.state, pair.server.state]).toEqual(['closed', 'closed']);
  });

  test('resolves when the peer resets', async () => {
    using pair = await tcpPair();
    const done = pair.client.shutdown();
    pair.server.setLinger(0);
    pair.server.close();
    await done;
  });

  test('resolves when the peer had reset before', async () => {
    using pair = await tcpPair();
    pair.server.setLinger(0);
    pair.server.close();
    await turns();
    await pair.client.shutdown();
    expect(pair.client.state).toBe('closed');
  });

  test('resolves when the peer resets while a write waits, which rejects', async () => {
    using pair = await tcpPair();
    const writing = pair.client.write(bytes(LARGE));
    const done = pair.client.shutdown();
    await turns();
    pair.server.setLinger(0);
    pair.server.close();
    expect(['ECONNRESET', 'EPIPE']).toContain((await caught(writing)).code);
    await done;
  });

  test('on a connection whose peer has sent FIN already is done at once', async () => {
    using pair = await tcpPair();
    await pair.server.write('unread');
    pair.server.closeWrite();
    await pair.client.shutdown();
    expect(await pair.server.read()).toBe(null);
  });

  test('is ended by close(): it resolves, and waiting calls reject', async () => {
    using pair = await tcpPair();
    const reading = pair.client.read();
    const done = pair.client.shutdown();
    expect(pair.client.close()).toBe(true);
    await done;
    expect(await caught(reading)).toMatchObject(CLOSED);
  });

  test('goes on when the write that it waits for is aborted', async () => {
    using pair = await tcpPair();
    const abort = new AbortController();
    const writing = pair.client.write(bytes(LARGE), { signal: abort.signal });
    const done = pair.client.shutdown({ timeout: 60_000 });
    expect(await isPending(writing)).toBe(true);
    abort.abort();
    await caught(writing);
    // The FIN follows what had been sent.
    await readAll(pair.server);
    pair.server.close();
    await done;
  });

  test('goes on when the write that it waits for meets its deadline', async () => {
    using pair = await tcpPair();
    const writing = pair.client.write(bytes(LARGE));
    const done = pair.client.shutdown({ timeout: 60_000 });
    pair.client.setWriteDeadline(0);
    const { bytesWritten } = await caught(writing);
    expect((await readAll(pair.server)).length).toBe(bytesWritten);
    pair.server.close();
    await done;
  });

  test.each([
    ['aborted', (_: { setReadDeadline(t: number): void }, abort: AbortController) => abort.abort()],
    ['past its deadline', (conn: { setReadDeadline(t: number): void }) => conn.setReadDeadline(0)],
  ])('discards for a read that is %s while it waits', async (_name, end) => {
    using pair = await tcpPair();
    const abort = new AbortController();
    const reading = pair.client.read({ signal: abort.signal });
    const done = pair.client.shutdown({ timeout: 60_000 });
    await turns();
    end(pair.client, abort);
    await caught(reading);
    expect(await pair.server.write(bytes(LARGE))).toBe(LARGE);
    pair.server.close();
    await done;
  });

  test('lets a handler have what arrives, and its end', async () => {
    using pair = await tcpPair();
    const seen: string[] = [];
    pair.client.handle({ data: (chunk) => seen.push(String(chunk)), end: () => seen.push('end') });
    const done = pair.client.shutdown();
    expect(await pair.server.read()).toBe(null);
    await pair.server.write('late');
    await eventually(() => seen.length === 1);
    pair.server.close();
    await done;
    expect(seen).toEqual(['late', 'end']);
  });

  test('waits longer than a timer of Node can, if told to', async () => {
    using pair = await tcpPair();
    const done = pair.client.shutdown({ timeout: 2 ** 31 });
    expect(await isPending(done)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(pair.client.state).toBe('closing');
    pair.server.close();
    await done;
  });

  test('rejects for arguments that are wrong, and closes nothing', async () => {
    using pair = await tcpPair();
    for (const timeout of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(await caught(pair.client.shutdown({ timeout }))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    }
    for (const options of [null, 5, { timeout: '5' }, { timeout: 10n }]) {
      expect(await caught(pair.client.shutdown(options as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
    expect(pair.client.state).toBe('new');
    await pair.client.write('still open');
    expect(String(await pair.server.read())).toBe('still open');
  });
});

describe('disposal', () => {
  test('await using shuts down: nothing that was written is lost', async () => {
    using pair = await tcpPair();
    const sent = bytes(300 * KiB);
    const got = readAll(pair.server).then((all) => {
      pair.server.close();
      return all;
    });
    {
      await using conn = pair.client;
      await conn.write(sent);
    }
    expect(pair.client.state).toBe('closed');
    expect((await got).equals(sent)).toBe(true);
  });

  test('await using waits for writes that nobody awaited', async () => {
    using pair = await tcpPair();
    const got = readExactly(pair.server, LARGE).then(() => pair.server.close());
    {
      await using conn = pair.client;
      void conn.write(bytes(LARGE));
    }
    await got;
    expect(pair.client.state).toBe('closed');
  });

  test('using closes', async () => {
    using pair = await tcpPair();
    {
      using conn = pair.client;
      void conn.write(bytes(LARGE));
    }
    expect(pair.client.state).toBe('closed');
  });

  test('does no harm to a connection that is closed', async () => {
    using pair = await tcpPair();
    {
      await using first = pair.client;
      using second = pair.client;
      expect(first.close()).toBe(true);
      expect(second.close()).toBe(false);
    }
  });
});

test('a process that has nothing else to do lives until the shutdown is done, and no longer', async () => {
  const started = performance.now();
  const { code, stdout } = await runScript(`
    import { dial, listen } from 'spliceway';
    const listener = await listen('tcp', '127.0.0.1:0');
    const [conn, peer] = await Promise.all([dial('tcp', String(listener.addr)), listener.accept()]);
    peer.handle({ data() {}, end: () => setTimeout(() => peer.close(), 50) });
    conn.shutdown({ timeout: 60_000 }).then(() => console.log('done'));
  `);
  expect(code).toBe(0);
  expect(stdout).toBe('done\n');
  expect(performance.now() - started).toBeLessThan(50_000);
});
