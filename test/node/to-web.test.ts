import { pipe } from 'spliceway';
import { toWeb } from 'spliceway/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes, MiB, readAll, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { type Pair, tcpPair } from '../support/pair.ts';
import { eventually, isPending, turns } from '../support/time.ts';

let pair: Pair<import('spliceway').TCPConn>;

beforeEach(async () => {
  pair = await tcpPair();
});
afterEach(() => pair[Symbol.dispose]());

describe('readable', () => {
  test('gives all bytes, then the end', async () => {
    const { readable } = toWeb(pair.server);
    const sent = bytes(MiB);
    void pair.client.write(sent).then(() => pair.client.closeWrite());
    const chunks: Uint8Array[] = [];
    for await (const chunk of readable) chunks.push(chunk);
    expect(sha256(Buffer.concat(chunks))).toBe(sha256(sent));
  });

  test('reads into the memory of a BYOB reader', async () => {
    const { readable } = toWeb(pair.server);
    const reader = readable.getReader({ mode: 'byob' });
    await pair.client.write('hello');
    const { value } = await reader.read(new Uint8Array(new ArrayBuffer(100), 10, 3));
    expect(value).toMatchObject({ byteOffset: 10, length: 3 });
    expect(value?.buffer.byteLength).toBe(100);
    expect(`${Buffer.from(value as Uint8Array)}`).toBe('hel');
    expect(`${Buffer.from((await reader.read(new Uint8Array(8))).value as Uint8Array)}`).toBe('lo');
    pair.client.closeWrite();
    expect((await reader.read(new Uint8Array(8))).done).toBe(true);
  });

  test('nothing is read before somebody reads', async () => {
    const { readable } = toWeb(pair.server);
    await pair.client.write('x');
    await turns();
    expect(pair.server.state).toBe('new');
    await readable.getReader().read();
    expect(pair.server.state).toBe('active');
  });

  test('cancel() ends a read that waits, and leaves writing', async () => {
    const { readable, writable } = toWeb(pair.server);
    const reader = readable.getReader();
    const read = reader.read();
    await turns();
    await reader.cancel();
    expect((await read).done).toBe(true);
    const writer = writable.getWriter();
    await writer.write('still');
    expect(`${await pair.client.read()}`).toBe('still');
    await writer.close();
    expect(pair.server.state).toBe('closed');
  });

  test('a deadline errors it', async () => {
    const { readable } = toWeb(pair.server);
    pair.server.setReadDeadline(Date.now() + 10);
    expect(await caught(readable.getReader().read())).toMatchObject({ timeout: true });
  });
});

describe('writable', () => {
  test('takes bytes of several kinds and text; close() ends writing, and the connection once reading is over', async () => {
    const { readable, writable } = toWeb(pair.server);
    const writer = writable.getWriter();
    await writer.write('text ');
    await writer.write(Buffer.from('buffer '));
    const other = new DataView(Uint8Array.from('?view ', (c) => c.charCodeAt(0)).buffer, 1);
    await writer.write(other as never);
    await writer.write(Buffer.from('array').buffer.slice(0, 0) as never);
    await writer.close();
    expect(`${await readAll(pair.client)}`).toBe('text buffer view ');
    expect(pair.server.state).toBe('active');
    pair.client.closeWrite();
    expect((await readable.getReader().read()).done).toBe(true);
    expect(pair.server.state).toBe('closed');
  });

  test('back-pressure: a write resolves when the kernel has taken it', async () => {
    const writer = toWeb(pair.server).writable.getWriter();
    const write = writer.write(Buffer.alloc(32 * MiB));
    expect(await isPending(writer.ready)).toBe(true);
    let read = 0;
    while (read < 32 * MiB) read += ((await pair.client.read()) as Buffer).length;
    await write;
    await writer.ready;
  });

  test('abort() closes the connection, also while a write waits', async () => {
    const writer = toWeb(pair.server).writable.getWriter();
    const write = caught(writer.write(Buffer.alloc(32 * MiB)));
    await turns();
    await caught(Promise.all([writer.abort(new Error('enough')), writer.closed]));
    await write;
    expect(pair.server.state).toBe('closed');
  });

  test('what is no bytes errors it', async () => {
    const writer = toWeb(pair.server).writable.getWriter();
    writer.closed.catch(() => {});
    expect(await caught(writer.write(7 as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  test('the peer that is gone errors it, and an unawaited write raises nothing', async () => {
    const { writable } = toWeb(pair.server);
    const writer = writable.getWriter();
    pair.client.setLinger(0);
    pair.client.close();
    await eventually(() => pair.server.tryWrite('') === 0);
    const error = await caught(
      (async () => {
        for (;;) await writer.write('x');
      })(),
    );
    expect(['EPIPE', 'ECONNRESET']).toContain(error.code);
  });
});

test('a pipe() has no half-close: closing the writable closes it', async () => {
  const [a, b] = pipe();
  const { writable, readable } = toWeb(a);
  const writer = writable.getWriter();
  const writing = writer.write('x').then(() => writer.close());
  expect(`${await readAll(b)}`).toBe('x');
  await writing;
  expect(a.state).toBe('closed');
  readable.cancel().catch(() => {});
});

test('pipes through the streams of the web', async () => {
  const { readable, writable } = toWeb(pair.server);
  const echo = readable.pipeTo(writable);
  const sent = bytes(MiB);
  void pair.client.write(sent).then(() => pair.client.closeWrite());
  expect(sha256(await readAll(pair.client))).toBe(sha256(sent));
  await echo;
  expect(pair.server.state).toBe('closed');
});

test('mistakes', () => {
  expect(() => toWeb(null as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
});
