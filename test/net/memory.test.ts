import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import type { TCPConn } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, KiB, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { type Pair, tcpPair } from '../support/pair.ts';
import { isPending, turns } from '../support/time.ts';

/** Transfers memory away, as postMessage() does. */
function detach(p: Uint8Array): void {
  structuredClone(p.buffer, { transfer: [p.buffer as ArrayBuffer] });
}

const DETACHED = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };

describe('a chunk that read() gives', () => {
  test.each([1, 100, 4096, 64 * KiB])('holds no more memory than its bytes: %d', async (size) => {
    using pair = await tcpPair();
    const sent = bytes(size);
    const writing = pair.client.write(sent);
    for (let got = 0; got < size; ) {
      const chunk = (await pair.server.read()) as Buffer;
      expect(chunk.byteOffset).toBe(0);
      expect(chunk.buffer.byteLength).toBe(chunk.length);
      got += chunk.length;
    }
    await writing;
  });

  test("never shows another connection's bytes in its buffer", async () => {
    using secret = await tcpPair();
    using pair = await tcpPair();
    for (let i = 0; i < 50; i++) {
      await secret.client.write(Buffer.alloc(32 * KiB, 0xaa));
      await readExactly(secret.server, 32 * KiB);
      await pair.client.write(Buffer.alloc(i + 1, 0x11));
      const chunk = (await pair.server.read()) as Buffer;
      expect(new Uint8Array(chunk.buffer).every((byte) => byte === 0x11)).toBe(true);
    }
  });

  test('stays as it is while other connections read', async () => {
    using a = await tcpPair();
    using b = await tcpPair();
    const sent = bytes(10_000);
    await a.client.write(sent);
    const chunks = [(await a.server.read()) as Buffer];
    while (Buffer.concat(chunks).length < sent.length) chunks.push((await a.server.read()) as Buffer);
    for (let i = 0; i < 10; i++) {
      await b.client.write(Buffer.alloc(10_000, i));
      await readExactly(b.server, 10_000);
      await b.client.write(Buffer.alloc(10, i));
      await b.server.read();
    }
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  });

  test('can be transferred by structuredClone(); reading goes on', async () => {
    using pair = await tcpPair();
    for (let i = 0; i < 20; i++) {
      await pair.client.write(`message ${i}`);
      const chunk = (await pair.server.read()) as Buffer;
      const moved = structuredClone(chunk.buffer, { transfer: [chunk.buffer as ArrayBuffer] });
      expect(String(Buffer.from(moved))).toBe(`message ${i}`);
      expect(chunk.length).toBe(0);
    }
  });

  test('can be posted to another thread; reading goes on', async () => {
    using pair = await tcpPair();
    const { port1, port2 } = new MessageChannel();
    for (let i = 0; i < 5; i++) {
      await pair.client.write(`message ${i}`);
      const chunk = (await pair.server.read()) as Buffer;
      const arrival = once(port2, 'message');
      port1.postMessage(chunk, [chunk.buffer as ArrayBuffer]);
      const [copy] = await arrival;
      expect(String(Buffer.from(copy))).toBe(`message ${i}`);
    }
    port1.close();
  });

  test('is the same whether a signal is given or not', async () => {
    using pair = await tcpPair();
    await pair.client.write('abc');
    const chunk = (await pair.server.read({ signal: new AbortController().signal })) as Buffer;
    expect(chunk.buffer.byteLength).toBe(3);
  });
});

describe('a chunk that is lent to data()', () => {
  /** Many connections whose bytes come in the same turn, each told in handler style. */
  async function fanIn(
    n: number,
    size: number,
    data: (i: number, chunk: Buffer, take: (p: Buffer) => void) => unknown,
  ) {
    const pairs: Pair<TCPConn>[] = [];
    for (let i = 0; i < n; i++) pairs.push(await tcpPair());
    const sent = pairs.map((_, i) => bytes(size, i + 1));
    const got = pairs.map(() => [] as Buffer[]);
    const ends = pairs.map(
      ({ server }, i) =>
        new Promise<void>((end, fail) => {
          const take = (p: Buffer) => void got[i]?.push(p);
          server.handle({ data: (chunk) => data(i, chunk, take), end, error: fail });
        }),
    );
    await Promise.all(
      pairs.map(async ({ client }, i) => {
        await client.write(sent[i] as Buffer);
        client.closeWrite();
      }),
    );
    await Promise.all(ends);
    for (const pair of pairs) pair[Symbol.dispose]();
    return got.map((chunks, i) => sha256(Buffer.concat(chunks)) === sha256(sent[i] as Buffer));
  }

  test('can be transferred inside data(): nothing crashes, and no connection loses bytes', async () => {
    const whole = await fanIn(12, 300 * KiB, (i, chunk, take) => {
      take(Buffer.from(chunk));
      if (i % 3 === 0) detach(chunk);
    });
    expect(whole).toEqual(Array(12).fill(true));
  });

  test('can be transferred and kept: its bytes are those that came', async () => {
    const whole = await fanIn(8, 200 * KiB, (_, chunk, take) => {
      const { byteOffset, length, buffer } = chunk;
      take(Buffer.from(structuredClone(buffer, { transfer: [buffer as ArrayBuffer] }), byteOffset, length));
    });
    expect(whole).toEqual(Array(8).fill(true));
  });

  test('can be transferred while the promise that data() returned is pending', async () => {
    const whole = await fanIn(8, 200 * KiB, (i, chunk, take) => {
      take(Buffer.from(chunk));
      if (i % 2 === 0) detach(chunk);
      return turns().then(() => {
        if (i % 2 === 1) detach(chunk);
      });
    });
    expect(whole).toEqual(Array(8).fill(true));
  });
});

