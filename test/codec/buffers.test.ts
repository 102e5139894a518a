// Memory that frames are read into: ahead of a slow handler, retained, counted, shared with other threads.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Conn, dial, listen, pipe, serve } from 'spliceway';
import { bufferCounters, type FrameBatch, FramedConn, type SharedMessage, SharedPool } from 'spliceway/codec';
import { afterEach, describe, expect, test } from 'vitest';
import { KiB } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { tcpPair } from '../support/pair.ts';
import { eventually, turns } from '../support/time.ts';
import { frameOf, streamOf } from './frames.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function tcp(): Promise<[FramedConn, FramedConn]> {
  const pair = await tcpPair();
  cleanups.push(() => pair[Symbol.dispose]());
  return [new FramedConn(pair.client), new FramedConn(pair.server)];
}

/** A handler whose batches wait until they are let go, one after the other. */
class Slow {
  readonly commands: number[] = [];
  private go: (() => void) | null = null;

  readonly handler = async (batch: FrameBatch) => {
    for (const { command } of batch) this.commands.push(command);
    await new Promise<void>((go) => {
      this.go = go;
    });
  };

  next(): void {
    this.go?.();
  }
}

describe('reading ahead', () => {
  const frame = Buffer.alloc(32 * KiB);

  /** How many frames of 32 KiB are taken off a pipe while the handler handles the second one. */
  async function takenAhead(readAhead: number): Promise<number> {
    const [a, b] = pipe();
    const receiver = new FramedConn(b, { readAhead });
    const slow = new Slow();
    receiver.onFrames(slow.handler);
    let written = 0;
    void (async () => {
      for (;;) {
        await a.write(frameOf(1, frame));
        written++;
      }
    })().catch(() => {});
    await eventually(() => slow.commands.length === 1);
    slow.next();
    await eventually(() => slow.commands.length === 2);
    await turns();
    a.close();
    b.close();
    return written - 2;
  }

  test('goes on while a promise of the handler is pending, as far as it may', async () => {
    expect(await takenAhead(0)).toBe(0);
    expect(await takenAhead(64 * KiB)).toBe(2);
    // More is read ahead only for those who come to need it.
    expect(await takenAhead(1024 * KiB)).toBe(2);
  });

  test('grows with a reader that empties what was full', async () => {
    const [a, b] = pipe();
    const receiver = new FramedConn(b, { readAhead: 256 * KiB });
    let written = 0;
    let handled = 0;
    const ahead: number[] = [];
    receiver.onFrames(async (batch) => {
      handled += batch.count;
      if (handled % 20 !== 0) return;
      await turns();
      ahead.push(written - handled);
    });
    for (; written < 200; written++) await a.write(frameOf(1, frame));
    expect(ahead[0]).toBe(2);
    expect(Math.max(...ahead)).toBeGreaterThan(4);
    expect(Math.max(...ahead)).toBeLessThanOrEqual(256 / 32);
    receiver.close();
  });

  test('keeps the order, and tells of the end after the last frame', async () => {
    const [a, b] = await tcp();
    const commands: number[] = [];
    const ended = new Promise<void>((end) => {
      b.onFrames(
        async (batch) => {
          for (const { command } of batch) commands.push(command);
          await turns();
        },
        { end },
      );
    });
    for (let i = 0; i < 50; i++) {
      await a.send(i, Buffer.alloc(i * 100));
      if (i % 7 === 0) await turns();
    }
    await a.shutdown({ timeout: 0 });
    await ended;
    expect(commands).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  test('tells of a bad frame after those that were read ahead of it', async () => {
    const [a, b] = pipe();
    const receiver = new FramedConn(b);
    const slow = new Slow();
    const failed = new Promise<Error>((error) => receiver.onFrames(slow.handler, { error }));
    await a.write(frameOf(1, ''));
    slow.next(); // what the first promise holds up is not read
    for (const command of [2, 3]) await a.write(frameOf(command, ''));
    await a.write('garbage, and not a frame');
    for (const n of [2, 3]) {
      await eventually(() => slow.commands.length === n);
      slow.next();
    }
    expect(await failed).toMatchObject({ code: 'ERR_SPLICEWAY_FRAME_MAGIC', offset: 36 });
    expect(slow.commands).toEqual([1, 2, 3]);
  });

  test('what was read ahead is not delivered after close()', async () => {
    const [a, b] = pipe();
    const receiver = new FramedConn(b);
    const slow = new Slow();
    receiver.onFrames(slow.handler);
    await a.write(frameOf(1, ''));
    slow.next();
    for (const command of [2, 3]) await a.write(frameOf(command, ''));
    await eventually(() => slow.commands.length === 2);
    receiver.close();
    slow.next();
    await turns();
    expect(slow.commands).toEqual([1, 2]);
  });

  test('a handler that fails for what was read ahead ends its connection', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    const mistakes: unknown[] = [];
    let calls = 0;
    const handle = (conn: Conn) => {
      new FramedConn(conn).onFrames(async () => {
        await turns();
        if (++calls === 3) throw new Error('a mistake');
      });
    };
    const server = serve(listener, handle, { onError: (error) => mistakes.push(error) });
    const conn = await dial('tcp', `${listener.addr}`);
    for (const command of [1, 2, 3, 4, 5]) {
      await conn.write(frameOf(command, '')).catch(() => {});
      await turns();
    }
    expect(await conn.read().catch(() => null)).toBeNull();
    expect(calls).toBe(3);
    expect(mistakes).toMatchObject([{ message: 'a mistake' }]);
    conn.close();
    await server.shutdown();
  });

  test('a flood of tiny chunks is bounded, too', async () => {
    const [a, b] = pipe();
    const receiver = new FramedConn(b, { readAhead: 64 * KiB });
    receiver.onFrames(() => new Promise(() => {}));
    let written = 0;
    void (async () => {
      await a.write(streamOf([{ command: 1, body: '' }]));
      for (; ; written++) await a.write('B');
    })().catch(() => {});
    await turns();
    const before = written;
    await turns();
    expect(written).toBe(before);
    expect(written).toBeLessThan(1000);
    receiver.close();
  });
});

describe('bufferCounters()', () => {
  test('a retained batch is in use until it is released, and its buffer is used again', async () => {
    const [a, b] = await tcp();
    const kept: FrameBatch[] = [];
    b.onFrames((batch) => void kept.push(batch.retain()));
    const retainOne = async () => {
      await a.send(1, 'keep');
      await eventually(() => kept.length === 1);
      return kept.pop() as FrameBatch;
    };
    const first = await retainOne();
    const before = bufferCounters();
    const second = await retainOne();
    const during = bufferCounters();
    expect(during.inUse).toBe(before.inUse + 1);
    expect(during.made + during.reused).toBeGreaterThan(before.made + before.reused);
    first.release();
    second.release();
    const after = bufferCounters();
    expect(after).toMatchObject({ inUse: during.inUse - 2, idle: during.idle + 2, made: during.made });
    expect(after.bytes).toBe((after.inUse + after.idle) * 64 * KiB);
    (await retainOne()).release();
    expect(bufferCounters().made).toBe(after.made);
    expect(bufferCounters().reused).toBeGreaterThan(after.reused);
  });

  test('those of frames that could not be written are dropped', async () => {
    const [a] = pipe();
    const sender = new FramedConn(a);
    const before = bufferCounters();
    void sender.send(1, 'never read');
    await turns();
    void sender.send(2, 'waits behind it');
    expect(bufferCounters().inUse).toBe(before.inUse + 2);
    sender.close();
    await turns();
    expect(bufferCounters()).toMatchObject({ inUse: before.inUse, dropped: before.dropped + 2 });
  });
});

describe('SharedPool', () => {
  test('gives each piece to one holder at a time, and null where there is none', () => {
    const pool = new SharedPool({ size: 8, count: 2 });
    const first = pool.copy(Buffer.from('one'));
    const second = pool.take();
    expect(`${first?.bytes}`).toBe('one');
    expect(second?.bytes).toHaveLength(8);
    expect(pool.take()).toBeNull();
    expect(pool.counters()).toEqual({ made: 2, reused: 0, refused: 1, inUse: 2, idle: 0, bytes: 16 });
    first?.retain().release();
    expect(pool.take()).toBeNull();
    first?.release();
    expect(pool.copy(Buffer.from('three'))?.bytes.toString()).toBe('three');
    expect(second?.bytes.toString('hex')).toBe('0000000000000000');
    expect(pool.counters()).toEqual({ made: 2, reused: 1, refused: 2, inUse: 2, idle: 0, bytes: 16 });
  });

  test('bytes that were released are gone from their holder', async () => {
    const pool = new SharedPool();
    const bytes = pool.copy(Buffer.from('x'));
    bytes?.release();
    expect(bytes?.bytes).toHaveLength(0);
    const invalid = expect.objectContaining({ code: 'ERR_INVALID_STATE' });
    expect(() => bytes?.release()).toThrow(invalid);
    expect(() => bytes?.retain()).toThrow(invalid);
    expect(() => bytes?.handOver()).toThrow(invalid);
  });

  test('refuses wrong arguments', async () => {
    for (const options of [{ size: 0 }, { count: 0 }, { size: 2 ** 30, count: 5 }]) {
      expect(() => new SharedPool(options)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    }
    const pool = new SharedPool({ size: 4 });
    expect(() => pool.take(5)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    expect(() => pool.copy(Buffer.alloc(5))).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    expect(await caught(Promise.resolve().then(() => SharedPool.receive({} as never)))).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    });
    const message = pool.copy(Buffer.alloc(4))?.handOver() as SharedMessage;
    for (const wrong of [{ size: 0 }, { piece: 64 }, { piece: -1 }, { length: 5 }]) {
      expect(() => SharedPool.receive({ ...message, ...wrong })).toThrow(
        expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }),
      );
    }
  });

  const worker = `
    const { parentPort } = require('node:worker_threads');
    const { SharedPool } = require('spliceway/codec');
    parentPort.on('message', (message) => {
      const shared = SharedPool.receive(message);
      const sum = shared.bytes.reduce((sum, byte) => sum + byte, 0);
      shared.release();
      parentPort.postMessage(sum);
    });`;

  test('two threads pass, retain and release without losing a piece', { timeout: 30_000 }, async () => {
    const pool = new SharedPool({ size: 100, count: 8 });
    const other = new Worker(worker, { eval: true });
    cleanups.push(() => other.terminate());
    const sums: number[] = [];
    other.on('message', (sum) => sums.push(sum));
    await once(other, 'online');
    for (let i = 0; i < 2000; i++) {
      let shared = pool.copy(Buffer.alloc(100, i));
      for (; shared === null; shared = pool.copy(Buffer.alloc(100, i))) await turns();
      if (i % 2 === 1) shared.retain();
      other.postMessage(shared.handOver());
      if (i % 2 === 1) shared.release();
    }
    await eventually(() => sums.length === 2000);
    expect(sums).toEqual(Array.from({ length: 2000 }, (_, i) => (i & 0xff) * 100));
    const { inUse, made, reused } = pool.counters();
    expect({ inUse, taken: made + reused }).toEqual({ inUse: 0, taken: 2000 });
    expect(made).toBeLessThanOrEqual(8);
  });

  test('its bytes are sent as frames', async () => {
    const [a, b] = await tcp();
    const pool = new SharedPool();
    const shared = pool.copy(Buffer.from('from shared memory'));
    const sent = a.sendAcked(1, shared?.bytes as Buffer);
    expect(`${(await b.receive())?.body}`).toBe('from shared memory');
    await sent.done;
    shared?.release();
    expect(pool.counters().inUse).toBe(0);
  });
});
