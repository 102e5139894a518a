import { constants } from 'node:os';
import { type Conn, dial, ErrClosed, listen } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, KiB, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { openPipeEnds, openSockets } from '../support/fds.ts';
import { socketPath, streams, tcpPair, unixPair } from '../support/pair.ts';
import { hasPython, pythonSync, startPython } from '../support/python.ts';
import { descriptorOf } from '../support/sockopt.ts';
import { block, isPending, turns } from '../support/time.ts';

const onLinux = process.platform === 'linux';

describe.each(streams)('%s: read()', (_network, makePair) => {
  test.each([1, 2, 1000, 64 * KiB - 1, 64 * KiB, 64 * KiB + 1, 300 * KiB])(
    'gives %d bytes whole and in order, in chunks of 1 B to 64 KiB',
    async (size) => {
      using pair = await makePair();
      const sent = bytes(size);
      const writing = pair.client.write(sent);
      const chunks: Buffer[] = [];
      for (let got = 0; got < size; ) {
        const chunk = (await pair.server.read()) as Buffer;
        expect(Buffer.isBuffer(chunk)).toBe(true);
        expect(chunk.length).toBeGreaterThanOrEqual(1);
        expect(chunk.length).toBeLessThanOrEqual(64 * KiB);
        chunks.push(chunk);
        got += chunk.length;
      }
      await writing;
      expect(Buffer.concat(chunks).equals(sent)).toBe(true);
    },
  );

  test('gives what is there, without waiting for more', async () => {
    using pair = await makePair();
    await pair.client.write('a');
    expect(String(await pair.server.read())).toBe('a');
    await pair.client.write('bc');
    expect(String(await pair.server.read())).toBe('bc');
  });

  test('gives each call a chunk of its own', async () => {
    using pair = await makePair();
    await pair.client.write('first');
    const first = await pair.server.read();
    await pair.client.write('other');
    const other = await pair.server.read();
    expect(String(first)).toBe('first');
    expect(String(other)).toBe('other');
    expect(other?.buffer).not.toBe(first?.buffer);
  });

  test('gives full chunks in memory of their own, too: to keep, and to transfer', async () => {
    using pair = await makePair();
    const sent = bytes(4 * MiB);
    const writing = pair.client.write(sent);
    const memories = new Set<ArrayBufferLike>();
    let full = 0;
    for (let got = 0; got < sent.length; ) {
      const chunk = (await pair.server.read()) as Buffer;
      expect(chunk.equals(sent.subarray(got, got + chunk.length))).toBe(true);
      got += chunk.length;
      expect(memories.has(chunk.buffer)).toBe(false);
      expect(chunk.buffer.byteLength).toBe(chunk.length);
      memories.add(chunk.buffer);
      if (chunk.length === 64 * KiB && full++ % 2 === 0)
        structuredClone(null, { transfer: [chunk.buffer as ArrayBuffer] });
    }
    await writing;
    expect(full).toBeGreaterThan(1);
  });

  test('carries 16 MiB each way at once, unchanged', async () => {
    using pair = await makePair();
    const up = bytes(16 * MiB, 1);
    const down = bytes(16 * MiB, 2);
    const send = async (conn: typeof pair.client, p: Buffer) => {
      await conn.write(p);
      conn.closeWrite();
    };
    const [, , atServer, atClient] = await Promise.all([
      send(pair.client, up),
      send(pair.server, down),
      readAll(pair.server),
      readAll(pair.client),
    ]);
    expect(sha256(atServer)).toBe(sha256(up));
    expect(sha256(atClient)).toBe(sha256(down));
  });

  test('misses none of 2,000 messages that come one after the other', async () => {
    using pair = await makePair();
    let echoed = 0;
    const echo = (async () => {
      for await (const chunk of pair.server) await pair.server.write(chunk);
    })();
    for (let i = 0; i < 2000; i++) {
      const message = bytes(1 + ((i * 37) % 3000), i);
      await pair.client.write(message);
      const back = await readExactly(pair.client, message.length);
      if (back.equals(message)) echoed++;
    }
    pair.client.closeWrite();
    await echo;
    expect(echoed).toBe(2000);
  });
});