describe('the buffer of a read(p) that waits', () => {
  test('may be detached: the read rejects once there are bytes, and the next one gets them all', async () => {
    using pair = await tcpPair();
    const p = new Uint8Array(16);
    const reading = pair.server.read(p);
    detach(p);
    const after = pair.server.read();
    await pair.client.write('precious');
    expect(await caught(reading)).toMatchObject({ ...DETACHED, message: expect.stringContaining('read') });
    expect(String(await after)).toBe('precious');
    await pair.client.write('more');
    expect(String(await pair.server.read())).toBe('more');
  });

  test('may be detached with no other read waiting: no byte is lost', async () => {
    using pair = await tcpPair();
    const p = new Uint8Array(16);
    const reading = pair.server.read(p);
    detach(p);
    await pair.client.write('precious');
    expect(await caught(reading)).toMatchObject(DETACHED);
    expect(String(await pair.server.read())).toBe('precious');
  });

  test('may be detached before the end of the stream comes', async () => {
    using pair = await tcpPair();
    const p = new Uint8Array(16);
    const reading = pair.server.read(p);
    detach(p);
    pair.client.closeWrite();
    expect(await caught(reading)).toMatchObject(DETACHED);
    expect(await pair.server.read()).toBe(null);
  });
});

const LARGE = 32 * MiB;

describe('the bytes of a write that waits', () => {
  test('may be detached: the write rejects, and the connection stays usable', async () => {
    using pair = await tcpPair();
    const sent = bytes(LARGE);
    const prefix = Buffer.from(sent);
    const writing = pair.client.write(sent);
    expect(await isPending(writing)).toBe(true);
    detach(sent);
    const after = pair.client.write('and this').then(() => pair.client.closeWrite());
    const got = await readAll(pair.server);
    const error = await caught<TypeError & { bytesWritten: number }>(writing);
    expect(error).toMatchObject({ ...DETACHED, message: expect.stringContaining('write') });
    await after;
    expect(error.bytesWritten).toBeGreaterThan(0);
    expect(error.bytesWritten).toBeLessThan(LARGE);
    expect(got.length).toBe(error.bytesWritten + 8);
    expect(got.subarray(0, error.bytesWritten).equals(prefix.subarray(0, error.bytesWritten))).toBe(true);
    expect(String(got.subarray(error.bytesWritten))).toBe('and this');
  });

  test('may be detached behind another write: that one arrives whole, and so do later ones', async () => {
    using pair = await tcpPair();
    const first = bytes(LARGE);
    const second = bytes(1000);
    const writes = [pair.client.write(first), pair.client.write(second), pair.client.write('third')] as const;
    detach(second);
    const reading = readAll(pair.server);
    expect(await writes[0]).toBe(LARGE);
    expect(await caught(writes[1])).toMatchObject({ ...DETACHED, bytesWritten: 0 });
    expect(await writes[2]).toBe(5);
    pair.client.closeWrite();
    const got = await reading;
    expect(got.subarray(0, LARGE).equals(first)).toBe(true);
    expect(String(got.subarray(LARGE))).toBe('third');
  });

  test('in a list may be detached: nothing that stands behind the gap is sent', async () => {
    using pair = await tcpPair();
    const list = [bytes(LARGE, 1), bytes(1000, 2), bytes(1000, 3)] as const;
    const writing = pair.client.writev(list);
    expect(await isPending(writing)).toBe(true);
    detach(list[1]);
    const reading = readAll(pair.server);
    const error = await caught<TypeError & { bytesWritten: number }>(writing);
    expect(error).toMatchObject(DETACHED);
    expect(await pair.client.write('and this')).toBe(8);
    pair.client.closeWrite();
    const got = await reading;
    expect(error.bytesWritten).toBeLessThanOrEqual(LARGE);
    expect(got.length).toBe(error.bytesWritten + 8);
    expect(got.subarray(0, error.bytesWritten).equals(list[0].subarray(0, error.bytesWritten))).toBe(true);
  });

  test('lie in shared memory, if the caller likes', async () => {
    using pair = await tcpPair();
    const shared = new Uint8Array(new SharedArrayBuffer(4 * MiB));
    shared.set(bytes(shared.length));
    const reading = readExactly(pair.server, 2 * shared.length + 10);
    await Promise.all([pair.client.write(shared), pair.client.writev([shared, shared.subarray(5, 15)])]);
    expect(sha256(await reading)).toBe(sha256(Buffer.concat([shared, shared, shared.subarray(5, 15)])));
  });

  test('lie anywhere in their buffer, and only the view is sent', async () => {
    using pair = await tcpPair();
    const whole = Buffer.from('0123456789');
    await pair.client.write(whole.subarray(2, 5));
    await pair.client.writev([whole.subarray(0, 1), new Uint8Array(whole.buffer, whole.byteOffset + 8, 2)]);
    pair.client.closeWrite();
    expect(String(await readAll(pair.server))).toBe('234089');
  });
});

