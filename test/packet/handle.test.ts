import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';
import { dial, listenPacket, OpError, type Packet, UDPAddr, type UDPConn } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { kinds, udpPair } from '../support/packets.ts';
import { eventually, isPending, turns } from '../support/time.ts';

describe.each(kinds)('%s: handle()', (_network, makePair) => {
  test('gives each datagram with its sender', async () => {
    using pair = await makePair();
    const got: [string, string][] = [];
    pair.b.handle({ message: (chunk, addr) => got.push([String(chunk), `${addr}`]) });
    for (const word of ['a', '', 'c']) await pair.a.writeTo(word, pair.b.localAddr);
    await eventually(() => got.length === 3);
    expect(got).toEqual(['a', '', 'c'].map((word) => [word, `${pair.a.localAddr}`]));
  });

  test('gives those that were there before', async () => {
    using pair = await makePair();
    await pair.a.writeTo('early', pair.b.localAddr);
    await turns();
    const got: string[] = [];
    pair.b.handle({ data: (chunk) => got.push(String(chunk)) });
    await eventually(() => got.length === 1);
    expect(got).toEqual(['early']);
  });

  test('gives batches of any sizes, unchanged and in order', async () => {
    using pair = await makePair();
    pair.b.setReadBuffer(1 << 22);
    const sizes = Array.from({ length: 300 }, (_, i) => [64, 64, 64, 20, 1200, 1200, 0, 1200, 7][i % 9] ?? 0);
    const sent = sizes.map((size, i) => bytes(size, i + 1));
    const got: Buffer[] = [];
    pair.b.handle({
      batch(packets: Packet[]) {
        for (const { data, addr } of packets) {
          expect(addr).toEqual(pair.a.localAddr);
          got.push(Buffer.from(data));
        }
      },
    });
    await pair.a.writeBatch(sent.map((data) => ({ data, addr: pair.b.localAddr })));
    await eventually(() => got.length === sent.length);
    expect(got.map((data, i) => data.equals(sent[i] as Buffer))).toEqual(sent.map(() => true));
  });

  test('waits for a promise of message(), and loses none that came with it', async () => {
    using pair = await makePair();
    let release = () => {};
    const got: string[] = [];
    pair.b.handle({
      async message(chunk) {
        if (got.length === 0) {
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        }
        got.push(String(chunk)); // still lent
      },
    });
    await pair.a.writeBatch(['1', '2', '3', '4'].map((data) => ({ data, addr: pair.b.localAddr })));
    await turns();
    expect(got).toEqual([]);
    release();
    await eventually(() => got.length === 4);
    expect(got).toEqual(['1', '2', '3', '4']);
  });

  test('waits for a promise of batch(), whose datagrams stay as they are', async () => {
    using pair = await makePair();
    using other = await makePair();
    const kept: string[] = [];
    pair.b.handle({
      async batch(packets) {
        await turns();
        for (const { data } of packets) kept.push(String(data));
      },
    });
    const elsewhere: string[] = [];
    other.b.handle({ message: (chunk) => elsewhere.push(String(chunk)) });
    await pair.a.writeTo('mine', pair.b.localAddr);
    await setImmediate();
    await other.a.writeTo('xxxx', other.b.localAddr);
    await eventually(() => kept.length === 1 && elsewhere.length === 1);
    expect([kept, elsewhere]).toEqual([['mine'], ['xxxx']]);
  });

  test('answers of a handler arrive, in their order and after what was sent before', async () => {
    using pair = await makePair();
    pair.b.handle({
      message(chunk, addr) {
        expect(pair.b.tryWriteTo(chunk, addr as never)).toBe(true);
        if (String(chunk) === '3') void pair.b.writeTo('between', addr);
      },
    });
    await pair.a.writeBatch(['1', '2', '3', '4', '5'].map((data) => ({ data, addr: pair.b.localAddr })));
    const got: string[] = [];
    while (got.length < 6) got.push(...(await pair.a.readBatch()).map(({ data }) => String(data)));
    expect(got).toEqual(['1', '2', '3', 'between', '4', '5']);
  });

  test('answers of a handler that closes the conn are sent', async () => {
    using pair = await makePair();
    pair.b.handle({
      message(_chunk, addr) {
        pair.b.tryWriteTo('last words', addr as never);
        pair.b.close();
      },
    });
    await pair.a.writeTo('x', pair.b.localAddr);
    expect(String(await pair.a.read())).toBe('last words');
  });

  test('sending elsewhere from a handler disturbs nothing', async () => {
    using pair = await makePair();
    using other = await makePair();
    pair.b.handle({
      message(chunk, addr) {
        other.a.tryWriteTo(chunk, other.b.localAddr);
        pair.b.tryWriteTo(chunk, addr as never);
      },
    });
    await pair.a.writeBatch(['1', '2', '3'].map((data) => ({ data, addr: pair.b.localAddr })));
    const read = async (conn: UDPConn) => {
      const got: string[] = [];
      while (got.length < 3) got.push(...(await conn.readBatch()).map(({ data }) => String(data)));
      return got;
    };
    expect(await read(pair.a as UDPConn)).toEqual(['1', '2', '3']);
    expect(await read(other.b as UDPConn)).toEqual(['1', '2', '3']);
  });

  test('reading elsewhere from a handler disturbs nothing', async () => {
    using pair = await makePair();
    using other = await makePair();
    await other.a.writeBatch(['x', 'x', 'x', 'x'].map((data) => ({ data, addr: other.b.localAddr })));
    await turns();
    const got: string[] = [];
    const reads: Promise<unknown>[] = [];
    pair.b.handle({
      message(chunk) {
        reads.push(other.b.readBatch(1));
        got.push(String(chunk));
      },
    });
    await pair.a.writeBatch(['1', '2', '3', '4'].map((data) => ({ data, addr: pair.b.localAddr })));
    await eventually(() => got.length === 4);
    await Promise.all(reads);
    expect(got).toEqual(['1', '2', '3', '4']);
  });

  test('makes reads busy', async () => {
    using pair = await makePair();
    pair.b.handle({ message() {} });
    expect(await caught(pair.b.readFrom())).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY' });
    expect(() => pair.b.handle({ message() {} })).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }));
    const waiting = pair.a.readFrom();
    expect(() => pair.a.handle({ message() {} })).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }));
    await pair.b.writeTo('x', pair.a.localAddr);
    expect(String((await waiting).data)).toBe('x');
  });

  test('a read deadline is told, and reading goes on with a new one', async () => {
    using pair = await makePair();
    const errors: Error[] = [];
    const got: string[] = [];
    pair.b.handle({ message: (chunk) => got.push(String(chunk)), error: (error) => errors.push(error) });
    pair.b.setReadDeadline(Date.now() + 10);
    await eventually(() => errors.length === 1);
    expect(errors[0]).toMatchObject({ timeout: true });
    await pair.a.writeTo('kept', pair.b.localAddr);
    await turns();
    expect(got).toEqual([]);
    pair.b.setReadDeadline(null);
    await eventually(() => got.length === 1);
    expect([got, pair.b.state]).toEqual([['kept'], 'active']);
  });

  test('runs in the async context that it was called in', async () => {
    using pair = await makePair();
    const context = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    context.run('ours', () => pair.b.handle({ message: () => seen.push(context.getStore()) }));
    await context.run('theirs', () => pair.a.writeTo('x', pair.b.localAddr));
    await eventually(() => seen.length === 1);
    expect(seen).toEqual(['ours']);
  });
});

