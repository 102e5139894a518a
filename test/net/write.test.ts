import { constants } from 'node:os';
import { type Conn, ErrClosed, ErrDeadlineExceeded, type TCPConn, type UnixConn } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, KiB, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { streams, tcpPair, unixPair } from '../support/pair.ts';
import { eventually, isPending, turns } from '../support/time.ts';

// More than the kernel's buffers of both ends take, whatever they have grown to.
const LARGE = 32 * MiB;

describe.each(streams)('%s: write()', (_network, makePair) => {
  test.each([1, 1024, 1025, 64 * KiB, 1 * MiB, 9 * MiB])(
    'resolves to the length, and %d bytes arrive',
    async (size) => {
      using pair = await makePair();
      const sent = bytes(size);
      const reading = readExactly(pair.server, size);
      expect(await pair.client.write(sent)).toBe(size);
      expect(sha256(await reading)).toBe(sha256(sent));
    },
  );

  test('resolves without waiting for the peer while the kernel has room', async () => {
    using pair = await makePair();
    expect(await pair.client.write('nobody reads')).toBe(12);
  });

  test('resolves only when the kernel has taken the last byte', async () => {
    using pair = await makePair();
    const sent = bytes(LARGE);
    const writing = pair.client.write(sent);
    expect(await isPending(writing)).toBe(true);
    const reading = readExactly(pair.server, LARGE);
    expect(await writing).toBe(LARGE);
    expect(sha256(await reading)).toBe(sha256(sent));
  });

  test('sends a string as UTF-8 and counts its bytes', async () => {
    using pair = await makePair();
    expect(await pair.client.write('aé✓😀\0')).toBe(11);
    expect(await pair.server.read()).toEqual(Buffer.from('aé✓😀\0', 'utf8'));
    // A lone surrogate has no encoding.
    expect(await pair.client.write('\ud800')).toBe(3);
    expect(String(await pair.server.read())).toBe('\ufffd');
  });

  test('sends a large string whole', async () => {
    using pair = await makePair();
    const text = '✓ ünïcödé '.repeat(400_000);
    const reading = readExactly(pair.server, Buffer.byteLength(text));
    expect(await pair.client.write(text)).toBe(Buffer.byteLength(text));
    expect(sha256(await reading)).toBe(sha256(Buffer.from(text)));
  });

  test('of nothing resolves to 0 and sends nothing', async () => {
    using pair = await makePair();
    expect(await pair.client.write('')).toBe(0);
    expect(await pair.client.write(new Uint8Array(0))).toBe(0);
    expect(await isPending(pair.server.read())).toBe(true);
  });

  test('of nothing still says what stands in the way', async () => {
    using pair = await makePair();
    pair.client.setWriteDeadline(0);
    expect((await caught(pair.client.write(''))).cause).toBe(ErrDeadlineExceeded);
    pair.client.setWriteDeadline(null);
    pair.client.closeWrite();
    expect(await caught(pair.client.write(''))).toMatchObject({ code: 'EPIPE' });
    pair.client.close();
    expect((await caught(pair.client.write(''))).cause).toBe(ErrClosed);
  });
});

/** Messages that name themselves in every byte, in the order of the calls. */
function messages(count: number, size: (i: number) => number): Buffer[] {
  return Array.from({ length: count }, (_, i) => Buffer.alloc(size(i), i + 1));
}

