import { type FileHandle, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { OpError } from 'spliceway';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bytes, KiB, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { reset } from '../support/chain.ts';
import { openFiles } from '../support/fds.ts';
import { type Pair, streams, tcpPair, unixPair } from '../support/pair.ts';

const CONTENT = bytes(8 * MiB, 11);
let folder: string;
let path: string;
let file: FileHandle;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spliceway-send-file-'));
  path = join(folder, 'content');
  await writeFile(path, CONTENT);
  file = await open(path);
});
afterAll(async () => {
  await file.close();
  await rm(folder, { recursive: true });
});

const text = (p: string) => Buffer.from(p);

describe.each(streams)('over %s', (network, makePair) => {
  let pair: Pair<Awaited<ReturnType<typeof makePair>>['client']>;
  beforeEach(async () => {
    pair = (await makePair()) as typeof pair;
  });
  afterEach(() => pair[Symbol.dispose]());

  test('all of a file', async () => {
    const [got, sent] = await Promise.all([readExactly(pair.client, CONTENT.length), pair.server.sendFile(file)]);
    expect(sent).toBe(CONTENT.length);
    expect(sha256(got)).toBe(sha256(CONTENT));
  });

  test.each([
    [0, 0],
    [0, 1],
    [1, 16 * KiB],
    [4095, 4097],
    [1_000_000, 3_000_000],
    [CONTENT.length - 1, 1],
    [CONTENT.length, 0],
  ])('from %i on, %i bytes', async (offset, length) => {
    const [got, sent] = await Promise.all([
      readExactly(pair.client, length),
      pair.server.sendFile(file, { offset, length }),
    ]);
    expect(sent).toBe(length);
    expect(got.equals(CONTENT.subarray(offset, offset + length))).toBe(true);
    await pair.server.write('.');
    expect(String(await pair.client.read())).toBe('.');
  });

  test('from an offset to the end, and from beyond it nothing', async () => {
    const offset = CONTENT.length - 100_000;
    const [got, sent] = await Promise.all([readExactly(pair.client, 100_000), pair.server.sendFile(file, { offset })]);
    expect([sent, got.equals(CONTENT.subarray(offset))]).toEqual([100_000, true]);
    for (const beyond of [CONTENT.length, CONTENT.length + 1, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      expect(await pair.server.sendFile(file, { offset: beyond })).toBe(0);
    }
  });

  test('between a header and a trailer, which count', async () => {
    const [header, trailer] = [text('HEAD\r\n'), text('\r\nTAIL')];
    const sending = pair.server.sendFile(file, { header, trailer, offset: 10, length: 1_000_000 });
    header.fill(0);
    trailer.fill(0);
    const got = await readExactly(pair.client, 1_000_012);
    expect(await sending).toBe(1_000_012);
    expect(sha256(got)).toBe(
      sha256(Buffer.concat([text('HEAD\r\n'), CONTENT.subarray(10, 1_000_010), text('\r\nTAIL')])),
    );
  });

  test('a header and a trailer around nothing, and empty ones', async () => {
    const around = { header: text('<'), trailer: text('>') };
    expect(await pair.server.sendFile(file, { ...around, length: 0 })).toBe(2);
    expect(await pair.server.sendFile(file, { ...around, offset: CONTENT.length })).toBe(2);
    const empty = new Uint8Array(0);
    expect(await pair.server.sendFile(file, { header: empty, trailer: empty, length: 1 })).toBe(1);
    expect((await readExactly(pair.client, 5)).equals(Buffer.concat([text('<><>'), CONTENT.subarray(0, 1)]))).toBe(
      true,
    );
  });

  test('large headers and trailers, also more than there is room for', async () => {
    const [header, trailer] = [bytes(6 * MiB, 1), bytes(6 * MiB, 2)];
    const sending = pair.server.sendFile(file, { header, trailer, length: 1000 });
    await setTimeout(30);
    const all = Buffer.concat([header, CONTENT.subarray(0, 1000), trailer]);
    expect(sha256(await readExactly(pair.client, all.length))).toBe(sha256(all));
    expect(await sending).toBe(all.length);
  });

  test('a file that is shorter than length fails, without the trailer', async () => {
    const options = { header: text('<'), trailer: text('>'), offset: CONTENT.length - 10, length: 11 };
    const error = await caught(pair.server.sendFile(file, options));
    expect(error).toBeInstanceOf(OpError);
    expect(error).toMatchObject({ op: 'sendfile', code: 'ERR_SPLICEWAY_UNEXPECTED_EOF', bytesWritten: 11 });
    pair.server.closeWrite();
    expect((await readAll(pair.client)).equals(Buffer.concat([text('<'), CONTENT.subarray(-10)]))).toBe(true);
  });

  test('its position is where it was', async () => {
    await using own = await open(path);
    await own.read(Buffer.alloc(7), 0, 7, null);
    await Promise.all([pair.server.sendFile(own, { length: 500_000 }), readExactly(pair.client, 500_000)]);
    const { bytesRead, buffer } = await own.read(Buffer.alloc(5), 0, 5, null);
    expect([bytesRead, buffer.equals(CONTENT.subarray(7, 12))]).toEqual([5, true]);
  });

  test('in line with other writes', async () => {
    const before = bytes(3 * MiB, 3);
    const calls = [
      pair.server.write(before),
      pair.server.sendFile(file, { length: 1000, header: text('1') }),
      pair.server.write('between'),
      pair.server.sendFile(file, { offset: 5, length: 2_000_000, trailer: text('2') }),
    ];
    const expected = [before, text('1'), CONTENT.subarray(0, 1000), text('between'), CONTENT.subarray(5, 2_000_005)];
    const all = Buffer.concat([...expected, text('2')]);
    expect(sha256(await readExactly(pair.client, all.length))).toBe(sha256(all));
    expect(await Promise.all(calls)).toEqual([before.length, 1001, 7, 2_000_001]);
  });

  test('reads go on beside it', async () => {
    const sending = pair.server.sendFile(file);
    await pair.client.write('question');
    expect(String(await pair.server.read())).toBe('question');
    await readExactly(pair.client, CONTENT.length);
    expect(await sending).toBe(CONTENT.length);
  });

  test('a write deadline ends it with the count, and is forgotten when it is moved', async () => {
    pair.server.setWriteDeadline(Date.now() + 80);
    const error = await caught(pair.server.sendFile(file, { header: text('<') }));
    expect(error).toMatchObject({ op: 'sendfile', timeout: true });
    const { bytesWritten = 0 } = error;
    expect(bytesWritten).toBeGreaterThan(0);
    expect(bytesWritten).toBeLessThan(CONTENT.length);
    expect(await caught(pair.server.sendFile(file))).toMatchObject({ timeout: true, bytesWritten: 0 });
    pair.server.setWriteDeadline(null);
    pair.server.closeWrite();
    const all = Buffer.concat([text('<'), CONTENT]);
    expect((await readAll(pair.client)).equals(all.subarray(0, bytesWritten))).toBe(true);
  });

  test('a read deadline, and closeRead(), are none of its business', async () => {
    const sending = pair.server.sendFile(file);
    pair.server.setReadDeadline(1);
    pair.server.closeRead();
    expect(sha256(await readExactly(pair.client, CONTENT.length))).toBe(sha256(CONTENT));
    expect(await sending).toBe(CONTENT.length);
  });

  test('closeWrite() meanwhile fails it', async () => {
    const sending = caught(pair.server.sendFile(file));
    await setTimeout(50);
    pair.server.closeWrite();
    const { code, bytesWritten = 0 } = await sending;
    expect(code).toBe('EPIPE');
    expect((await readAll(pair.client)).equals(CONTENT.subarray(0, bytesWritten))).toBe(true);
  });

  test('an abort ends it with its reason', async () => {
    const controller = new AbortController();
    const sending = pair.server.sendFile(file, { signal: controller.signal });
    await setTimeout(20);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await caught(sending)).toBe(reason);
    expect(await caught(pair.server.sendFile(file, { signal: controller.signal }))).toBe(reason);
    pair.server.closeWrite();
    const got = await readAll(pair.client);
    expect(got.equals(CONTENT.subarray(0, got.length))).toBe(true);
  });

  test('close() ends it, and a closed connection takes none', async () => {
    const sending = caught(pair.server.sendFile(file));
    await setTimeout(20);
    pair.server.close();
    const closed = { op: 'sendfile', code: 'ERR_SPLICEWAY_CLOSED' };
    expect(await sending).toMatchObject(closed);
    const error = await caught(pair.server.sendFile(file));
    expect(error).toMatchObject({ ...closed, bytesWritten: 0 });
    expect(error.message).toBe(
      `sendfile ${network} ${pair.server.localAddr}->${pair.server.remoteAddr}: use of closed network connection`,
    );
  });

  test('a peer that goes away fails it', async () => {
    const sending = caught(pair.server.sendFile(file));
    await readExactly(pair.client, 1000);
    reset(pair.client);
    const error = await sending;
    expect(['ECONNRESET', 'EPIPE']).toContain(error.code);
    expect(error).toMatchObject({ op: 'sendfile', syscall: 'sendfile' });
    expect(error.bytesWritten).toBeGreaterThanOrEqual(1000);
  });

  test('detach() is refused meanwhile', async () => {
    const sending = pair.server.sendFile(file);
    expect(() => pair.server.detach()).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }));
    await readExactly(pair.client, CONTENT.length);
    await sending;
    const { closeSync } = await import('node:fs');
    closeSync(pair.server.detach());
  });

  test('onProgress tells how far it has come', async () => {
    const told: number[] = [];
    const onProgress = (sent: number) => told.push(sent);
    const sending = pair.server.sendFile(file, { onProgress, progressInterval: 10 });
    await setTimeout(100);
    expect(told.length).toBe(1);
    await readExactly(pair.client, CONTENT.length);
    expect(await sending).toBe(CONTENT.length);
    expect(told.every((sent) => sent > 0 && sent <= CONTENT.length)).toBe(true);
    expect(told).toEqual([...told].sort((a, b) => a - b));
  });

  test('the FileHandle may be closed once it has returned', async () => {
    const own = await open(path);
    const sending = pair.server.sendFile(own);
    await own.close();
    expect(sha256(await readExactly(pair.client, CONTENT.length))).toBe(sha256(CONTENT));
    await sending;
  });
});

