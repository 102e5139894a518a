// FramedConn: frames over connections of every make.

import { type Conn, OpError, pipe } from 'spliceway';
import { type Frame, type FrameBatch, FramedConn, type FramedConnOptions, FrameError } from 'spliceway/codec';
import { afterEach, describe, expect, test } from 'vitest';
import { bytes, KiB, MiB, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { foreignPair } from '../support/foreign.ts';
import { tcpPair, unixPair } from '../support/pair.ts';
import { eventually, isPending, turns } from '../support/time.ts';
import { frameOf, streamOf } from './frames.ts';

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function tcp(): Promise<[Conn, Conn]> {
  const pair = await tcpPair();
  cleanups.push(() => pair[Symbol.dispose]());
  return [pair.client, pair.server];
}

async function unix(): Promise<[Conn, Conn]> {
  const pair = await unixPair();
  cleanups.push(() => pair[Symbol.dispose]());
  return [pair.client, pair.server];
}

const HEARTBEAT = { heartbeat: true };

const makes: [string, () => Promise<[Conn, Conn]>, FramedConnOptions?][] = [
  ['tcp', tcp],
  ['tcp with a heartbeat', tcp, HEARTBEAT],
  ['unix', unix],
  ['unix with a heartbeat', unix, HEARTBEAT],
  ['pipe', async () => pipe()],
  [
    'foreign',
    async () => {
      const { client, server } = foreignPair();
      return [client, server];
    },
  ],
];

async function framed(options: FramedConnOptions = {}): Promise<[FramedConn, FramedConn]> {
  const [a, b] = await tcp();
  return [new FramedConn(a, options), new FramedConn(b, options)];
}

function numberOf(n: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n);
  return bytes;
}

const sumOf = ({ command, body }: Frame) => `${command} ${body.length} ${sha256(body)}`;

const sent: Frame[] = Array.from({ length: 60 }, (_, i) => ({ command: i, body: bytes((i * i * i) % 20_000, i + 1) }));

describe.each(makes)('over %s', (_, make, options) => {
  test('frames arrive as they were sent', async () => {
    const [a, b] = await make();
    const sender = new FramedConn(a, options);
    const receiver = new FramedConn(b, options);
    const sending = Promise.all(sent.map(({ command, body }) => sender.send(command, body))).then(() => sender.close());
    const got: Frame[] = [];
    for await (const frame of receiver) got.push(frame);
    await sending;
    expect(got.map(sumOf)).toEqual(sent.map(sumOf));
  });

  test('onFrames() is given all of them, in order', async () => {
    const [a, b] = await make();
    const sender = new FramedConn(a, options);
    const receiver = new FramedConn(b, options);
    const got: Frame[] = [];
    const ended = new Promise<void>((resolve) => {
      receiver.onFrames(
        (batch) => {
          for (const { command, body } of batch) got.push({ command, body: Buffer.from(body) });
        },
        { end: resolve },
      );
    });
    await sender.sendMany(sent);
    sender.close();
    await ended;
    expect(got.map(sumOf)).toEqual(sent.map(sumOf));
  });

  test('a promise of the handler holds up what comes after its batch', async () => {
    const [a, b] = await make();
    const sender = new FramedConn(a, options);
    const receiver = new FramedConn(b, options);
    const got: number[] = [];
    const gates: (() => void)[] = [];
    const ended = new Promise<void>((end) => {
      receiver.onFrames(
        async (batch) => {
          await new Promise<void>((open) => gates.push(open));
          for (const { body } of batch) got.push(body.readUInt32BE(0));
        },
        { end },
      );
    });
    const numbers = Array.from({ length: 9000 }, (_, i) => i);
    const sending = sender.sendMany(numbers.map((n) => ({ command: 1, body: numberOf(n) })));
    void sending.then(() => sender.close());
    await eventually(() => gates.length === 1);
    await turns();
    expect(gates).toHaveLength(1);
    expect(got).toEqual([]);
    const opener = setInterval(() => gates.shift()?.(), 0);
    await ended;
    clearInterval(opener);
    expect(got).toEqual(numbers);
  });
});