describe.each(streams)('%s: concurrent writes', (_network, makePair) => {
  test.each([
    ['small', 200, (i: number) => 1 + ((i * 7) % 50)],
    ['of 64 KiB', 100, () => 64 * KiB],
    ['larger than the socket buffers', 5, () => 12 * MiB],
    ['of all sizes', 40, (i: number) => (i % 4 === 0 ? 2 * MiB : 1 + i)],
  ])('never interleave and keep the order of the calls: %s', async (_name, count, size) => {
    using pair = await makePair();
    const all = messages(count, size);
    const writes = Promise.all(all.map((message) => pair.client.write(message)));
    const got = readAll(pair.server);
    expect(await writes).toEqual(all.map((message) => message.length));
    pair.client.closeWrite();
    expect((await got).equals(Buffer.concat(all))).toBe(true);
  });

  test('of strings, lists, and buffers mix in the order of the calls', async () => {
    using pair = await makePair();
    const [a, b] = [bytes(8 * MiB, 1), bytes(8 * MiB, 2)];
    const writes = [
      pair.client.write('start'),
      pair.client.writev([a, Buffer.from('-'), b]),
      pair.client.write(''),
      pair.client.write('middle'),
      pair.client.writev([]),
      pair.client.write(b),
      pair.client.writev([Buffer.from('e'), Buffer.from('nd')]),
    ];
    const got = readAll(pair.server);
    expect(await Promise.all(writes)).toEqual([5, 16 * MiB + 1, 0, 6, 0, 8 * MiB, 3]);
    pair.client.closeWrite();
    const wanted = Buffer.concat([
      Buffer.from('start'),
      a,
      Buffer.from('-'),
      b,
      Buffer.from('middle'),
      b,
      Buffer.from('end'),
    ]);
    expect((await got).equals(wanted)).toBe(true);
  });

  test('resolve in the order of the calls', async () => {
    using pair = await makePair();
    const order: number[] = [];
    const writes = [LARGE, 1, 100, LARGE, 0].map(async (size, i) => {
      await pair.client.write(Buffer.alloc(size));
      order.push(i);
    });
    const got = readAll(pair.server);
    await Promise.all(writes);
    pair.client.closeWrite();
    await got;
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });
});

describe.each(streams)('%s: writev()', (_network, makePair) => {
  test('sends the members in order, as one write', async () => {
    using pair = await makePair();
    expect(await pair.client.writev([Buffer.from('a'), Buffer.from('bc'), new Uint8Array([0x64])])).toBe(4);
    expect(String(await pair.server.read())).toBe('abcd');
  });

  test('skips empty members', async () => {
    using pair = await makePair();
    const empty = new Uint8Array(0);
    expect(await pair.client.writev([empty, Buffer.from('a'), empty, empty, Buffer.from('b'), empty])).toBe(2);
    expect(await pair.client.writev([empty, empty])).toBe(0);
    expect(await pair.client.writev([])).toBe(0);
    await pair.client.write('!');
    pair.client.closeWrite();
    expect(String(await readAll(pair.server))).toBe('ab!');
  });

  test.each([1024, 1025, 5000])('takes %d members', async (count) => {
    using pair = await makePair();
    const list = Array.from({ length: count }, (_, i) => bytes((i * 13) % 97, i));
    const wanted = Buffer.concat(list);
    const reading = readExactly(pair.server, wanted.length);
    expect(await pair.client.writev(list)).toBe(wanted.length);
    expect((await reading).equals(wanted)).toBe(true);
  });

  test('waits where the kernel has no room, in the middle of a member or between two', async () => {
    using pair = await makePair();
    const list = Array.from({ length: 3000 }, (_, i) => bytes(i % 10 === 0 ? 40 * KiB : (i * 31) % 5000, i));
    const wanted = Buffer.concat(list);
    const writing = pair.client.writev(list);
    expect(await isPending(writing)).toBe(true);
    const reading = readExactly(pair.server, wanted.length);
    expect(await writing).toBe(wanted.length);
    expect(sha256(await reading)).toBe(sha256(wanted));
  });

  test('has looked at the list when it returns', async () => {
    using pair = await makePair();
    const list = [bytes(LARGE), Buffer.from('end')];
    const writing = pair.client.writev(list);
    list[1] = Buffer.from('another end');
    list.push(Buffer.from('more'));
    const got = readAll(pair.server);
    expect(await writing).toBe(LARGE + 3);
    pair.client.closeWrite();
    expect(String((await got).subarray(LARGE))).toBe('end');
  });

  test('fails with op writev and says how much was sent', async () => {
    using pair = await makePair();
    const list = Array.from({ length: 500 }, (_, i) => bytes(64 * KiB, i));
    const writing = pair.client.writev(list);
    expect(await isPending(writing)).toBe(true);
    pair.client.setWriteDeadline(0);
    const error = await caught(writing);
    expect(error).toMatchObject({ op: 'writev', code: 'ERR_SPLICEWAY_DEADLINE_EXCEEDED', timeout: true });
    pair.client.closeWrite();
    const got = await readAll(pair.server);
    expect(got.length).toBe(error.bytesWritten);
    expect(got.equals(Buffer.concat(list).subarray(0, got.length))).toBe(true);
  });
});

