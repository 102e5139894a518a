import { setImmediate } from 'node:timers/promises';
import { copy, OpError, type RelayResult, relay, type TCPConn } from 'spliceway';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes, KiB, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { type Chain, chain, MIXES, reset, type Socket, send, shrinkBuffers } from '../support/chain.ts';
import { openPipeEnds, openSockets } from '../support/fds.ts';
import { ForeignConn, foreignPair, HalfClosingConn } from '../support/foreign.ts';
import { tcpPair } from '../support/pair.ts';

const SIZES = [0, 1, 4 * KiB - 1, 4 * KiB, 4 * KiB + 1, 16 * KiB - 1, 16 * KiB, 16 * KiB + 1, 256 * KiB, 8 * MiB];

describe.each(MIXES)('%s to %s', (first, second) => {
  let c: Chain;
  beforeEach(async () => {
    c = await chain(first, second);
  });
  afterEach(() => c[Symbol.dispose]());

  test.each(SIZES)('%i bytes arrive unchanged in both directions at once', async (size) => {
    const up = bytes(size, 1);
    const down = bytes(size, 2);
    const relaying = relay(c.a, c.b);
    const [atRight, atLeft, result] = await Promise.all([
      readAll(c.right),
      readAll(c.left),
      relaying,
      send(c.left, up),
      send(c.right, down),
    ]);
    expect(sha256(atRight)).toBe(sha256(up));
    expect(sha256(atLeft)).toBe(sha256(down));
    expect(result).toMatchObject({ reason: 'end', error: null, aToB: size, bToA: size });
    expect(result.duration).toBeGreaterThanOrEqual(0);
    expect([c.a.state, c.b.state]).toEqual(['closed', 'closed']);
  });

  test.each(['left', 'right'] as const)(
    'a FIN from the %s is passed on, and the answer still comes back',
    async (side) => {
      const [asking, answering] = side === 'left' ? [c.left, c.right] : [c.right, c.left];
      const relaying = relay(c.a, c.b);
      await send(asking, 'question');
      expect(String(await readAll(answering))).toBe('question');
      // The other direction lives on for as long as it likes.
      for (const word of ['an ', 'answer']) {
        await answering.write(word);
        expect(String(await readExactly(asking, word.length))).toBe(word);
      }
      answering.closeWrite();
      expect(await asking.read()).toBeNull();
      expect(await relaying).toMatchObject({ reason: 'end', endedBy: side === 'left' ? 'a' : 'b', error: null });
    },
  );

  test.each(['left', 'right'] as const)(
    'a slow reader on the %s loses nothing and holds the writer back',
    async (side) => {
      const [writer, reader] = side === 'left' ? [c.right, c.left] : [c.left, c.right];
      shrinkBuffers(c);
      const all = bytes(24 * MiB);
      const relaying = relay(c.a, c.b);
      writer.setWriteDeadline(Date.now() + 150);
      const { bytesWritten = 0, timeout } = await caught(writer.write(all));
      expect(timeout).toBe(true);
      // What two connections' buffers and one pipe hold, whatever the kernel rounds them to.
      expect(bytesWritten).toBeLessThan(8 * MiB);
      writer.setWriteDeadline(null);
      const sending = send(writer as TCPConn, all.subarray(bytesWritten));
      const got: Buffer[] = [];
      for (let chunk = await reader.read(); chunk !== null; chunk = await reader.read()) {
        got.push(chunk);
        if (got.length % 16 === 0) await setImmediate();
      }
      await sending;
      expect(sha256(Buffer.concat(got))).toBe(sha256(all));
      reader.closeWrite();
      expect(await relaying).toMatchObject({ reason: 'end', error: null });
    },
  );

  test.each(['left', 'right'] as const)(
    'when the %s goes away with bytes unread, the relay ends and the rest was a prefix',
    async (side) => {
      const [writer, leaver] = side === 'left' ? [c.right, c.left] : [c.left, c.right];
      const all = bytes(4 * MiB);
      // Small, so that the writer is not done when the reader leaves.
      shrinkBuffers(c);
      const relaying = relay(c.a, c.b);
      const writing = writer.write(all).catch((error: OpError) => error);
      const got = await readExactly(leaver, 100_000);
      reset(leaver);
      writer.closeRead();
      const result = await relaying;
      expect(result.reason).toBe('error');
      expect(result.error).toBeInstanceOf(OpError);
      expect(['ECONNRESET', 'EPIPE']).toContain(result.error?.code);
      expect(side === 'left' ? result.bToA : result.aToB).toBeGreaterThanOrEqual(100_000);
      expect(got.equals(all.subarray(0, 100_000))).toBe(true);
      expect(await writing).toBeInstanceOf(OpError);
    },
  );

  test.each(['a', 'b'] as const)('close() of %s while it runs ends it with "closed"', async (end) => {
    const relaying = relay(c.a, c.b);
    await c.left.write('through');
    expect(String(await c.right.read())).toBe('through');
    expect(c[end].close()).toBe(true);
    const result = await relaying;
    expect(result).toMatchObject({ reason: 'closed', endedBy: end, aToB: 7, bToA: 0 });
    expect(result.error).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    expect([c.a.state, c.b.state]).toEqual(['closed', 'closed']);
    expect(await c.left.read()).toBeNull();
    expect(await c.right.read()).toBeNull();
  });

  test.each(['read', 'write'] as const)('a %s deadline that was set before ends it', async (side) => {
    const deadline = Date.now() + 50;
    if (side === 'read') c.a.setReadDeadline(deadline);
    else c.b.setWriteDeadline(deadline);
    const relaying = relay(c.a, c.b);
    const writing = side === 'read' ? null : c.left.write(bytes(32 * MiB)).catch(() => {});
    const result = await relaying;
    expect(result).toMatchObject({
      reason: 'error',
      endedBy: side === 'read' ? 'a' : 'b',
      error: { op: side, timeout: true },
    });
    expect([c.a.state, c.b.state]).toEqual(['closed', 'closed']);
    await writing;
  });

  test('an abort rejects with its reason and closes both', async () => {
    const controller = new AbortController();
    const relaying = relay(c.a, c.b, { signal: controller.signal });
    await c.right.write('through');
    expect(String(await c.left.read())).toBe('through');
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await caught(relaying)).toBe(reason);
    expect([c.a.state, c.b.state]).toEqual(['closed', 'closed']);
    expect(await c.left.read()).toBeNull();
    expect(await c.right.read()).toBeNull();
  });
});