describe.each(streams)('%s: read(p)', (_network, makePair) => {
  test('puts what is there at the start of p, and touches nothing behind it', async () => {
    using pair = await makePair();
    await pair.client.write('abc');
    const p = Buffer.alloc(8, '-');
    expect(await pair.server.read(p)).toBe(3);
    expect(String(p)).toBe('abc-----');
  });

  test('takes no more than p has room for; the rest stays for the next read', async () => {
    using pair = await makePair();
    await pair.client.write('abcdefg');
    const p = Buffer.alloc(3);
    expect(await pair.server.read(p)).toBe(3);
    expect(String(p)).toBe('abc');
    expect(await pair.server.read(p)).toBe(3);
    expect(String(p)).toBe('def');
    expect(String(await pair.server.read())).toBe('g');
  });

  test('fills a view at its offset, and nothing around it', async () => {
    using pair = await makePair();
    await pair.client.write('abcdef');
    const whole = new Uint8Array(10).fill(0x2d);
    expect(await pair.server.read(whole.subarray(3, 6))).toBe(3);
    expect(String(Buffer.from(whole))).toBe('---abc----');
    expect(await pair.server.read(new Uint8Array(whole.buffer, 8, 1))).toBe(1);
    expect(String(Buffer.from(whole))).toBe('---abc--d-');
  });

  test('fills a buffer that is larger than a chunk', async () => {
    using pair = await makePair();
    const sent = bytes(200 * KiB);
    const writing = pair.client.write(sent);
    const p = Buffer.alloc(256 * KiB);
    for (let got = 0; got < sent.length; ) got += (await pair.server.read(p.subarray(got))) ?? Number.NaN;
    await writing;
    expect(p.subarray(0, sent.length).equals(sent)).toBe(true);
  });

  test('fills memory that is shared with other threads', async () => {
    using pair = await makePair();
    const p = new Uint8Array(new SharedArrayBuffer(8), 2, 4);
    await pair.client.write('ab');
    expect(await pair.server.read(p)).toBe(2);
    const waiting = pair.server.read(p.subarray(2));
    await pair.client.write('cd');
    expect(await waiting).toBe(2);
    expect(String(Buffer.from(p))).toBe('abcd');
  });

  test('waits when nothing is there, and then fills p', async () => {
    using pair = await makePair();
    const p = Buffer.alloc(4);
    const reading = pair.server.read(p);
    expect(await isPending(reading)).toBe(true);
    await pair.client.write('late');
    expect(await reading).toBe(4);
    expect(String(p)).toBe('late');
  });
});

describe('read(p) with an empty p', () => {
  const nothing = new Uint8Array(0);

  test('resolves to 0 at once: without bytes, at the end of the stream, past a deadline', async () => {
    using pair = await tcpPair();
    expect(await pair.server.read(nothing)).toBe(0);
    pair.server.setReadDeadline(0);
    expect(await pair.server.read(nothing)).toBe(0);
    pair.server.setReadDeadline(null);
    pair.client.closeWrite();
    expect(await pair.server.read()).toBe(null);
    expect(await pair.server.read(nothing)).toBe(0);
  });

  test('takes no bytes', async () => {
    using pair = await tcpPair();
    await pair.client.write('abc');
    expect(await pair.server.read(nothing)).toBe(0);
    expect(String(await pair.server.read())).toBe('abc');
  });

  test('rejects on a closed connection', async () => {
    using pair = await tcpPair();
    pair.server.close();
    expect((await caught(pair.server.read(nothing))).cause).toBe(ErrClosed);
  });

  test('waits behind a read that waits', async () => {
    using pair = await tcpPair();
    const first = pair.server.read();
    const empty = pair.server.read(nothing);
    expect(await isPending(empty)).toBe(true);
    await pair.client.write('x');
    expect(String(await first)).toBe('x');
    expect(await empty).toBe(0);
  });
});