test('a packet is sent whole or not at all, a list as one packet', async () => {
  using pair = await unixPair('unixpacket');
  expect(await pair.client.write('one')).toBe(3);
  expect(await pair.client.writev([Buffer.from('t'), Buffer.from('wo')])).toBe(3);
  expect(String(await pair.server.read())).toBe('one');
  expect(String(await pair.server.read())).toBe('two');
  const tooLarge = await caught(pair.client.write(Buffer.alloc(64 * MiB)));
  expect(tooLarge).toMatchObject({ code: 'EMSGSIZE', bytesWritten: 0 });
});

/** Writes until it fails: what the peer did takes a moment to come over the network. */
function failure(conn: Conn) {
  return caught(
    (async () => {
      for (;;) {
        await conn.write('x');
        await turns();
      }
    })(),
  );
}

describe('a peer that has gone', () => {
  test('tcp: the first write succeeds, the next fail with EPIPE', async () => {
    using pair = await tcpPair();
    pair.client.close();
    expect(await pair.server.read()).toBe(null);
    expect(await pair.server.write('the reset comes back')).toBe(20);
    for (const error of [await failure(pair.server), await caught(pair.server.write('x'))]) {
      expect(error).toMatchObject({
        op: 'write',
        code: 'EPIPE',
        errno: -constants.errno.EPIPE,
        syscall: 'write',
        timeout: false,
        temporary: false,
        bytesWritten: 0,
      });
    }
  });

  test('unix: the first write fails with EPIPE', async () => {
    using pair = await unixPair();
    pair.client.close();
    expect(await caught(pair.server.write('x'))).toMatchObject({ code: 'EPIPE', bytesWritten: 0 });
    expect(await caught(pair.server.writev([Buffer.from('x')]))).toMatchObject({ op: 'writev', code: 'EPIPE' });
  });

  test('a reset that nobody was told of fails a write with ECONNRESET, later ones with EPIPE', async () => {
    using pair = await tcpPair();
    pair.client.setLinger(0);
    pair.client.close();
    expect(await failure(pair.server)).toMatchObject({ code: 'ECONNRESET', syscall: 'write' });
    expect(await caught(pair.server.write('x'))).toMatchObject({ code: 'EPIPE' });
    expect(await pair.server.read()).toBe(null);
  });

  test('a reset that a read was told of fails writes with EPIPE', async () => {
    using pair = await tcpPair();
    pair.client.setLinger(0);
    pair.client.close();
    expect(await caught(pair.server.read())).toMatchObject({ code: 'ECONNRESET' });
    expect(await caught(pair.server.write('x'))).toMatchObject({ code: 'EPIPE' });
  });

  test.each(streams)('%s: in the middle of a write that waits', async (_network, makePair) => {
    using pair = await makePair();
    const writing = pair.client.write(bytes(LARGE));
    expect(await isPending(writing)).toBe(true);
    pair.server.close();
    const error = await caught(writing);
    expect(['ECONNRESET', 'EPIPE']).toContain(error.code);
    expect(error.bytesWritten).toBeGreaterThan(0);
    expect(error.bytesWritten).toBeLessThan(LARGE);
  });

  test('writes in line behind one that fails are failed too', async () => {
    using pair = await tcpPair();
    const writes = [bytes(LARGE), bytes(10), bytes(LARGE)].map((p) => pair.client.write(p));
    expect(await isPending(writes[0] as Promise<number>)).toBe(true);
    pair.server.close();
    const [first, ...others] = await Promise.all(writes.map((write) => caught(write)));
    expect(first?.bytesWritten).toBeGreaterThan(0);
    for (const error of others) {
      expect(['ECONNRESET', 'EPIPE']).toContain(error.code);
      expect(error.bytesWritten).toBe(0);
    }
  });
});

