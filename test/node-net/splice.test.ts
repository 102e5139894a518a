// pipe() between two of our sockets: in the kernel while nothing is lost by it, and through the stream as
// soon as somebody wants to see, add or stop something. What comes out is the same either way.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as net from 'spliceway/net';
import { afterEach, describe, expect, test, vi } from 'vitest';

const MIB = 1 << 20;
const open: { destroy?(): unknown; close?(): unknown }[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  for (const each of open.splice(0)) (each.destroy ?? each.close)?.call(each);
});

async function pair(options: net.ServerOptions = {}): Promise<[near: net.Socket, far: net.Socket]> {
  const server = net.createServer(options).listen(0, '127.0.0.1');
  open.push(server);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.on('connection', (socket) => socket.on('error', () => {}));
  const far = net.connect({ port, host: '127.0.0.1', ...options });
  const [[near]] = await Promise.all([once(server, 'connection'), once(far, 'connect')]);
  far.on('error', () => {});
  open.push(near, far);
  return [near, far];
}

/** `feed` → source → sink → `drain`, with source and sink here in the middle. */
async function chain(options: net.ServerOptions = {}) {
  const [[source, feed], [sink, drain]] = await Promise.all([pair(options), pair(options)]);
  return { source, feed, sink, drain };
}

function digest(socket: net.Socket): Promise<string> {
  const hash = createHash('sha256');
  socket.on('data', (chunk) => hash.update(chunk));
  return once(socket, 'end').then(() => hash.digest('hex'));
}