describe('order', () => {
  test('what was written before the relay goes out before what it passes on', async () => {
    using c = await chain();
    const before = bytes(4 * MiB, 3);
    const written = c.b.write(before);
    const relaying = relay(c.a, c.b);
    await send(c.left, bytes(100_000, 4));
    c.right.closeWrite();
    const got = await readAll(c.right);
    expect(await written).toBe(before.length);
    expect(sha256(got)).toBe(sha256(Buffer.concat([before, bytes(100_000, 4)])));
    expect(await relaying).toMatchObject({ reason: 'end', aToB: 100_000 });
  });

  test('what had arrived before the relay is passed on', async () => {
    using c = await chain();
    await c.left.write('head and body');
    const head = Buffer.alloc(5);
    expect(await c.a.read(head)).toBe(5);
    c.left.closeWrite();
    c.right.closeWrite();
    const relaying = relay(c.a, c.b);
    expect(String(await readAll(c.right))).toBe('and body');
    expect(await relaying).toMatchObject({ reason: 'end', aToB: 8 });
  });

  test('bytes that a reset follows are passed on, though the other side had sent FIN', async () => {
    using c = await chain();
    c.left.closeWrite();
    expect(c.right.tryWrite('last words')).toBe(10);
    reset(c.right);
    const result = await relay(c.a, c.b);
    expect(result).toMatchObject({ reason: 'error', bToA: 10 });
    expect(String(await readAll(c.left))).toBe('last words');
  });
});