describe.each(streams)('%s: reads that wait', (_network, makePair) => {
  test('are served in the order in which they were made', async () => {
    using pair = await makePair();
    const order: number[] = [];
    const reads = [0, 1, 2, 3, 4].map(async (i) => {
      const chunk = await pair.server.read();
      order.push(i);
      return String(chunk);
    });
    for (const [i, read] of reads.entries()) {
      for (const later of reads.slice(i)) expect(await isPending(later)).toBe(true);
      await pair.client.write(`message ${i}`);
      expect(await read).toBe(`message ${i}`);
    }
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  test('share what arrives at once, each its part, whichever way they read', async () => {
    using pair = await makePair();
    const a = Buffer.alloc(2);
    const b = Buffer.alloc(3);
    const reads = [pair.server.read(a), pair.server.read(b), pair.server.read()] as const;
    await pair.client.write('abcdefg');
    expect(await Promise.all(reads)).toEqual([2, 3, Buffer.from('fg')]);
    expect(`${a} ${b}`).toBe('ab cde');
  });

  test('all end with the stream', async () => {
    using pair = await makePair();
    const reads = [pair.server.read(), pair.server.read(Buffer.alloc(1)), pair.server.read()];
    await turns();
    pair.client.closeWrite();
    expect(await Promise.all(reads)).toEqual([null, null, null]);
  });
});

describe('the end of the stream', () => {
  test.each(streams)('%s: comes after all that was sent, and then for ever', async (_network, makePair) => {
    using pair = await makePair();
    await pair.client.write('last words');
    pair.client.close();
    expect(String(await pair.server.read())).toBe('last words');
    for (let i = 0; i < 3; i++) {
      expect(await pair.server.read()).toBe(null);
      expect(await pair.server.read(Buffer.alloc(4))).toBe(null);
    }
  });

  test.each(streams)('%s: reaches a read that waits', async (_network, makePair) => {
    using pair = await makePair();
    const reading = pair.server.read();
    expect(await isPending(reading)).toBe(true);
    pair.client.closeWrite();
    expect(await reading).toBe(null);
  });

  test('is asked of the kernel anew: TCP data that comes after closeRead() is still read', async () => {
    using pair = await tcpPair();
    pair.server.closeRead();
    expect(await pair.server.read()).toBe(null);
    await pair.client.write('still here');
    expect(String(await pair.server.read())).toBe('still here');
    expect(await pair.server.read()).toBe(null);
  });

  test('is what an empty packet looks like; the connection goes on', async () => {
    using pair = await unixPair('unixpacket');
    await pair.client.write('');
    expect(await pair.server.read()).toBe(null);
    await pair.client.write('more');
    expect(String(await pair.server.read())).toBe('more');
  });

  test.each(streams)('%s: closing the other direction does not bring it', async (_network, makePair) => {
    using pair = await makePair();
    pair.server.closeWrite();
    expect(await pair.client.read()).toBe(null);
    const reading = pair.server.read();
    expect(await isPending(reading)).toBe(true);
    await pair.client.write('x');
    expect(String(await reading)).toBe('x');
  });
});

describe('packets', () => {
  test('keep their bounds, and what does not fit into p is gone', async () => {
    using pair = await unixPair('unixpacket');
    await pair.client.write('one');
    await pair.client.write('another');
    await pair.client.write('last');
    expect(String(await pair.server.read())).toBe('one');
    const p = Buffer.alloc(3);
    expect(await pair.server.read(p)).toBe(3);
    expect(String(p)).toBe('ano');
    expect(String(await pair.server.read())).toBe('last');
  });
});

/** The peer resets the connection: at once, so that one event tells of everything it did before. */
function reset(conn: Conn & { setLinger(seconds: number): void }): void {
  conn.setLinger(0);
  conn.close();
}

const RESET = { code: 'ECONNRESET', syscall: 'read', errno: -constants.errno.ECONNRESET, timeout: false };

describe('after a reset', () => {
  test('a read that waits rejects with ECONNRESET, the next ones resolve to null', async () => {
    using pair = await tcpPair();
    const reading = pair.server.read();
    expect(await isPending(reading)).toBe(true);
    reset(pair.client);
    expect(await caught(reading)).toMatchObject(RESET);
    for (let i = 0; i < 3; i++) expect(await pair.server.read()).toBe(null);
  });

  test('it is told once, to the first of several reads that wait', async () => {
    using pair = await tcpPair();
    const reads = [pair.server.read(), pair.server.read(), pair.server.read(Buffer.alloc(1))] as const;
    await turns();
    reset(pair.client);
    expect(await caught(reads[0])).toMatchObject(RESET);
    expect(await reads[1]).toBe(null);
    expect(await reads[2]).toBe(null);
  });

  test('what arrived before it is read first, though nobody read then', async () => {
    using pair = await tcpPair();
    const sent = bytes(50_000);
    expect(await pair.client.write(sent)).toBe(sent.length);
    reset(pair.client);
    const got = await readExactly(pair.server, sent.length);
    expect(got.equals(sent)).toBe(true);
    expect(await caught(pair.server.read())).toMatchObject(RESET);
    expect(await pair.server.read()).toBe(null);
  });

  test.each(streams)('%s: so it is when the peer closes without reading what we sent', async (_network, makePair) => {
    using pair = await makePair();
    await pair.server.write('unread');
    await pair.client.write('from the peer');
    pair.client.close();
    expect(String(await pair.server.read())).toBe('from the peer');
    expect(await caught(pair.server.read())).toMatchObject(RESET);
    expect(await pair.server.read()).toBe(null);
  });
});

describe('one event for several things', () => {
  test.each([1, 100, 64 * KiB - 1, 64 * KiB, 64 * KiB + 1, 150 * KiB])(
    '%d bytes together with FIN: all are read, then the end',
    async (size) => {
      using pair = await tcpPair();
      const sent = bytes(size);
      const first = pair.server.read();
      await turns();
      const writing = pair.client.write(sent);
      pair.client.closeWrite();
      expect(await writing).toBe(size);
      const chunks = [(await first) as Buffer, await readAll(pair.server)];
      expect(Buffer.concat(chunks).equals(sent)).toBe(true);
      expect(await pair.server.read()).toBe(null);
    },
  );

  // No more than the first window takes: a reset drops what was not sent.
  test.each([
    [1, 1],
    [100, 99],
    [100, 200],
    [50_000, 1000],
    [50_000, 50_000],
    [50_000, 50_001],
  ])('%d bytes together with a reset, read %d at a time: all are read, then ECONNRESET', async (size, at) => {
    using pair = await tcpPair();
    const sent = bytes(size);
    const p = Buffer.alloc(at);
    const first = pair.server.read(p);
    await turns();
    expect(pair.client.tryWrite(sent)).toBe(size);
    reset(pair.client);
    const parts = [Buffer.from(p.subarray(0, (await first) as number))];
    for (let got = parts[0]?.length as number; got < size; ) {
      const n = (await pair.server.read(p)) as number;
      parts.push(Buffer.from(p.subarray(0, n)));
      got += n;
    }
    expect(Buffer.concat(parts).equals(sent)).toBe(true);
    expect(await caught(pair.server.read(p))).toMatchObject(RESET);
  });

  test('bytes, FIN and a read of one byte at a time', async () => {
    using pair = await tcpPair();
    const p = Buffer.alloc(1);
    const first = pair.server.read(p);
    await turns();
    expect(pair.client.tryWrite('abc')).toBe(3);
    pair.client.closeWrite();
    let text = '';
    for (let n = await first; n !== null; n = await pair.server.read(p)) text += p.toString('latin1', 0, n);
    expect(text).toBe('abc');
  });
});

describe.runIf(onLinux && hasPython)('urgent data', () => {
  const urgent = (conn: Parameters<typeof descriptorOf>[0]) =>
    pythonSync('s = socket.socket(fileno=3); s.send(b"!", socket.MSG_OOB); s.detach()', [descriptorOf(conn)]);

  test('between ordinary bytes hangs no reader, and none of them is lost', async () => {
    using pair = await tcpPair();
    const reading = readExactly(pair.server, 6);
    await turns();
    expect(pair.client.tryWrite('abc')).toBe(3);
    urgent(pair.client);
    expect(pair.client.tryWrite('def')).toBe(3);
    expect(String(await reading)).toBe('abcdef');
    pair.client.closeWrite();
    expect(await pair.server.read()).toBe(null);
  });

  test('that comes first or last, or with FIN, hangs no reader', async () => {
    using pair = await tcpPair();
    const reading = readAll(pair.server);
    await turns();
    urgent(pair.client);
    await pair.client.write('one');
    await turns();
    urgent(pair.client);
    await turns();
    await pair.client.write('two');
    urgent(pair.client);
    pair.client.closeWrite();
    expect(String(await reading)).toBe('onetwo');
  });

  test('does not keep later messages from a reader that waits', async () => {
    using pair = await tcpPair();
    urgent(pair.client);
    for (let i = 0; i < 20; i++) {
      const reading = pair.server.read();
      await turns();
      await pair.client.write(`${i}`);
      expect(String(await reading)).toBe(`${i}`);
    }
  });
});

describe.runIf(onLinux && hasPython)('a message that carries a descriptor', () => {
  // Sends ordinary bytes around the write end of a pipe, and tells when that end is open nowhere.
  const PEER = `
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.connect(sys.argv[1])
readable, writable = os.pipe()
sys.stdin.readline()
s.send(b'before ')
s.sendmsg([b'with '], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [writable, writable]))])
s.send(b'after')
os.close(writable)
print('sent', flush=True)
print('closed everywhere' if os.read(readable, 1) == b'' else 'odd', flush=True)
sys.stdin.readline()
`;

  test.each(['waits', 'comes later'])('when the reader %s: no byte is lost, and no descriptor stays', async (when) => {
    const path = socketPath();
    using listener = await listen('unix', path);
    await using peer = startPython(PEER, [path]);
    using server = await listener.accept();
    const before = [openSockets(), openPipeEnds()];
    const reading = when === 'waits' ? readExactly(server, 17) : null;
    peer.tell('go');
    expect(await peer.line()).toBe('sent');
    expect(String(await (reading ?? readExactly(server, 17)))).toBe('before with after');
    expect(await peer.line()).toBe('closed everywhere');
    expect([openSockets(), openPipeEnds()]).toEqual(before);
    peer.tell('done');
    expect(await server.read()).toBe(null);
  });

  test('in handler style: no byte is lost, and no descriptor stays', async () => {
    const path = socketPath();
    using listener = await listen('unix', path);
    await using peer = startPython(PEER, [path]);
    using server = await listener.accept();
    let text = '';
    const ended = new Promise<void>((end) => {
      const data = (chunk: Buffer) => {
        text += String(chunk);
      };
      server.handle({ data, end });
    });
    peer.tell('go');
    expect(await peer.line()).toBe('sent');
    expect(await peer.line()).toBe('closed everywhere');
    peer.tell('done');
    await ended;
    expect(text).toBe('before with after');
  });
});

describe('iteration', () => {
  test.each(streams)('%s: gives every chunk and ends with the stream', async (_network, makePair) => {
    using pair = await makePair();
    const sent = bytes(300 * KiB);
    const sending = pair.client.write(sent).then(() => pair.client.closeWrite());
    const chunks: Buffer[] = [];
    for await (const chunk of pair.server) chunks.push(chunk);
    await sending;
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  });

  test('ends without throwing when the connection is closed here', async () => {
    using pair = await tcpPair();
    await pair.client.write('x');
    const seen: string[] = [];
    for await (const chunk of pair.server) {
      seen.push(String(chunk));
      setImmediate(() => pair.server.close());
    }
    expect(seen).toEqual(['x']);
    for await (const chunk of pair.server) seen.push(String(chunk));
    expect(seen).toEqual(['x']);
  });

  test('break closes nothing and loses nothing', async () => {
    using pair = await tcpPair();
    await pair.client.write('one');
    for await (const chunk of pair.server) {
      expect(String(chunk)).toBe('one');
      break;
    }
    await pair.client.write('two');
    for await (const chunk of pair.server) {
      expect(String(chunk)).toBe('two');
      break;
    }
    expect(pair.server.state).toBe('active');
  });

  test('throws what the network did', async () => {
    using pair = await tcpPair();
    const loop = (async () => {
      for await (const _ of pair.server);
    })();
    await turns();
    reset(pair.client);
    expect(await caught(loop)).toMatchObject(RESET);
  });
});

test('a thread that was blocked meanwhile finds everything that came', async () => {
  using listener = await listen('tcp', '127.0.0.1:0');
  using client = await dial('tcp', `${listener.addr}`);
  using server = await listener.accept();
  const first = server.read();
  for (let i = 0; i < 10; i++) {
    expect(client.tryWrite(`${i}`)).toBe(1);
    block(2);
  }
  client.closeWrite();
  expect(`${await first}${await readAll(server)}`).toBe('0123456789');
});
