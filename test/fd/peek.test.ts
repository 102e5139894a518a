import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copy, dial, fileConn, relay, serve } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, KiB, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { streams, tcpPair, unixPair } from '../support/pair.ts';
import { eventually, isPending, turns } from '../support/time.ts';

function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('it did not throw');
}

describe.each(streams)('peek() over %s', (network, makePair) => {
  test('shows up to n bytes and leaves them, however often', async () => {
    using pair = await makePair();
    await pair.server.write('hello, world');
    expect(String(await pair.client.peek(5))).toBe('hello');
    expect(String(await pair.client.peek(65536))).toBe('hello, world');
    expect(String(await pair.client.peek(1))).toBe('h');
    expect(String(await pair.client.read())).toBe('hello, world');
  });

  test('waits until there is a byte', async () => {
    using pair = await makePair();
    const peeking = pair.client.peek(10);
    expect(await isPending(peeking)).toBe(true);
    await pair.server.write('now');
    expect(String(await peeking)).toBe('now');
    expect(String(await pair.client.read())).toBe('now');
  });

  test('null at the end of the stream, behind all bytes', async () => {
    using pair = await makePair();
    await pair.server.write('last');
    pair.server.closeWrite();
    expect(String(await pair.client.peek(10))).toBe('last');
    expect(String(await pair.client.read())).toBe('last');
    expect(await pair.client.peek(10)).toBeNull();
    expect(await pair.client.peek(10)).toBeNull();
    expect(await pair.client.read()).toBeNull();
    const waiting = pair.server.peek(1);
    pair.client.closeWrite();
    expect(await waiting).toBeNull();
  });

  test('takes no edge: reads, handlers and waits behind it miss nothing', async () => {
    using pair = await makePair();
    for (let i = 0; i < 20; i++) {
      const reading = i % 2 === 0 ? pair.client.read() : null;
      await pair.server.write(`message ${i}`);
      expect(String(await (reading ?? pair.client.peek(3)))).toBe(reading === null ? 'mes' : `message ${i}`);
      if (reading === null) expect(String(await pair.client.read())).toBe(`message ${i}`);
    }
    await pair.server.write('for the handler');
    await pair.client.peek(1);
    const got: string[] = [];
    pair.client.handle({ data: (chunk) => void got.push(String(chunk)) });
    await eventually(() => got.join('') === 'for the handler');
  });

  test('stands in line with reads', async () => {
    using pair = await makePair();
    const first = pair.client.read();
    const look = pair.client.peek(4);
    const second = pair.client.read();
    await pair.server.write('one');
    expect(String(await first)).toBe('one');
    expect(await isPending(look)).toBe(true);
    await pair.server.write('two');
    expect([String(await look), String(await second)]).toEqual(['two', 'two']);
  });

  test('is ended by its deadline, its signal and close(), and loses nothing', async () => {
    using pair = await makePair();
    const where = `${network} ${pair.client.localAddr}->${pair.client.remoteAddr}`;
    const late = pair.client.peek(1);
    pair.client.setReadDeadline(Date.now() + 20);
    expect(await caught(late)).toMatchObject({ op: 'peek', timeout: true, message: `peek ${where}: i/o timeout` });
    await pair.server.write('kept');
    expect(await caught(pair.client.peek(1))).toMatchObject({ op: 'peek', timeout: true });
    pair.client.setReadDeadline(null);
    expect(String(await pair.client.peek(9))).toBe('kept');
    await pair.client.read();
    const aborting = new AbortController();
    const aborted = pair.client.peek(1, { signal: aborting.signal });
    aborting.abort(new Error('enough'));
    expect(await caught<Error>(aborted)).toEqual(new Error('enough'));
    const closed = pair.client.peek(1);
    pair.client.close();
    for (const call of [closed, pair.client.peek(1)]) {
      expect(await caught(call)).toMatchObject({ op: 'peek', code: 'ERR_SPLICEWAY_CLOSED' });
    }
  });

  test('what was peeked goes with the descriptor, through copies and relays', async () => {
    using pair = await makePair();
    await pair.server.write('whole');
    await pair.client.peek(2);
    using next = fileConn(pair.client.detach());
    expect(String(await next.peek(3))).toBe('who');
    pair.server.closeWrite();
    using far = await tcpPair();
    const copying = copy(far.client, next);
    expect(await copying).toBe(5);
    expect(String(await readExactly(far.server, 5))).toBe('whole');
  });
});