test('an error that passes is told, and reading goes on', async () => {
  using peer = await listenPacket('udp', '127.0.0.1:0');
  const address = `${peer.localAddr}`;
  using conn = await dial('udp', address);
  const errors: Error[] = [];
  const got: string[] = [];
  conn.handle({ message: (chunk) => got.push(String(chunk)), error: (error) => errors.push(error) });
  peer.close();
  await conn.write('x');
  await eventually(() => errors.length === 1);
  expect(errors[0]).toBeInstanceOf(OpError);
  expect(errors[0]).toMatchObject({ op: 'read', code: 'ECONNREFUSED' });
  using again = await listenPacket('udp', address);
  await again.writeTo('y', conn.localAddr);
  await eventually(() => got.length === 1);
});

test('what tryWriteTo() meets is told to error(), and the rest is sent', async () => {
  using pair = await udpPair();
  const errors: Error[] = [];
  pair.b.handle({
    message(_chunk, addr) {
      pair.b.tryWriteTo('before', addr);
      pair.b.tryWriteTo('nowhere', new UDPAddr('127.0.0.1', 0));
      pair.b.tryWriteTo('unsuitable', new UDPAddr('::1', 1));
      pair.b.tryWriteTo('after', addr);
    },
    error: (error) => errors.push(error),
  });
  await pair.a.writeTo('x', pair.b.localAddr);
  expect([String(await pair.a.read()), String(await pair.a.read())]).toEqual(['before', 'after']);
  await eventually(() => errors.length === 2);
  expect(errors.map((error) => (error as OpError).code).sort()).toEqual(['EINVAL', 'ERR_SPLICEWAY_ADDRESS']);
  expect(pair.b.state).toBe('active');
});