describe.each(streams)('%s: bytesWritten of a write that fails half-way', (_network, makePair) => {
  const ends: [how: string, code: string, end: (conn: TCPConn | UnixConn) => void][] = [
    ['by a deadline', 'ERR_SPLICEWAY_DEADLINE_EXCEEDED', (conn) => conn.setWriteDeadline(0)],
    ['by close()', 'ERR_SPLICEWAY_CLOSED', (conn) => conn.close()],
    ['by closeWrite()', 'EPIPE', (conn) => conn.closeWrite()],
  ];

  test.each(ends)('%s: exactly that many bytes arrive', async (_how, code, end) => {
    using pair = await makePair();
    const sent = bytes(LARGE);
    const writing = pair.client.write(sent);
    const behind = pair.client.write('never sent');
    expect(await isPending(writing)).toBe(true);
    end(pair.client);
    const error = await caught(writing);
    expect(error).toMatchObject({ op: 'write', code });
    expect(await caught(behind)).toMatchObject({ code, bytesWritten: 0 });
    const n = error.bytesWritten as number;
    expect(n).toBeGreaterThan(0);
    expect(n).toBeLessThan(LARGE);
    if (pair.client.state !== 'closed') pair.client.closeWrite();
    const got = await readAll(pair.server);
    expect(got.length).toBe(n);
    expect(got.equals(sent.subarray(0, n))).toBe(true);
  });

  test('counts what went out while the peer read some of it', async () => {
    using pair = await makePair();
    const sent = bytes(LARGE);
    const writing = pair.client.write(sent);
    const head = await readExactly(pair.server, 5 * MiB);
    await turns();
    pair.client.setWriteDeadline(0);
    const error = await caught(writing);
    expect(error.bytesWritten).toBeGreaterThan(5 * MiB);
    pair.client.closeWrite();
    const got = Buffer.concat([head, await readAll(pair.server)]);
    expect(got.length).toBe(error.bytesWritten);
    expect(got.equals(sent.subarray(0, got.length))).toBe(true);
  });
});

test('bytesWritten is 0 where nothing was sent', async () => {
  using pair = await tcpPair();
  pair.client.setWriteDeadline(0);
  expect(await caught(pair.client.write('x'))).toMatchObject({ bytesWritten: 0, timeout: true });
  expect(await caught(pair.client.writev([Buffer.from('x')]))).toMatchObject({ bytesWritten: 0, timeout: true });
  pair.client.setWriteDeadline(null);
  pair.client.close();
  expect(await caught(pair.client.write('x'))).toMatchObject({ bytesWritten: 0, code: 'ERR_SPLICEWAY_CLOSED' });
  expect(await pair.server.read()).toBe(null);
});