test('many at once from one FileHandle, and no descriptor of it is left', async () => {
  const before = openFiles(path);
  const pairs = await Promise.all(Array.from({ length: 24 }, () => tcpPair()));
  await Promise.all(
    pairs.map(async ({ server, client }, i) => {
      const options = { offset: i * 10_000, length: 2_000_000 + i, header: text(`${i} `) };
      const [got] = await Promise.all([
        readExactly(client, options.length + options.header.length),
        server.sendFile(file, options),
      ]);
      const part = CONTENT.subarray(options.offset, options.offset + options.length);
      expect(sha256(got)).toBe(sha256(Buffer.concat([options.header, part])));
    }),
  );
  for (const pair of pairs) pair[Symbol.dispose]();
  expect(openFiles(path)).toBe(before);
});

test('a file that cannot be read fails it', async () => {
  using pair = await tcpPair();
  await using own = await open(join(folder, 'write-only'), 'w');
  await own.write('x');
  expect(await caught(pair.server.sendFile(own))).toMatchObject({ op: 'sendfile', code: 'EBADF', bytesWritten: 0 });
  await pair.server.write('still here');
  expect(String(await pair.client.read())).toBe('still here');
});

describe('arguments', () => {
  test('unixpacket is refused', async () => {
    using pair = await unixPair('unixpacket');
    expect(await caught(pair.server.sendFile(file))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  });

  test('wrong ones reject with the codes of Node', async () => {
    using pair = await tcpPair();
    const { server } = pair;
    const type = { code: 'ERR_INVALID_ARG_TYPE' };
    for (const wrong of [undefined, null, 3, 'path', {}, server]) {
      expect(await caught(server.sendFile(wrong as never))).toMatchObject(type);
    }
    expect(await caught(server.sendFile(file, 1 as never))).toMatchObject(type);
    expect(await caught(server.sendFile(file, null as never))).toMatchObject(type);
    for (const name of ['offset', 'length'] as const) {
      for (const wrong of ['1', null, 1n]) {
        expect(await caught(server.sendFile(file, { [name]: wrong as never }))).toMatchObject(type);
      }
      for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
        expect(await caught(server.sendFile(file, { [name]: wrong }))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
      }
    }
    for (const name of ['header', 'trailer', 'signal', 'onProgress', 'progressInterval'] as const) {
      for (const wrong of ['text', null, {}]) {
        expect(await caught(server.sendFile(file, { [name]: wrong as never }))).toMatchObject(type);
      }
    }
    expect(await caught(server.sendFile(file, { progressInterval: 9 }))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    expect(server.state).toBe('new');
  });

  test('a FileHandle that is closed, or no regular file, is refused', async () => {
    using pair = await tcpPair();
    const closed = await open(path);
    await closed.close();
    await using directory = await open(folder);
    for (const wrong of [closed, directory]) {
      expect(await caught(pair.server.sendFile(wrong))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    }
  });

  test('a connection that is relayed is busy; one with a handler sends', async () => {
    using pair = await tcpPair();
    pair.server.handle({ data() {} });
    expect(await pair.server.sendFile(file, { length: 3 })).toBe(3);
    expect((await readExactly(pair.client, 3)).equals(CONTENT.subarray(0, 3))).toBe(true);
    const { relay } = await import('spliceway');
    using one = await tcpPair();
    using two = await tcpPair();
    const relaying = relay(one.server, two.server);
    expect(await caught(one.server.sendFile(file))).toMatchObject({
      op: 'sendfile',
      code: 'ERR_SPLICEWAY_BUSY',
      bytesWritten: 0,
    });
    one.server.close();
    await relaying;
  });
});