test('what tryWriteTo() meets without a handler is told by the next write', async () => {
  using pair = await udpPair();
  expect(pair.a.tryWriteTo(Buffer.alloc(65_508), pair.b.localAddr)).toBe(false);
  expect(await caught(pair.a.writeTo('x', pair.b.localAddr))).toMatchObject({ code: 'EMSGSIZE' });
  expect(await pair.a.writeTo('x', pair.b.localAddr)).toBe(1);
});

test('a socket that shares its descriptor hears datagrams one by one', async () => {
  using pair = await udpPair();
  pair.b.handle({ message() {} });
  const fd = pair.b.detach();
  const { filePacketConn } = await import('spliceway');
  using again = filePacketConn(fd);
  await pair.a.writeBatch(['aa', 'bb', 'cc'].map((data) => ({ data, addr: pair.b.localAddr })));
  expect(String(await again.read())).toBe('aa');
  expect((await again.readBatch()).map(({ data }) => String(data))).toEqual(['bb', 'cc']);
});

test('a full unix socket holds a writer back, and drain() tells of room', async () => {
  using pair = await (kinds[1]?.[1]() as ReturnType<(typeof kinds)[number][1]>);
  let drained = 0;
  pair.a.handle({ message() {}, drain: () => drained++ });
  let sent = 0;
  while (pair.a.tryWriteTo(`${sent}`, pair.b.localAddr)) sent++;
  expect(sent).toBeGreaterThan(0);
  const waiting = pair.a.writeTo('last', pair.b.localAddr);
  expect(await isPending(waiting)).toBe(true);
  for (let i = 0; i < sent; i++) expect(String(await pair.b.read())).toBe(`${i}`);
  expect(await waiting).toBe(4);
  expect(String(await pair.b.read())).toBe('last');
  await eventually(() => drained > 0);
});

test('a function that throws ends its own conn, and is not swallowed', async () => {
  const { stdout, code } = await runScript(`
    import { listenPacket } from 'spliceway';
    process.on('uncaughtException', (error) => console.log(error.message, broken.state, whole.state));
    const broken = await listenPacket('udp', '127.0.0.1:0');
    const whole = await listenPacket('udp', '127.0.0.1:0');
    broken.handle({ message() { throw new Error('mistake'); } });
    await whole.writeTo('x', broken.localAddr);
  `);
  expect([stdout, code]).toEqual(['mistake closed active\n', 0]);
});