test('no rejection that the peer, a deadline or close() caused is ever an unhandled one', async () => {
  const { code, stdout, stderr } = await runScript(`
    import { dial, listen } from 'spliceway';
    process.on('unhandledRejection', (error) => { console.log('unhandled', error); process.exitCode = 1; });
    const listener = await listen('tcp', '127.0.0.1:0');
    const pair = () => Promise.all([dial('tcp', String(listener.addr)), listener.accept()]);
    const turn = () => new Promise((resolve) => setTimeout(resolve, 20));
    const big = Buffer.alloc(2 ** 25);

    { // The peer.
      const [a, b] = await pair();
      void a.write(big);
      void a.writev([big, big]);
      void a.read();
      b.setLinger(0);
      b.close();
      await turn();
      void a.write('x');
      void a.writev([big]);
      void a.read();
      a.close();
    }
    { // A deadline: of waiting calls, and of new ones.
      const [a, b] = await pair();
      void a.write(big);
      void a.write('x');
      void a.read();
      void a.read(Buffer.alloc(1));
      a.setDeadline(Date.now() + 5);
      await turn();
      void a.write('x');
      void a.writev([big]);
      void a.read();
      a.close();
      b.close();
    }
    { // close(): of waiting calls, and of new ones.
      const [a, b] = await pair();
      void a.write(big);
      void a.writev([big]);
      void a.read();
      a.close();
      void a.write('x');
      void a.writev([big]);
      void a.read();
      void a.shutdown();
      void listener.accept();
      listener.close();
      void listener.accept();
      void dial('tcp', String(listener.addr));
      b.close();
    }
    await turn();
    console.log('alive');
  `);
  expect(stdout).toBe('alive\n');
  expect(code).toBe(0);
  expect(stderr).toBe('');
});

describe.each(streams)('%s: tryWrite()', (_network, makePair) => {
  test('returns how many bytes the kernel took', async () => {
    using pair = await makePair();
    expect(pair.client.tryWrite('aé')).toBe(3);
    expect(pair.client.tryWrite(Buffer.from('!'))).toBe(1);
    expect(pair.client.tryWrite('')).toBe(0);
    expect(String(await readExactly(pair.server, 4))).toBe('aé!');
  });

  test('takes part of what has no room, then nothing; what it took arrives', async () => {
    using pair = await makePair();
    const sent = bytes(LARGE);
    let n = 0;
    for (let took = -1; took !== 0; n += took) {
      took = pair.client.tryWrite(sent.subarray(n, n + 512 * KiB));
      expect(took).toBeGreaterThanOrEqual(0);
    }
    expect(n).toBeGreaterThan(0);
    expect(n).toBeLessThan(LARGE);
    expect(pair.client.tryWrite('x')).toBe(0);
    const got = await readExactly(pair.server, n);
    expect(got.equals(sent.subarray(0, n))).toBe(true);
    expect(await isPending(pair.server.read())).toBe(true);
    await eventually(() => pair.client.tryWrite('y') === 1);
  });

  test('never mixes with a write that waits', async () => {
    using pair = await makePair();
    const sent = bytes(LARGE);
    const writing = pair.client.write(sent);
    expect(pair.client.tryWrite('x')).toBe(0);
    const reading = readExactly(pair.server, LARGE);
    await writing;
    expect(sha256(await reading)).toBe(sha256(sent));
    await eventually(() => pair.client.tryWrite('x') === 1);
    expect(String(await pair.server.read())).toBe('x');
  });

  test('returns 0 past the write deadline and on a closed connection', async () => {
    using pair = await makePair();
    pair.client.setWriteDeadline(0);
    expect(pair.client.tryWrite('x')).toBe(0);
    pair.client.setWriteDeadline(null);
    expect(pair.client.tryWrite('y')).toBe(1);
    pair.client.close();
    expect(pair.client.tryWrite('z')).toBe(0);
    expect(String(await readAll(pair.server))).toBe('y');
  });

  test('returns 0 for what fails, and the next call tells why, once', async () => {
    using pair = await makePair();
    pair.client.closeWrite();
    expect(pair.client.tryWrite('x')).toBe(0);
    expect(await caught((pair.client as Conn).read())).toMatchObject({ op: 'write', code: 'EPIPE' });
    await pair.server.write('fine');
    expect(String(await pair.client.read())).toBe('fine');
  });
});