describe('send()', () => {
  test('takes text as UTF-8, and empty bodies', async () => {
    const [a, b] = await framed();
    await a.send(1, 'grüße');
    await a.send(2, '');
    await a.send(0xef, Buffer.alloc(0));
    expect(await b.receive()).toEqual({ command: 1, body: Buffer.from('grüße') });
    expect(await b.receive()).toEqual({ command: 2, body: Buffer.alloc(0) });
    expect(await b.receive()).toEqual({ command: 0xef, body: Buffer.alloc(0) });
  });

  test('writes what is sent in one turn with one system call', async () => {
    const [a, b] = await tcp();
    const calls: number[] = [];
    const write = a.write.bind(a);
    a.write = (p: Uint8Array | string) => {
      calls.push(p.length);
      return write(p);
    };
    const sender = new FramedConn(a);
    const receiver = new FramedConn(b);
    const all = Promise.all(Array.from({ length: 100 }, (_, i) => sender.send(1, `${i}`)));
    expect(sender.bufferedBytes).toBe(100 * 12 + 190);
    await all;
    expect(calls).toEqual([100 * 12 + 190]);
    expect(sender.bufferedBytes).toBe(0);
    for (let i = 0; i < 100; i++) expect(String((await receiver.receive())?.body)).toBe(`${i}`);
  });

  test('puts large bodies into the same call without a copy', async () => {
    const [a, b] = await tcp();
    let lists: readonly Uint8Array[][] = [];
    const writev = a.writev.bind(a);
    a.writev = (list: readonly Uint8Array[]) => {
      lists = [...lists, [...list]];
      return writev(list);
    };
    const sender = new FramedConn(a);
    const receiver = new FramedConn(b);
    const large = bytes(10_000);
    void sender.sendMany([
      { command: 1, body: 'small' },
      { command: 2, body: large },
      { command: 3, body: 'small' },
    ]);
    expect(await receiver.receive()).toEqual({ command: 1, body: Buffer.from('small') });
    expect(await receiver.receive()).toEqual({ command: 2, body: large });
    expect(await receiver.receive()).toEqual({ command: 3, body: Buffer.from('small') });
    expect(lists).toHaveLength(1);
    expect(lists[0]).toContain(large);
  });

  test('refuses the commands that are the library’s, and wrong arguments', async () => {
    const [a] = await framed();
    const [wide] = await framed({ commandBytes: 2 });
    for (const command of [0xf0, 0xff, 256, -1, 1.5]) {
      await expect(a.send(command, '')).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    }
    for (const command of [0xfff0, 0xffff, 65536]) {
      await expect(wide.send(command, '')).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    }
    await wide.send(0xffef, '');
    for (const [command, body] of [
      ['1', ''],
      [undefined, ''],
      [1, undefined],
      [1, 5],
      [1, new ArrayBuffer(1)],
    ]) {
      const call = a.send(command as number, body as string);
      await expect(call).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
    await expect(a.send(1, '', { deadline: 'soon' as never })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    await expect(a.send(1, Buffer.alloc(MiB + 1))).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    await expect(a.sendMany(5 as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(a.bufferedBytes).toBe(0);
  });

  test('sendMany() sends none where one is wrong', async () => {
    const [a, b] = await framed();
    const list = [
      { command: 1, body: 'good' },
      { command: 0xf0, body: 'bad' },
    ];
    await expect(a.sendMany(list)).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    await a.send(2, 'next');
    expect((await b.receive())?.command).toBe(2);
  });

  test('frames under cork() end with a connection that is closed beneath them', async () => {
    const [a] = await framed();
    a.cork();
    const sent = a.send(1, 'never written');
    a.conn.close();
    expect(await caught(sent)).toMatchObject({ op: 'send', code: 'ERR_SPLICEWAY_CLOSED' });
  });

  test('cork() collects until flush()', async () => {
    const [a, b] = await framed();
    a.cork();
    const first = a.send(1, 'one');
    const second = a.send(2, 'two');
    await turns();
    expect(await isPending(first)).toBe(true);
    expect(a.bufferedBytes).toBe(30);
    await a.flush();
    await Promise.all([first, second]);
    expect((await b.receive())?.command).toBe(1);
    expect((await b.receive())?.command).toBe(2);
    await a.send(3, 'not corked any more');
    expect((await b.receive())?.command).toBe(3);
  });

  test('rejects once the connection is closed, and when it fails', async () => {
    const [a, b] = await framed();
    const late = a.send(1, 'x');
    a.close();
    expect(await caught(late)).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    expect(await caught(a.send(1, 'x'))).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    expect(a.close()).toBe(false);
    await b.receive();
    const error = await caught(
      (async () => {
        for (;;) await b.send(1, bytes(64 * KiB));
      })(),
    );
    expect(error).toBeInstanceOf(OpError);
    expect(b.conn.state).toBe('closed');
  });
});

// On a pipe nothing is buffered: what is sent waits for a reader.
describe('more than maxBuffered', () => {
  const frame = Buffer.alloc(88); // 100 bytes with its header

  test('waits for room, in order', async () => {
    const [a, b] = pipe();
    const sender = new FramedConn(a, { maxBuffered: 250 });
    const calls = [1, 2, 3, 4, 5].map((command) => sender.send(command, frame));
    expect(sender.bufferedBytes).toBe(200);
    await turns();
    expect(await isPending(calls[0] as Promise<void>)).toBe(true);
    const receiver = new FramedConn(b);
    for (const command of [1, 2, 3, 4, 5]) expect((await receiver.receive())?.command).toBe(command);
    await Promise.all(calls);
    expect(sender.bufferedBytes).toBe(0);
  });

  test('a single frame may be larger', async () => {
    const [a, b] = pipe();
    const sender = new FramedConn(a, { maxBuffered: 1 });
    const receiver = new FramedConn(b);
    const both = Promise.all([sender.send(1, frame), sender.send(2, frame)]);
    expect((await receiver.receive())?.command).toBe(1);
    expect((await receiver.receive())?.command).toBe(2);
    await both;
  });

  test('does not wait for ever under cork()', async () => {
    const [a, b] = pipe();
    const sender = new FramedConn(a, { maxBuffered: 250 });
    const receiver = new FramedConn(b);
    sender.cork();
    const all = Promise.all([1, 2, 3].map((command) => sender.send(command, frame)));
    expect((await receiver.receive())?.command).toBe(1);
    expect((await receiver.receive())?.command).toBe(2);
    void sender.flush();
    expect((await receiver.receive())?.command).toBe(3);
    await all;
  });

  test('a waiting frame is left out when its deadline passes or its signal aborts', async () => {
    const [a, b] = pipe();
    const sender = new FramedConn(a, { maxBuffered: 100 });
    const first = sender.send(1, frame);
    const late = sender.send(2, frame, { deadline: Date.now() + 10 });
    const stop = new AbortController();
    const aborted = sender.send(3, frame, { signal: stop.signal });
    const last = sender.send(4, frame);
    expect(await caught(late)).toMatchObject({ timeout: true, op: 'send', code: 'ERR_SPLICEWAY_DEADLINE_EXCEEDED' });
    stop.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    const receiver = new FramedConn(b);
    expect((await receiver.receive())?.command).toBe(1);
    expect((await receiver.receive())?.command).toBe(4);
    await Promise.all([first, last]);
  });

  test('a frame that is on its way goes out whole though its call was given up', async () => {
    const [a, b] = pipe();
    const sender = new FramedConn(a);
    expect(await caught(sender.send(1, 'late', { deadline: Date.now() + 10 }))).toMatchObject({ timeout: true });
    expect(await caught(sender.send(2, 'too late', { deadline: 1 }))).toMatchObject({ timeout: true });
    const receiver = new FramedConn(b);
    expect((await receiver.receive())?.command).toBe(1);
  });

  test('a large frame that is on its way is what it was, whatever becomes of its bytes once its call was given up', async () => {
    const [a, b] = pipe();
    const sender = new FramedConn(a);
    const body = bytes(100_000);
    const sum = sha256(body);
    expect(await caught(sender.send(1, body, { deadline: Date.now() + 10 }))).toMatchObject({ timeout: true });
    body.fill(0);
    expect(sha256((await new FramedConn(b).receive())?.body as Buffer)).toBe(sum);
  });

  test("with 'error' rejects and sends what fits", async () => {
    const [a, b] = pipe();
    const sender = new FramedConn(a, { maxBuffered: 150, whenFull: 'error' });
    const first = sender.send(1, frame);
    expect(await caught(sender.send(2, frame))).toMatchObject({ code: 'ERR_SPLICEWAY_BUFFER_FULL' });
    const third = sender.send(3, 'small');
    const receiver = new FramedConn(b);
    expect((await receiver.receive())?.command).toBe(1);
    expect((await receiver.receive())?.command).toBe(3);
    await Promise.all([first, third]);
  });

  test("with 'close' closes", async () => {
    const [a, b] = pipe();
    const sender = new FramedConn(a, { maxBuffered: 150, whenFull: 'close' });
    const first = sender.send(1, frame);
    expect(await caught(sender.send(2, frame))).toMatchObject({ code: 'ERR_SPLICEWAY_BUFFER_FULL' });
    expect(await caught(first)).toMatchObject({ code: 'ERR_SPLICEWAY_BUFFER_FULL' });
    expect(a.state).toBe('closed');
    expect(await caught(sender.receive())).toMatchObject({ code: 'ERR_SPLICEWAY_BUFFER_FULL' });
    expect(await b.read()).toBeNull();
  });
});

describe('receive()', () => {
  test('gives memory that is the caller’s', async () => {
    const [a, b] = await framed();
    void a.sendMany([5, 100, 5000, 200_000].map((n) => ({ command: 1, body: bytes(n) })));
    for (const n of [5, 100, 5000, 200_000]) {
      const { body } = (await b.receive()) as Frame;
      const copy = Buffer.from(body);
      structuredClone(body.buffer, { transfer: [body.buffer as ArrayBuffer] });
      expect(copy.equals(bytes(n))).toBe(true);
    }
  });

  test('bodies that arrive together are apart, whatever is done to one of them', async () => {
    const [a, b] = await framed();
    const sizes = [0, 0, 1, 300, 0, 5, 999, 1000, 3, 1024, 2, 5000, 0, 64, ...Array(40).fill(700)];
    const frames = sizes.map((n, i) => ({ command: 1, body: bytes(n, i) }));
    await a.conn.write(streamOf(frames));
    const got: Buffer[] = [];
    for (const _ of frames) got.push(((await b.receive()) as Frame).body);
    for (const [i, body] of got.entries()) {
      expect(body.equals(frames[i]?.body as Buffer)).toBe(true);
      expect(body.buffer.byteLength).toBeLessThanOrEqual(8192);
      body.fill(0xff);
      try {
        structuredClone(body.buffer, { transfer: [body.buffer as ArrayBuffer] });
      } catch (error) {
        // Later versions of Node refuse what earlier ones copy.
        expect((error as Error).name).toBe('DataCloneError');
      }
    }
  });

  test('serves several calls in their order, and null after the end', async () => {
    const [a, b] = await framed();
    const calls = [b.receive(), b.receive(), b.receive()];
    await a.sendMany([
      { command: 1, body: '' },
      { command: 2, body: '' },
    ]);
    a.close();
    expect((await Promise.all(calls)).map((frame) => frame?.command)).toEqual([1, 2, undefined]);
    expect(await b.receive()).toBeNull();
  });

  test('is given up by its deadline or signal alone, and loses nothing', async () => {
    const [a, b] = await framed();
    const whole = frameOf(1, 'whole');
    await a.conn.write(whole.subarray(0, 7));
    expect(await caught(b.receive({ deadline: Date.now() + 10 }))).toMatchObject({ timeout: true, op: 'receive' });
    expect(await caught(b.receive({ deadline: 5 }))).toMatchObject({ timeout: true });
    const stop = new AbortController();
    const aborted = b.receive({ signal: stop.signal });
    const other = b.receive();
    stop.abort('reason');
    await expect(aborted).rejects.toBe('reason');
    await expect(b.receive({ signal: stop.signal })).rejects.toBe('reason');
    await a.conn.write(whole.subarray(7));
    expect(await other).toEqual({ command: 1, body: Buffer.from('whole') });
  });

  test('goes on after a read deadline of the connection', async () => {
    const [a, b] = await framed();
    b.conn.setReadDeadline(1);
    expect(await caught(b.receive())).toMatchObject({ timeout: true, op: 'read' });
    b.conn.setReadDeadline(null);
    await a.send(1, 'x');
    expect((await b.receive())?.command).toBe(1);
  });

  test.each(makes.filter(([name]) => name !== 'foreign'))(
    'over %s waits anew where the deadline was moved before it was told',
    async (_, make) => {
      const [a, b] = await make();
      const receiver = new FramedConn(b);
      const before = receiver.receive();
      b.setReadDeadline(1);
      const within = receiver.receive();
      b.setReadDeadline(null);
      const after = receiver.receive();
      expect(await caught(before)).toMatchObject({ timeout: true });
      expect(await caught(within)).toMatchObject({ timeout: true });
      void new FramedConn(a).send(1, 'x');
      expect((await after)?.command).toBe(1);
    },
  );

  test('rejects when the connection is closed here; iteration ends', async () => {
    const [, b] = await framed();
    const call = b.receive();
    const iterating = (async () => {
      for await (const _ of b) throw new Error('nothing was sent');
    })();
    b.close();
    expect(await caught(call)).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    await iterating;
    expect(await caught(b.receive())).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
  });

  test('break loses nothing', async () => {
    const [a, b] = await framed();
    void a.sendMany([1, 2, 3].map((command) => ({ command, body: '' })));
    for await (const { command } of b) {
      expect(command).toBe(1);
      break;
    }
    expect((await b.receive())?.command).toBe(2);
  });
});

describe('a bad frame', () => {
  const good = frameOf(1, 'good');
  const changed = Buffer.from(frameOf(2, 'bad'));
  changed[13] = 0;

  test.each([
    ['garbage', Buffer.from('garbage'), 'ERR_SPLICEWAY_FRAME_MAGIC', 'magic'],
    ['another version', frameOf(1, 'x', { version: 9 }), 'ERR_SPLICEWAY_FRAME_VERSION', 'version'],
    ['a changed byte', changed, 'ERR_SPLICEWAY_FRAME_CRC', 'crc'],
    ['the largest length', Buffer.from('424d0101ffffffff00000000', 'hex'), 'ERR_SPLICEWAY_FRAME_TOO_LARGE', 'tooLarge'],
    ['half a frame', good.subarray(0, 14), 'ERR_SPLICEWAY_FRAME_TRUNCATED', 'truncated'],
  ])('%s is told of after the good ones, with its offset, and closes', async (_, bad, code, fault) => {
    const [a, b] = await framed();
    await a.conn.write(Buffer.concat([good, good, bad]));
    a.close();
    expect((await b.receive())?.command).toBe(1);
    expect((await b.receive())?.command).toBe(1);
    const error = await caught(b.receive());
    expect(error).toBeInstanceOf(FrameError);
    expect(error).toMatchObject({ code, fault, offset: 2 * good.length });
    expect(b.conn.state).toBe('closed');
    expect(await caught(b.receive())).toBe(error);
  });

  test('is told to error() in handler style', async () => {
    const [a, b] = await framed();
    const commands: number[] = [];
    const failed = new Promise<Error>((resolve) => {
      b.onFrames((batch) => commands.push(...[...batch].map(({ command }) => command)), { error: resolve });
    });
    await a.conn.write(Buffer.concat([good, changed]));
    expect(await failed).toMatchObject({ code: 'ERR_SPLICEWAY_FRAME_CRC', offset: good.length });
    expect(commands).toEqual([1]);
    expect(b.conn.state).toBe('closed');
  });

  test('is skipped and counted when resynchronising', async () => {
    const [a, b] = await framed({ onBadFrame: 'resynchronise' });
    await a.conn.write(Buffer.concat([Buffer.from('noise BM'), good, changed, good]));
    a.close();
    expect((await b.receive())?.command).toBe(1);
    expect((await b.receive())?.command).toBe(1);
    expect(await b.receive()).toBeNull();
    expect(b.badFrames).toBe(2);
    expect(b.skippedBytes).toBe(8 + changed.length);
  });
});

describe('frameTimeout', () => {
  test('ends a connection whose frame does not come to its end, however often a byte of it comes', async () => {
    const [a, b] = await framed({ frameTimeout: 60 });
    await a.send(1, 'whole');
    const trickle = setInterval(() => void a.conn.write('B').catch(() => {}), 10);
    await a.conn.write(frameOf(2, Buffer.alloc(1000)).subarray(0, 12));
    expect((await b.receive())?.command).toBe(1);
    const error = await caught(b.receive());
    clearInterval(trickle);
    expect(error).toMatchObject({ code: 'ERR_SPLICEWAY_FRAME_TIMEOUT', timeout: true, offset: 17 });
    expect(b.conn.state).toBe('closed');
  });

  test('is told to error() in handler style', async () => {
    const [a, b] = await framed({ frameTimeout: 30 });
    const failed = new Promise<Error>((error) => b.onFrames(() => {}, { error }));
    await a.conn.write('B');
    expect(await failed).toMatchObject({ code: 'ERR_SPLICEWAY_FRAME_TIMEOUT', offset: 0 });
  });

  test('does not run between frames, nor while nobody reads', async () => {
    const [a, b] = await framed({ frameTimeout: 30 });
    const whole = frameOf(1, 'x');
    const first = b.receive();
    await a.conn.write(Buffer.concat([whole, whole.subarray(0, 5)]));
    await first;
    await new Promise((resolve) => setTimeout(resolve, 100));
    await a.conn.write(whole.subarray(5));
    expect((await b.receive())?.command).toBe(1);
    const third = b.receive();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await a.send(3, '');
    expect((await third)?.command).toBe(3);
  });

  test('0 waits for ever', async () => {
    const [a, b] = await framed({ frameTimeout: 0 });
    const call = b.receive();
    await a.conn.write('B');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await isPending(call)).toBe(true);
  });
});

describe('onFrames()', () => {
  test('makes views of one piece of memory, for the time of the call', async () => {
    const [a, b] = await framed();
    let lent: FrameBatch | undefined;
    const seen = new Promise<void>((resolve) => {
      b.onFrames((batch) => {
        lent = batch;
        expect(batch.body(0).buffer).toBe(batch.bytes.buffer);
        expect(batch.bytes.toString('utf8', batch.offset(0), batch.offset(0) + batch.length(0))).toBe('one');
        expect(() => batch.body(batch.count)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
        expect(() => batch.body(-1)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
        resolve();
      });
    });
    await a.send(1, 'one');
    await seen;
    expect(lent?.count).toBe(0);
    expect(() => lent?.body(0)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    expect(() => lent?.retain()).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
    expect(() => lent?.release()).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
  });

  test.each([false, true])('retain() keeps a batch and its views until release() (debug: %s)', async (debug) => {
    const [a, b] = await framed({ debug });
    const batches: FrameBatch[] = [];
    const views: Buffer[] = [];
    let total = 0;
    b.onFrames((batch) => {
      total += batch.count;
      batches.push(batch.retain());
      for (const { body } of batch) views.push(body);
    });
    const bodies = Array.from({ length: 300 }, (_, i) => bytes(100 + 10 * i, i + 1));
    for (const body of bodies) await a.send(1, body);
    await eventually(() => total === 300);
    expect(views.map((view, i) => view.equals(bodies[i] as Buffer))).toEqual(bodies.map(() => true));
    for (const batch of batches) batch.release();
    expect(batches.every((batch) => batch.count === 0)).toBe(true);
    if (debug) expect(views.every((view) => view.length === 0)).toBe(true);
    // The connection goes on with memory that was given back.
    await a.send(1, 'more');
    await eventually(() => total === 301);
    expect(String(views.at(-1))).toBe('more');
  });

  test('a batch that is retained twice is released twice', async () => {
    const [a, b] = await framed();
    const kept = new Promise<FrameBatch>((resolve) => b.onFrames((batch) => resolve(batch.retain().retain())));
    await a.send(1, 'body');
    const batch = await kept;
    batch.release();
    expect(String(batch.body(0))).toBe('body');
    batch.release();
    expect(batch.count).toBe(0);
    expect(() => batch.release()).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
  });

  test('debug takes the memory of views that outlive their batch', async () => {
    const [a, b] = await framed({ debug: true });
    const view = new Promise<Buffer[]>((resolve) => {
      b.onFrames((batch) => {
        const body = batch.body(0);
        resolve([body, Buffer.from(body)]);
      });
    });
    await a.send(1, 'body');
    const [body, copy] = await view;
    expect(body).toHaveLength(0);
    expect(String(copy)).toBe('body');
  });

  test('is the only way to receive from then on, and has to be the first', async () => {
    const [a, b] = await framed();
    b.onFrames(() => {});
    expect(await caught(b.receive())).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY' });
    expect(() => b.onFrames(() => {})).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }));
    void a.receive();
    expect(() => a.onFrames(() => {})).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }));
    expect(() => a.onFrames(5 as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    expect(() => a.onFrames(() => {}, { end: 1 as never })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
  });

  test('nothing is delivered after close() in the handler', async () => {
    const [a, b] = await framed();
    let calls = 0;
    b.onFrames(() => {
      calls++;
      b.close();
    });
    await a.sendMany(Array.from({ length: 9000 }, () => ({ command: 1, body: '' }))).catch(() => {});
    await turns();
    expect(calls).toBe(1);
  });

  test('goes on after a read deadline of the connection', async () => {
    const [a, b] = await framed();
    const errors: Error[] = [];
    let count = 0;
    b.onFrames(
      (batch) => {
        count += batch.count;
      },
      { error: (error) => errors.push(error) },
    );
    b.conn.setReadDeadline(1);
    await eventually(() => errors.length === 1);
    expect(errors[0]).toMatchObject({ timeout: true });
    b.conn.setReadDeadline(null);
    await a.send(1, '');
    await eventually(() => count === 1);
  });

  test('without end() shuts down when the peer does', async () => {
    const [a, b] = await framed();
    b.onFrames(() => {});
    await a.shutdown();
    await eventually(() => b.conn.state === 'closed');
  });

  test('a write that fails is told to error()', async () => {
    const [a, b] = await tcpPair().then((pair) => {
      cleanups.push(() => pair[Symbol.dispose]());
      return [pair.client, pair.server];
    });
    const framedB = new FramedConn(b as Conn);
    const failed = new Promise<Error>((error) => framedB.onFrames(() => {}, { error }));
    a?.setLinger(0);
    a?.close();
    void framedB.send(1, bytes(MiB));
    expect(await failed).toBeInstanceOf(OpError);
    expect(framedB.conn.state).toBe('closed');
  });
});

describe('a plain peer', () => {
  test('is sent frames and nothing else, and may use every command', async () => {
    const [a, b] = await tcp();
    const conn = new FramedConn(a);
    await conn.send(7, 'only this');
    expect(await b.read()).toEqual(frameOf(7, 'only this'));
    await b.write(Buffer.concat([frameOf(0xf0, 'plain'), frameOf(0xff, 'plain')]));
    expect(await conn.receive()).toEqual({ command: 0xf0, body: Buffer.from('plain') });
    expect(await conn.receive()).toEqual({ command: 0xff, body: Buffer.from('plain') });
    const done = conn.shutdown();
    expect(await b.read()).toBeNull();
    b.close();
    await done;
    expect(() => conn.onRequest(() => '')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
    expect(await caught(conn.request(1, ''))).toMatchObject({ code: 'ERR_INVALID_STATE' });
  });
});

describe('hostile input', () => {
  test('a million empty frames cost no more than their chunks', async () => {
    const [a, b] = await framed();
    const many = streamOf(Array.from({ length: 5000 }, () => ({ command: 1, body: '' })));
    let count = 0;
    const ended = new Promise<void>((end) => {
      b.onFrames(
        (batch) => {
          count += batch.count;
        },
        { end },
      );
    });
    for (let i = 0; i < 200; i++) await a.conn.write(many);
    a.close();
    await ended;
    expect(count).toBe(1_000_000);
  });

  test('of empty frames without end no more than a chunk is taken for those who receive one by one', async () => {
    const [a, b] = pipe();
    const receiver = new FramedConn(b);
    const many = streamOf(Array.from({ length: 5000 }, () => ({ command: 1, body: '' })));
    let written = 0;
    void (async () => {
      for (; ; written += many.length) await a.write(many);
    })().catch(() => {});
    for (let i = 0; i < 20_000; i++) await receiver.receive();
    await turns();
    expect(written - 20_000 * 12).toBeLessThan(2 * 64 * KiB);
    receiver.close();
  });

  test('back-pressure holds when nobody receives', async () => {
    const [a, b] = await framed();
    await a.send(1, '');
    await b.receive();
    const flood = (async () => {
      for (;;) await a.send(1, bytes(64 * KiB));
    })();
    expect(await isPending(flood)).toBe(true);
    expect(b.conn.state).toBe('active');
    a.close();
    await caught(flood);
  });
});

describe('the process', () => {
  test('outlives what a peer does to calls that nobody awaits', async () => {
    const { code, stderr, stdout } = await runScript(`
      import { dial, listen } from 'spliceway';
      import { FramedConn, MessageConn, lines } from 'spliceway/codec';
      const listener = await listen('tcp', '127.0.0.1:0');
      for (const junk of ['', 'junk', 'BM', 'BM\\x01\\x01\\xff\\xff\\xff\\xff']) {
        for (const style of ['receive', 'onFrames', 'request']) {
          const [conn, peer] = await Promise.all([dial('tcp', String(listener.addr)), listener.accept()]);
          const framed = new FramedConn(conn, { session: true, maxBuffered: 1000 });
          if (style === 'onFrames') framed.onFrames(() => {});
          else if (style === 'request') framed.request(1, 'x');
          else framed.receive();
          framed.cork();
          for (let i = 0; i < 5; i++) framed.send(1, Buffer.alloc(1 << 20));
          framed.sendMany([{ command: 1, body: '' }]);
          framed.flush();
          await peer.write(Buffer.from(junk, 'latin1'));
          peer.setLinger(0);
          peer.close();
          framed.shutdown({ timeout: 50 });
        }
      }
      const [conn, peer] = await Promise.all([dial('tcp', String(listener.addr)), listener.accept()]);
      const server = new FramedConn(conn, { session: true });
      server.onRequest(() => Buffer.alloc(1 << 19));
      const client = new FramedConn(peer, { session: true });
      for (let i = 0; i < 20; i++) client.request(1, '');
      setTimeout(() => { peer.setLinger(0); client.close(); }, 20);
      setTimeout(() => { listener.close(); console.log(conn.state); }, 200);
    `);
    expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: 'closed\n' });
  });

  test('ends with a connection that nobody waits on, and in the middle of a worker’s frames', async () => {
    const { code, stderr } = await runScript(`
      import { Worker } from 'node:worker_threads';
      import { once } from 'node:events';
      const worker = new Worker(\`
        const { dial, listen } = require('spliceway');
        const { FramedConn, Decoder } = require('spliceway/codec');
        (async () => {
          const listener = await listen('tcp', '127.0.0.1:0');
          const [a, b] = await Promise.all([dial('tcp', String(listener.addr)), listener.accept()]);
          const receiver = new FramedConn(b);
          let count = 0;
          receiver.onFrames((batch) => { count += batch.count; if (count > 1000) require('node:worker_threads').parentPort.postMessage(''); });
          const sender = new FramedConn(a);
          for (;;) { await sender.send(1, Buffer.alloc(100)); new Decoder().decode(Buffer.from('BM')); }
        })();
      \`, { eval: true, execArgv: [] });
      await once(worker, 'message');
      await worker.terminate();
    `);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('options', () => {
  test.each([
    [{ commandBytes: 3 }, 'ERR_OUT_OF_RANGE'],
    [{ commandBytes: '1' }, 'ERR_INVALID_ARG_TYPE'],
    [{ crcOver: 7 }, 'ERR_OUT_OF_RANGE'],
    [{ crcOver: 9 }, 'ERR_OUT_OF_RANGE'],
    [{ version: 256 }, 'ERR_OUT_OF_RANGE'],
    [{ maxFrame: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ maxFrame: 2 ** 30 + 1 }, 'ERR_OUT_OF_RANGE'],
    [{ onBadFrame: 'ignore' }, 'ERR_INVALID_ARG_VALUE'],
    [{ frameTimeout: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ maxBuffered: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ whenFull: 'drop' }, 'ERR_INVALID_ARG_VALUE'],
    [{ session: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ session: true, maxFrame: 15 }, 'ERR_OUT_OF_RANGE'],
    [{ heartbeat: true, maxFrame: 15 }, 'ERR_OUT_OF_RANGE'],
    [{ debug: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
  ])('%j is refused', (options, code) => {
    expect(() => new FramedConn(pipe()[0], options as never)).toThrow(expect.objectContaining({ code }));
  });

  test('what is no connection is refused', () => {
    for (const conn of [undefined, null, 5, {}]) {
      expect(() => new FramedConn(conn as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    }
  });
});