describe('a reset', () => {
  test.each(MIXES.filter(([first, second]) => first === 'tcp' || second === 'tcp'))(
    'between %s and %s is told as an error',
    async (first, second) => {
      using c = await chain(first, second);
      const [broken, other, side] = first === 'tcp' ? [c.left, c.right, 'a'] : [c.right, c.left, 'b'];
      const relaying = relay(c.a, c.b);
      reset(broken as Socket);
      const result = await relaying;
      expect(result).toMatchObject({ reason: 'error', endedBy: side, error: { op: 'read', code: 'ECONNRESET' } });
      expect(await (other as Socket).read().catch(() => null)).toBeNull();
    },
  );

  test('without bytes, after the FIN of the other side, is an error too', async () => {
    using c = await chain();
    const relaying = relay(c.a, c.b);
    c.left.closeWrite();
    expect(await c.right.read()).toBeNull();
    reset(c.right);
    expect(await relaying).toMatchObject({ reason: 'error', endedBy: 'a', error: { code: 'ECONNRESET' } });
  });
});

describe('while it runs', () => {
  test('every other call is busy, and what asks or ends is not', async () => {
    using c = await chain();
    using spare = await chain();
    const relaying = relay(c.a, c.b);
    const busy = { name: 'OpError', code: 'ERR_SPLICEWAY_BUSY' };
    for (const conn of [c.a, c.b] as TCPConn[]) {
      expect(await caught(conn.read())).toMatchObject({ ...busy, op: 'read' });
      expect(await caught(conn.read(Buffer.alloc(1)))).toMatchObject({ ...busy, op: 'read' });
      expect(await caught(conn.write('x'))).toMatchObject({ ...busy, op: 'write', bytesWritten: 0 });
      expect(await caught(conn.writev([Buffer.from('x')]))).toMatchObject({ ...busy, op: 'writev' });
      expect(await caught(conn.shutdown())).toMatchObject(busy);
      expect(await caught(copy(conn, spare.a))).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY', bytesCopied: 0 });
      expect(await caught(copy(spare.a, conn))).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY', bytesCopied: 0 });
      expect(await caught(relay(conn, spare.a))).toMatchObject(busy);
      expect(await caught(relay(spare.a, conn))).toMatchObject(busy);
      expect(() => conn.handle({ data() {} })).toThrow(expect.objectContaining(busy));
      expect(() => conn.setDeadline(null)).toThrow(expect.objectContaining(busy));
      expect(() => conn.setReadDeadline(null)).toThrow(expect.objectContaining(busy));
      expect(() => conn.setWriteDeadline(null)).toThrow(expect.objectContaining(busy));
      expect(() => conn.closeRead()).toThrow(expect.objectContaining(busy));
      expect(() => conn.closeWrite()).toThrow(expect.objectContaining(busy));
      expect(() => conn.setNoDelay(true)).toThrow(expect.objectContaining(busy));
      expect(() => conn.setLinger(0)).toThrow(expect.objectContaining(busy));
      expect(conn.tryWrite('x')).toBe(0);
      expect(await caught(conn[Symbol.asyncIterator]().next())).toMatchObject({ ...busy, op: 'read' });
      expect(conn.state).toBe('active');
      expect(`${conn.localAddr}`).toContain('127.0.0.1:');
      expect(`${conn.remoteAddr}`).toContain('127.0.0.1:');
    }
    await spare.left.write('free again');
    expect(String(await spare.a.read())).toBe('free again');
    await send(c.left as TCPConn, Buffer.from('x'));
    expect(String(await readAll(c.right))).toBe('x');
    c.right.closeWrite();
    expect(await relaying).toMatchObject({ reason: 'end', aToB: 1, bToA: 0 });
    expect(await caught(c.a.read())).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    expect(c.a.close()).toBe(false);
    expect(c.b.close()).toBe(false);
  });

  test('a connection that is in use is refused, and the other stays free', async () => {
    using c = await chain();
    const read = c.a.read();
    expect(await caught(relay(c.a, c.b))).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY' });
    expect(await caught(relay(c.b, c.a))).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY' });
    await c.left.write('to the read');
    expect(String(await read)).toBe('to the read');
    await c.right.write('to b');
    expect(String(await c.b.read())).toBe('to b');
    c.a.handle({ data() {} });
    expect(await caught(relay(c.b, c.a))).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY' });
  });

  test('a connection that was closed before ends it at once, and the other with it', async () => {
    using c = await chain();
    c.a.close();
    const result = await relay(c.b, c.a);
    expect(result).toMatchObject({ reason: 'closed', endedBy: 'b', aToB: 0, bToA: 0 });
    expect(result.error).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    expect(c.b.state).toBe('closed');
    expect(await c.right.read()).toBeNull();
  });

  test('a connection in use stays so, though the other was closed', async () => {
    using c = await chain();
    c.a.close();
    const read = c.b.read();
    expect(await caught(relay(c.a, c.b))).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY' });
    await c.right.write('still here');
    expect(String(await read)).toBe('still here');
  });

  test('a signal that is aborted already rejects before it touches anything', async () => {
    using c = await chain();
    const reason = new Error('never');
    expect(await caught(relay(c.a, c.b, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    await c.left.write('still here');
    expect(String(await c.a.read())).toBe('still here');
  });

  test('wrong arguments reject with the codes of Node', async () => {
    using c = await chain();
    expect(await caught(relay(1 as never, c.b))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(await caught(relay(c.a, {} as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(await caught(relay(c.a, c.a))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    expect(await caught(relay(c.a, c.b, 1 as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(await caught(relay(c.a, c.b, { signal: 1 as never }))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect([c.a.state, c.b.state]).toEqual(['new', 'new']);
  });
});

describe('a Conn that is no socket', () => {
  test.each(['a', 'b'] as const)('as %s: the bytes go through JavaScript, both ways', async (side) => {
    using pair = await tcpPair();
    const far = foreignPair();
    const [a, b] = side === 'a' ? [far.server, pair.server] : [pair.server, far.server];
    const relaying = relay(a, b);
    const up = bytes(1 * MiB, 5);
    const down = bytes(1 * MiB, 6);
    const [atFar, atPair] = await Promise.all([
      readExactly(far.client, up.length),
      readExactly(pair.client, down.length),
      pair.client.write(up),
      far.client.write(down),
    ]);
    expect(sha256(atFar)).toBe(sha256(up));
    expect(sha256(atPair)).toBe(sha256(down));
    // It cannot be told of a FIN alone: the end of one direction is the end.
    pair.client.closeWrite();
    expect(await far.client.read()).toBeNull();
    expect(await relaying).toMatchObject({
      reason: 'end',
      endedBy: side === 'a' ? 'b' : 'a',
      aToB: 1 * MiB,
      bToA: 1 * MiB,
    });
    expect(await pair.client.read()).toBeNull();
    expect([a.state, b.state]).toEqual(['closed', 'closed']);
  });

  test('two of them', async () => {
    const [one, two] = [foreignPair(), foreignPair()];
    const relaying = relay(one.server, two.server);
    await one.client.write('hello');
    expect(String(await two.client.read())).toBe('hello');
    one.client.close();
    expect(await relaying).toMatchObject({ reason: 'end', endedBy: 'a', aToB: 5, bToA: 0 });
    expect(await two.client.read()).toBeNull();
  });

  test('that has closeWrite() is told of a FIN, and answers', async () => {
    using pair = await tcpPair();
    const far = foreignPair(HalfClosingConn);
    const relaying = relay(pair.server, far.server);
    await send(pair.client, 'question');
    expect(String(await readAll(far.client))).toBe('question');
    await far.client.write('answer');
    far.client.closeWrite();
    expect(String(await readAll(pair.client))).toBe('answer');
    expect(await relaying).toMatchObject({ reason: 'end', endedBy: 'a', aToB: 8, bToA: 6 });
  });

  test('leaves the socket at its side busy', async () => {
    using pair = await tcpPair();
    const far = foreignPair();
    const relaying = relay(pair.server, far.server);
    expect(await caught(pair.server.read())).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY' });
    expect(await caught(pair.server.write('x'))).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY' });
    expect(pair.server.state).toBe('active');
    pair.server.close();
    expect(await relaying).toMatchObject({ reason: 'closed', endedBy: 'a' });
    expect(far.server.state).toBe('closed');
  });

  test('that fails ends the relay as an error, and the socket is closed', async () => {
    using pair = await tcpPair();
    class Broken extends ForeignConn {
      override async write(): Promise<number> {
        throw new Error('broken');
      }
    }
    const far = foreignPair(Broken);
    const relaying = relay(pair.server, far.server);
    await pair.client.write('x');
    expect(await relaying).toMatchObject({
      reason: 'error',
      endedBy: 'b',
      error: { op: 'write', message: 'write unix foreign->foreign: broken', cause: { message: 'broken' } },
      aToB: 0,
    });
    expect(await pair.client.read().catch(() => null)).toBeNull();
  });

  test('what was written to the socket before goes out before the FIN that is passed on', async () => {
    using pair = await tcpPair();
    const far = foreignPair(HalfClosingConn);
    const before = bytes(8 * MiB, 7);
    const written = pair.server.write(before);
    const relaying = relay(far.server, pair.server);
    far.client.closeWrite();
    expect(sha256(await readAll(pair.client))).toBe(sha256(before));
    expect(await written).toBe(before.length);
    pair.client.closeWrite();
    expect(await relaying).toMatchObject({ reason: 'end', endedBy: 'a', aToB: 0, bToA: 0 });
  });

  test('an abort ends it', async () => {
    using pair = await tcpPair();
    const far = foreignPair();
    const controller = new AbortController();
    const relaying = relay(pair.server, far.server, { signal: controller.signal });
    controller.abort();
    expect(await caught(relaying)).toBe(controller.signal.reason);
    expect([pair.server.state, far.server.state]).toEqual(['closed', 'closed']);
  });
});

describe('descriptors', () => {
  test('none is left, but for a few pipes kept for the next', async () => {
    const round = async () => {
      const chains = await Promise.all(Array.from({ length: 8 }, () => chain('tcp', 'unix')));
      const results = await Promise.all(
        chains.flatMap((c): Promise<unknown>[] => [
          relay(c.a, c.b),
          send(c.left as TCPConn, bytes(300 * KiB)),
          readAll(c.right).then(() => c.right.closeWrite()),
        ]),
      );
      expect((results[0] as RelayResult).aToB).toBe(300 * KiB);
      for (const c of chains) c[Symbol.dispose]();
    };
    const [sockets, pipes] = [openSockets(), openPipeEnds()];
    for (let i = 0; i < 10; i++) await round();
    expect(openSockets()).toBe(sockets);
    expect(openPipeEnds()).toBeLessThanOrEqual(pipes + 32);
  });

  test('a quiet relay holds no pipe', async () => {
    const pipes = openPipeEnds();
    const chains = await Promise.all(Array.from({ length: 40 }, () => chain()));
    const relaying = chains.map((c) => relay(c.a, c.b));
    await Promise.all(
      chains.map(async (c) => {
        await c.left.write(bytes(300 * KiB));
        await readExactly(c.right, 300 * KiB);
      }),
    );
    await setImmediate();
    expect(openPipeEnds()).toBeLessThanOrEqual(pipes + 32);
    for (const c of chains) c[Symbol.dispose]();
    await Promise.all(relaying);
  });
});