const sha = (...parts: (Buffer | string)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

const moved = (socket: net.Socket, n: number) =>
  vi.waitUntil(() => socket.bytesRead >= n, { timeout: 10_000, interval: 1 });

describe('a pipe between two sockets', () => {
  test('makes next to no chunks, and as many as ever with splice: false', async () => {
    const bytes = randomBytes(16 * MIB);
    const chunks = async (options: net.ServerOptions) => {
      const { source, feed, sink, drain } = await chain(options);
      drain.pause();
      source.pipe(sink);
      const spy = vi.spyOn(Buffer, 'allocUnsafeSlow');
      feed.end(bytes);
      await moved(source, 2 * MIB);
      const before = spy.mock.calls.length;
      const received = digest(drain.resume());
      expect(await received).toBe(sha(bytes));
      spy.mockRestore();
      expect([source.bytesRead, sink.bytesWritten]).toEqual([bytes.length, bytes.length]);
      return before;
    };
    const [spliced, streamed] = [await chunks({}), await chunks({ splice: false })];
    expect(streamed).toBeGreaterThan(30);
    expect(spliced).toBeLessThan(10);
  });

  test('ends the sink with the source, and tells the same events', async () => {
    const { source, feed, sink, drain } = await chain();
    const told: string[] = [];
    for (const event of ['pipe', 'finish', 'unpipe', 'close']) sink.on(event, () => told.push(`sink ${event}`));
    for (const event of ['end', 'close']) source.on(event, () => told.push(`source ${event}`));
    source.pipe(sink);
    feed.write('first');
    await once(drain, 'data');
    feed.end('second');
    drain.resume();
    await Promise.all([once(source, 'close'), once(sink, 'close')]);
    expect(told.slice(0, 2)).toEqual(['sink pipe', 'source end']);
    expect([...told].sort()).toEqual(
      ['sink close', 'sink finish', 'sink pipe', 'sink unpipe', 'source close', 'source end'].sort(),
    );
  });

  test('shows a listener all that comes after it was added', async () => {
    const { source, feed, sink, drain } = await chain();
    source.pipe(sink);
    const [early, late] = [randomBytes(4 * MIB), randomBytes(4 * MIB)];
    const received = digest(drain);
    feed.write(early);
    await moved(source, early.length);
    const seen: Buffer[] = [];
    source.on('data', (chunk) => seen.push(chunk));
    feed.end(late);
    expect(await received).toBe(sha(early, late));
    expect(sha(...seen)).toBe(sha(late));
  });

  test('keeps the order of what is written to the sink besides, while it has no room', async () => {
    const { source, feed, sink, drain } = await chain();
    source.pipe(sink);
    const bytes = randomBytes(32 * MIB);
    feed.write(bytes);
    await moved(source, MIB);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = sink.bytesWritten as number;
    const written = new Promise((resolve) => sink.write('between', resolve));
    expect(sink.writableLength).toBe('between'.length);
    const parts: Buffer[] = [];
    drain.on('data', (chunk) => parts.push(chunk));
    await written;
    feed.end();
    await once(drain, 'end');
    const all = Buffer.concat(parts);
    const at = all.indexOf('between');
    expect(at).toBeGreaterThanOrEqual(before);
    expect(sha(all.subarray(0, at), all.subarray(at + 'between'.length))).toBe(sha(bytes));
  });

  test('stops at unpipe(): what comes later is for others', async () => {
    const { source, feed, sink, drain } = await chain();
    source.pipe(sink);
    const early = randomBytes(3 * MIB);
    feed.write(early);
    const received = digest(drain);
    await moved(source, early.length);
    source.unpipe(sink);
    sink.end();
    feed.end('late');
    expect(await received).toBe(sha(early));
    const seen: Buffer[] = [];
    source.on('data', (chunk) => seen.push(chunk)).resume();
    await once(source, 'end');
    expect(`${Buffer.concat(seen)}`).toBe('late');
  });

  test('delivers what a source gave that is destroyed', async () => {
    const { source, feed, sink, drain } = await chain();
    source.pipe(sink);
    feed.write(randomBytes(32 * MIB));
    await moved(source, MIB);
    await new Promise((resolve) => setTimeout(resolve, 50));
    source.destroy();
    sink.end();
    let n = 0;
    drain.on('data', (chunk) => {
      n += chunk.length;
    });
    await once(drain, 'end');
    expect(n).toBeGreaterThanOrEqual(source.bytesRead);
    expect(n).toBe(sink.bytesWritten);
  });

  test('leaves the source readable when the sink is destroyed', async () => {
    const { source, feed, sink } = await chain();
    source.pipe(sink);
    const bytes = randomBytes(32 * MIB);
    feed.end(bytes);
    await moved(source, MIB);
    const unpiped = once(sink, 'unpipe');
    sink.destroy();
    await unpiped;
    const seen: Buffer[] = [];
    source.on('data', (chunk) => seen.push(chunk)).resume();
    await once(source, 'end');
    const rest = Buffer.concat(seen);
    expect(rest.length).toBeGreaterThan(0);
    expect(rest.equals(bytes.subarray(bytes.length - rest.length))).toBe(true);
  });

  test('echoes', async () => {
    const [near, far] = await pair();
    near.pipe(near);
    const bytes = randomBytes(8 * MIB);
    const received = digest(far);
    far.end(bytes);
    expect(await received).toBe(sha(bytes));
  });

  test('tells the sink that its peer is gone', async () => {
    const { source, feed, sink, drain } = await chain();
    source.pipe(sink);
    feed.write(randomBytes(32 * MIB));
    await moved(source, MIB);
    drain.resetAndDestroy();
    const [error] = await once(sink, 'error');
    expect(['ECONNRESET', 'EPIPE']).toContain(error.code);
  });

  test('counts as traffic for the timeouts of both', async () => {
    const { source, feed, sink, drain } = await chain();
    source.pipe(sink);
    drain.resume();
    const timeouts = [source, sink].map((socket) => {
      const told = vi.fn();
      socket.setTimeout(150, told);
      return told;
    });
    for (let i = 0; i < 20; i++) {
      feed.write('x');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(timeouts.map((told) => told.mock.calls.length)).toEqual([0, 0]);
  });
});