describe.each(streams)('unread() over %s', (_network, makePair) => {
  test('what was put back is read first, the last put back before all', async () => {
    using pair = await makePair();
    await pair.server.write('world');
    await pair.client.peek(5);
    const mine = Buffer.from('hello ');
    pair.client.unread(mine);
    mine.fill(0);
    pair.client.unread(Buffer.from('> '));
    pair.client.unread(Buffer.alloc(0));
    expect(String(await pair.client.read())).toBe('> hello ');
    expect(String(await pair.client.read())).toBe('world');
  });

  test('read(p) takes what it has room for, and the rest stays', async () => {
    using pair = await makePair();
    pair.client.unread(Buffer.from('abcdef'));
    const p = Buffer.alloc(4);
    expect(await pair.client.read(Buffer.alloc(0))).toBe(0);
    expect(await pair.client.read(p)).toBe(4);
    expect(String(p)).toBe('abcd');
    expect(await pair.client.read(p)).toBe(2);
    expect(String(p.subarray(0, 2))).toBe('ef');
    expect(await isPending(pair.client.read(p))).toBe(true);
  });

  test('more than a chunk comes in chunks', async () => {
    using pair = await makePair();
    const big = bytes(200 * KiB);
    pair.client.unread(big);
    pair.server.closeWrite();
    expect((await pair.client.read())?.length).toBe(64 * KiB);
    const rest = await readAll(pair.client);
    expect(sha256(rest)).toBe(sha256(big.subarray(64 * KiB)));
  });

  test('peek() sees it, and behind it what the kernel has', async () => {
    using pair = await makePair();
    await pair.server.write('kernel');
    await pair.client.peek(6);
    pair.client.unread(Buffer.from('front '));
    expect(String(await pair.client.peek(3))).toBe('fro');
    expect(String(await pair.client.peek(6))).toBe('front ');
    expect(String(await pair.client.peek(100))).toBe('front kernel');
    expect(String(await pair.client.read())).toBe('front ');
    expect(String(await pair.client.read())).toBe('kernel');
    pair.client.unread(Buffer.from('alone'));
    expect(String(await pair.client.peek(100))).toBe('alone');
  });

  test('comes before the end of the stream, and after closeRead()', async () => {
    using pair = await makePair();
    pair.server.closeWrite();
    expect(await pair.client.read()).toBeNull();
    pair.client.unread(Buffer.from('back'));
    pair.client.closeRead();
    expect(String(await pair.client.read())).toBe('back');
    expect(await pair.client.read()).toBeNull();
  });

  test('iteration and handle() begin with it', async () => {
    using pair = await makePair();
    pair.client.unread(Buffer.from('one '));
    for await (const chunk of pair.client) {
      expect(String(chunk)).toBe('one ');
      break;
    }
    pair.client.unread(Buffer.from('two '));
    let got = '';
    pair.client.handle({
      data(chunk) {
        got += chunk;
      },
    });
    expect(got).toBe('');
    await pair.server.write('three');
    await eventually(() => got === 'two three');
  });

  test('handle() in chunks, with back-pressure', async () => {
    using pair = await makePair();
    const big = bytes(600 * KiB);
    pair.client.unread(big);
    await pair.server.write('end');
    const got: Buffer[] = [];
    pair.client.handle({
      data: async (chunk) => {
        const copied = Buffer.from(chunk);
        await turns();
        got.push(copied);
      },
    });
    await eventually(() => got.at(-1)?.toString() === 'end');
    expect(sha256(Buffer.concat(got))).toBe(sha256(Buffer.concat([big, Buffer.from('end')])));
  });

  test('copy() takes it first: all of it, up to its limit, or none', async () => {
    using pair = await makePair();
    using far = await tcpPair();
    const big = bytes(3 * MiB);
    pair.client.unread(big);
    expect(await copy(far.client, pair.client, { limit: 10 })).toBe(10);
    const copying = copy(far.client, pair.client);
    const sending = pair.server.write(big).then(() => pair.server.closeWrite());
    const got = await readExactly(far.server, 6 * MiB);
    await sending;
    expect(await copying).toBe(6 * MiB - 10);
    expect(sha256(got)).toBe(sha256(Buffer.concat([big, big])));
    pair.client.unread(Buffer.from('still'));
    pair.client.setReadDeadline(1);
    expect(await caught(copy(far.client, pair.client))).toMatchObject({ timeout: true, bytesCopied: 0 });
    pair.client.setReadDeadline(null);
    expect(String(await pair.client.read())).toBe('still');
  });

  test('copy() that ends half-way leaves the rest of it in front', async () => {
    using pair = await makePair();
    using far = await tcpPair();
    const big = bytes(32 * MiB);
    pair.client.unread(big);
    const aborting = new AbortController();
    const copying = copy(far.client, pair.client, { signal: aborting.signal });
    expect(await isPending(copying)).toBe(true);
    aborting.abort();
    await caught(copying);
    const left = pair.client.takeUnread();
    expect(left.length).toBeGreaterThan(0);
    far.client.closeWrite();
    const delivered = await readAll(far.server);
    expect(delivered.length + left.length).toBe(big.length);
    expect(sha256(Buffer.concat([delivered, left]))).toBe(sha256(big));
  });

  test('copy() into a file', async () => {
    using pair = await makePair();
    const folder = mkdtempSync(join(tmpdir(), 'spliceway-'));
    const file = await open(join(folder, 'out'), 'w');
    await pair.server.write(' and more');
    pair.server.closeWrite();
    pair.client.unread(Buffer.from('first'));
    expect(await copy(file, pair.client)).toBe(14);
    await file.close();
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('first and more');
    rmSync(folder, { recursive: true });
  });

  test('relay() passes it on first', async () => {
    using pair = await makePair();
    using far = await tcpPair();
    await pair.server.write('later');
    pair.client.unread(Buffer.from('sooner '));
    far.client.unread(Buffer.from('answer '));
    const relaying = relay(pair.client, far.client);
    expect(String(await readExactly(far.server, 12))).toBe('sooner later');
    expect(String(await readExactly(pair.server, 7))).toBe('answer ');
    pair.server.closeWrite();
    far.server.closeWrite();
    expect(await relaying).toMatchObject({ reason: 'end', aToB: 12, bToA: 7 });
  });

  test('detach() refuses to lose it; takeUnread() gives it', async () => {
    using pair = await makePair();
    expect(pair.client.takeUnread().length).toBe(0);
    pair.client.unread(Buffer.from('mine'));
    expect(thrown(() => pair.client.detach())).toMatchObject({ op: 'detach', code: 'ERR_SPLICEWAY_BUSY' });
    expect(String(pair.client.takeUnread())).toBe('mine');
    expect(pair.client.takeUnread().length).toBe(0);
    using next = fileConn(pair.client.detach());
    await pair.server.write('theirs');
    expect(String(await next.read())).toBe('theirs');
  });

  test('a past deadline comes first', async () => {
    using pair = await makePair();
    pair.client.unread(Buffer.from('later'));
    pair.client.setReadDeadline(1);
    expect(await caught(pair.client.read())).toMatchObject({ op: 'read', timeout: true });
    expect(await caught(pair.client.peek(1))).toMatchObject({ op: 'peek', timeout: true });
    pair.client.setReadDeadline(null);
    expect(String(await pair.client.read())).toBe('later');
  });

  test('what refuses it', async () => {
    using pair = await makePair();
    const some = Buffer.from('x');
    expect(thrown(() => pair.client.unread('x' as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    const reading = pair.client.read();
    expect(thrown(() => pair.client.unread(some))).toMatchObject({ op: 'unread', code: 'ERR_SPLICEWAY_BUSY' });
    await pair.server.write('go');
    await reading;
    pair.server.handle({ data() {} });
    expect(thrown(() => pair.server.unread(some))).toMatchObject({ op: 'unread', code: 'ERR_SPLICEWAY_BUSY' });
    pair.client.close();
    expect(thrown(() => pair.client.unread(some))).toMatchObject({ op: 'unread', code: 'ERR_SPLICEWAY_CLOSED' });
  });
});

test('packets: the next one shows, and one can be put back', async () => {
  using pair = await unixPair('unixpacket');
  await pair.server.write('first');
  await pair.server.write('second');
  expect(String(await pair.client.peek(3))).toBe('fir');
  const first = await pair.client.read();
  expect(String(first)).toBe('first');
  pair.client.unread(first as Buffer);
  expect(thrown(() => pair.client.unread(first as Buffer))).toMatchObject({ op: 'unread', code: 'EINVAL' });
  expect(String(await pair.client.peek(100))).toBe('first');
  expect(await pair.client.read(Buffer.alloc(2))).toBe(2);
  expect(String(await pair.client.read())).toBe('second');
});

test('peek(n): what n may be, and whom it is refused to', async () => {
  using pair = await tcpPair();
  for (const n of [0, 65537, 1.5, Number.NaN]) {
    expect(await caught(pair.client.peek(n))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  }
  for (const n of ['1', null, undefined]) {
    expect(await caught(pair.client.peek(n as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  }
  pair.client.handle({ data() {} });
  expect(await caught(pair.client.peek(1))).toMatchObject({ op: 'peek', code: 'ERR_SPLICEWAY_BUSY' });
});

test('shutdown() throws away what was put back', async () => {
  using pair = await tcpPair();
  pair.client.unread(Buffer.from('never read'));
  const ending = pair.client.shutdown();
  pair.server.close();
  await ending;
  expect(pair.client.state).toBe('closed');
});

test('a router: looks at the first bytes, then relays them with the rest', async () => {
  using front = await tcpPair();
  using back = await tcpPair();
  const server = serve(front.listener, async (conn) => {
    if (String(await conn.peek(4)) === 'PING') await relay(conn, back.client);
  });
  using client = await dial('tcp', `${front.listener.addr}`);
  await client.write('PING and so on');
  expect(String(await readExactly(back.server, 14))).toBe('PING and so on');
  server.close();
});