describe('what is refused at the call', () => {
  const resizable = () => new Uint8Array(Reflect.construct(ArrayBuffer, [8, { maxByteLength: 16 }]));
  const growable = () => new Uint8Array(Reflect.construct(SharedArrayBuffer, [8, { maxByteLength: 16 }]));
  const detached = () => {
    const p = new Uint8Array(8);
    detach(p);
    return p;
  };
  const values: [name: string, make: () => unknown][] = [
    ['a resizable ArrayBuffer', resizable],
    ['a growable SharedArrayBuffer', growable],
    ['a detached buffer', detached],
  ];

  test.each(values)('%s: ERR_INVALID_ARG_VALUE', async (_name, make) => {
    using pair = await tcpPair();
    const p = make() as Uint8Array;
    const { server } = pair;
    for (const call of [server.read(p), server.write(p), server.writev([p]), server.writev([Buffer.from('x'), p])]) {
      expect(await caught(call)).toMatchObject(DETACHED);
    }
    expect(() => server.tryWrite(p)).toThrow(expect.objectContaining(DETACHED));
    await server.write('still usable');
    expect(String(await pair.client.read())).toBe('still usable');
  });

  test.each([1, 64, 65, 5000])('a chunk of %d bytes that read() gave, once it is transferred', async (size) => {
    using pair = await tcpPair();
    await pair.client.write(bytes(size));
    const chunk = (await pair.server.read()) as Buffer;
    expect(chunk.length).toBe(size);
    detach(chunk);
    for (const call of [pair.server.write(chunk), pair.server.writev([chunk]), pair.server.read(chunk)]) {
      expect(await caught(call)).toMatchObject(DETACHED);
    }
    expect(() => pair.server.tryWrite(chunk)).toThrow(expect.objectContaining(DETACHED));
  });

  const WRONG_TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
  const views = [new DataView(new ArrayBuffer(8)), new Uint16Array(4), new Float64Array(1), new Int8Array(2)];

  test.each([...views, new ArrayBuffer(8), new SharedArrayBuffer(8), 'text', 5, true, null])(
    'read(%o): ERR_INVALID_ARG_TYPE',
    async (p) => {
      using pair = await tcpPair();
      expect(await caught(pair.server.read(p as never))).toMatchObject(WRONG_TYPE);
    },
  );

  test.each([...views, new ArrayBuffer(8), [1, 2], {}, 5, true, null, undefined, Symbol('x'), 10n])(
    'write(%o) and tryWrite(%o): ERR_INVALID_ARG_TYPE',
    async (p) => {
      using pair = await tcpPair();
      expect(await caught(pair.server.write(p as never))).toMatchObject(WRONG_TYPE);
      expect(() => pair.server.tryWrite(p as never)).toThrow(expect.objectContaining(WRONG_TYPE));
    },
  );

  test.each([
    undefined,
    null,
    'text',
    Buffer.from('x'),
    {},
    ['text'],
    [Buffer.from('x'), null],
    [new Uint16Array(1)],
    Array(1),
  ])('writev(%o): ERR_INVALID_ARG_TYPE', async (list) => {
    using pair = await tcpPair();
    expect(await caught(pair.server.writev(list as never))).toMatchObject(WRONG_TYPE);
  });

  test.each([null, 5, 'text', { signal: {} }, { signal: null }])(
    'options that are %o: ERR_INVALID_ARG_TYPE',
    async (options) => {
      using pair = await tcpPair();
      const { server } = pair;
      const calls = [
        server.read(Buffer.alloc(1), options as never),
        server.write('x', options as never),
        server.writev([], options as never),
      ];
      for (const call of calls) expect(await caught(call)).toMatchObject(WRONG_TYPE);
    },
  );

  test('a mistake of the caller is an ordinary rejection: unseen, it ends the process', async () => {
    const { code, stderr } = await runScript(`
      import { dial, listen } from 'spliceway';
      const listener = await listen('tcp', '127.0.0.1:0');
      const conn = await dial('tcp', String(listener.addr));
      conn.write(5);
      await new Promise((resolve) => setTimeout(resolve, 5000));
    `);
    expect(code).toBe(1);
    expect(stderr).toContain('ERR_INVALID_ARG_TYPE');
  });
});
