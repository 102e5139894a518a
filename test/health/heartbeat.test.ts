// The heartbeat of a FramedConn: healthy, busy and dead told apart, whatever JavaScript does.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Conn, dial, listen, OpError, pipe } from 'spliceway';
import { FramedConn, type FramedConnOptions, FrameError, type HeartbeatOptions } from 'spliceway/codec';
import type { HealthTransition } from 'spliceway/health';
import { afterEach, describe, expect, test } from 'vitest';
import { frameOf } from '../codec/frames.ts';
import { caught } from '../support/caught.ts';
import { root, runScript } from '../support/child.ts';
import { foreignPair } from '../support/foreign.ts';
import { tcpPair, unixPair } from '../support/pair.ts';
import { block, eventually, isPending, PATIENCE } from '../support/time.ts';

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

async function tcp(): Promise<[Conn, Conn]> {
  const pair = await tcpPair();
  cleanups.push(() => pair[Symbol.dispose]());
  return [pair.client, pair.server];
}

async function beating(heartbeat: HeartbeatOptions = {}, options: FramedConnOptions = {}) {
  const [a, b] = await tcp();
  const both = { heartbeat, ...options };
  return [new FramedConn(a, both), new FramedConn(b, both)] as const;
}

function transitionsOf(framed: FramedConn): HealthTransition[] {
  const all: HealthTransition[] = [];
  framed.health?.onTransition((transition) => all.push(transition));
  return all;
}

const states = (transitions: HealthTransition[]) => transitions.map(({ to }) => to);
const figuresOf = (framed: FramedConn) => {
  if (framed.health === null) throw new Error('no heartbeat');
  return framed.health.figures;
};

/** A peer in a process of its own, which runs the given code with each connection in `framed`. */
async function peer(heartbeat: HeartbeatOptions, code: string): Promise<{ child: ChildProcess; conn: Conn }> {
  const source = `
    import { listen, serve } from 'spliceway';
    import { FramedConn } from 'spliceway/codec';
    const block = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    const listener = await listen('tcp', '127.0.0.1:0');
    console.log(String(listener.addr));
    const framed = new FramedConn(await listener.accept(), { heartbeat: ${JSON.stringify(heartbeat)} });
    ${code}
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.push(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  const conn = await dial('tcp', String(line).trim());
  cleanups.push(() => conn.close());
  return { child, conn };
}

describe('a peer that is well', () => {
  test('is healthy; each side knows the round trip; the other frames are as ever', async () => {
    const [a, b] = await beating({ interval: 20 });
    await eventually(() => figuresOf(a).answered + figuresOf(b).answered >= 10);
    await a.send(1, 'x');
    expect(await b.receive()).toEqual({ command: 1, body: Buffer.from('x') });
    for (const framed of [a, b]) {
      expect(framed.health).toMatchObject({ state: 'healthy', score: 1 });
      expect(figuresOf(framed).rtt).toBeGreaterThan(0);
      expect(figuresOf(framed)).toMatchObject({ interval: 20, failures: 0, missed: 0 });
    }
  });

  test('postpones the PINGs of the other end', async () => {
    const interval = 20;
    const [a, b] = await beating({ interval });
    const sent = () => figuresOf(a).sent + figuresOf(b).sent;
    await eventually(() => sent() >= 4);
    const [since, before] = [performance.now(), sent()];
    await eventually(() => sent() >= before + 60);
    // Not both of them one each interval.
    expect(performance.now() - since).toBeGreaterThan((60 / 1.8) * interval);
  });

  test('is asked at another interval from then on', async () => {
    const [a] = await beating({ interval: 60_000 });
    await eventually(() => figuresOf(a).answered === 1);
    a.health?.setInterval(10);
    expect(figuresOf(a).interval).toBeLessThanOrEqual(60_000);
    await eventually(() => figuresOf(a).answered >= 5);
    expect(figuresOf(a).interval).toBe(10);
    expect(() => a.health?.setInterval(0)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  });
});

describe('a peer whose JavaScript is stuck', () => {
  // Stuck for most of the time, in each of the phases in which code of users runs.
  const STUCK = `
    setInterval(() => block(1000), 1200);
    for await (const frame of framed);
  `;

  test('is stalled for as long, and never lost', async () => {
    const heartbeat = { interval: 200, stalledAfter: 400, lateAfter: 100 * PATIENCE };
    const { conn } = await peer({ interval: 200 }, STUCK);
    const framed = new FramedConn(conn, { heartbeat });
    const transitions = transitionsOf(framed);
    await eventually(() => states(transitions).filter((to) => to === 'stalled').length >= 2);
    await eventually(() => framed.health?.state === 'healthy');
    expect(new Set(states(transitions))).toEqual(new Set(['stalled', 'healthy']));
    const stalled = transitions.find(({ to }) => to === 'stalled');
    expect(stalled).toMatchObject({ from: 'healthy', reason: expect.stringMatching(/JavaScript has been stuck for/) });
    expect(Math.abs((stalled as HealthTransition).at - Date.now())).toBeLessThan(60_000);
  });

  test('is seen to be stuck in a callback of the poll phase, too', async () => {
    const { conn } = await peer(
      { interval: 50 },
      `
      import { createServer, connect } from 'node:net';
      const server = createServer((socket) => socket.on('data', () => block(800))).listen(0, () => {
        connect(server.address().port).write('x');
      });
    `,
    );
    const framed = new FramedConn(conn, { heartbeat: { interval: 50, stalledAfter: 300, lateAfter: 100 * PATIENCE } });
    const transitions = transitionsOf(framed);
    await eventually(() => states(transitions).includes('stalled'));
    await eventually(() => framed.health?.state === 'healthy');
  });

  test('is stalled while it is sent more than it takes', async () => {
    const { conn } = await peer({ interval: 100 }, 'block(500); block(1e9);');
    const framed = new FramedConn(conn, { heartbeat: { interval: 100, stalledAfter: 300, lateAfter: 100 * PATIENCE } });
    const transitions = transitionsOf(framed);
    const body = Buffer.alloc(64 * 1024);
    const sending = (async () => {
      for (;;) await framed.send(1, body);
    })();
    await eventually(() => framed.health?.state === 'stalled');
    await sleep(1000);
    expect(states(transitions)).toEqual(['stalled']);
    framed.close();
    expect(await caught(sending)).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
  });

  test('answers and judges while this one is stuck', async () => {
    const { conn } = await peer({ interval: 100 }, 'for await (const frame of framed);');
    const framed = new FramedConn(conn, { heartbeat: { interval: 100, lateAfter: 100 * PATIENCE } });
    await eventually(() => figuresOf(framed).answered > 2);
    const before = figuresOf(framed);
    block(1000);
    const after = figuresOf(framed);
    expect(after.answered).toBeGreaterThan(before.answered);
    expect(after).toMatchObject({ state: 'healthy', missed: before.missed });
  });
});

describe('a peer that is gone', () => {
  const FAST = { interval: 500 };

  test('is lost when its process is stopped: what waits fails, the connection is closed', async () => {
    const { child, conn } = await peer(FAST, 'for await (const frame of framed);');
    const framed = new FramedConn(conn, { heartbeat: FAST });
    const transitions = transitionsOf(framed);
    await eventually(() => figuresOf(framed).rtt > 0);
    const received = caught(framed.receive());
    child.kill('SIGSTOP');
    const stopped = performance.now();
    const error = await received;
    const took = performance.now() - stopped;
    expect(error).toBeInstanceOf(OpError);
    expect(error).toMatchObject({ op: 'read', code: 'ERR_SPLICEWAY_PEER_LOST', timeout: true });
    expect(await caught(framed.send(1, 'x'))).toMatchObject({ code: 'ERR_SPLICEWAY_PEER_LOST' });
    expect(conn.state).toBe('closed');
    expect(framed.health?.state).toBe('lost');
    expect(states(transitions).at(-1)).toBe('lost');
    expect(transitions.at(-1)?.reason).toMatch(/^nothing was heard for \d+ ms$/);
    // On a machine that is not too busy to keep the time.
    if (figuresOf(framed).lateTurns === 0) expect(took).toBeLessThan(1500);
  });

  test('is lost within interval and a second where the path swallows everything', async () => {
    const { conn, swallow } = await swallowingPath();
    const framed = new FramedConn(conn, { heartbeat: FAST });
    await eventually(() => figuresOf(framed).rtt > 0);
    const waiting = [framed.receive(), framed.request(1, 'x')].map(caught);
    swallow();
    const since = performance.now();
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'ERR_SPLICEWAY_PEER_LOST' });
    if (figuresOf(framed).lateTurns === 0) expect(performance.now() - since).toBeLessThan(1500);
  });

  test('what it had sent before is received first', async () => {
    const { child, conn } = await peer(FAST, "await framed.send(7, 'last words'); setInterval(() => {}, 1000);");
    const framed = new FramedConn(conn, { heartbeat: FAST });
    await eventually(() => figuresOf(framed).rtt > 0);
    await sleep(200 * PATIENCE);
    child.kill('SIGSTOP');
    await eventually(() => framed.health?.state === 'lost');
    expect(await framed.receive()).toEqual({ command: 7, body: Buffer.from('last words') });
    expect(await caught(framed.receive())).toMatchObject({ code: 'ERR_SPLICEWAY_PEER_LOST' });
  });

  test('is not lost for having closed its end', async () => {
    const [a, b] = await beating({ interval: 20, replyFloor: 20, replyCap: 100 });
    const transitions = transitionsOf(a);
    const down = b.shutdown({ timeout: 300 });
    expect(await a.receive()).toBe(null);
    await down;
    expect(transitions).toEqual([]);
    expect(await caught(b.receive())).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
  });

  /** A connection to a peer with a heartbeat, through something that forwards until it is told not to. */
  async function swallowingPath(): Promise<{ conn: Conn; swallow: () => void }> {
    const [[conn, near], [far, end]] = [await tcp(), await tcp()];
    let open = true;
    const forward = async (from: Conn, to: Conn) => {
      for await (const chunk of from) if (open) await to.write(chunk);
    };
    for (const way of [forward(near, far), forward(far, near)]) way.catch(() => {});
    new FramedConn(end, { heartbeat: FAST }).onRequest(() => new Promise(() => {}));
    const swallow = () => {
      open = false;
    };
    return { conn, swallow };
  }
});

describe('credit', () => {
  const KiB = 1024;

  test('bounds what is sent and not received', async () => {
    const [a, b] = await tcp();
    const sender = new FramedConn(a, { heartbeat: { interval: 60_000 } });
    const frame = frameOf(1, Buffer.alloc(10 * KiB - 12));
    let data = 0;
    const counting = (async () => {
      for await (const { command, body } of new FramedConn(b, { session: false })) {
        if (command === 1) data += 12 + body.length;
      }
    })();
    const sends = Promise.all(Array.from({ length: 40 }, () => sender.send(1, frame.subarray(12))));
    await sleep(50);
    expect(data).toBe(0);
    for (const [grant, sum] of [
      [64, 60],
      [5, 60],
      [1, 70],
      [400, 400],
    ] as const) {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(grant * KiB);
      await b.write(frameOf(0xf3, bytes));
      await eventually(() => data >= sum * KiB);
      await sleep(50);
      expect(data).toBe(sum * KiB);
    }
    await sends;
    sender.close();
    await counting;
  });

  test('is given again as frames are received', async () => {
    const [a, b] = await beating({ window: 64 * KiB }, { maxFrame: 16 * KiB });
    const sends = Promise.all(Array.from({ length: 100 }, () => a.send(1, Buffer.alloc(16 * KiB))));
    await sleep(50);
    expect(await isPending(sends)).toBe(true);
    for (let i = 0; i < 100; i++) expect((await b.receive())?.body.length).toBe(16 * KiB);
    await sends;
  });

  test('a window of one frame lets frames of that size pass', async () => {
    const largest = 1000;
    const [a, b] = await beating({ window: largest + 12 }, { maxFrame: largest });
    const sending = a.sendMany(Array.from({ length: 50 }, (_, i) => ({ command: 1, body: Buffer.alloc(largest - i) })));
    for (let i = 0; i < 50; i++) expect((await b.receive())?.body.length).toBe(largest - i);
    await sending;
  });

  test('a peer that sends more than it was granted is cut off', async () => {
    const [a, b] = await tcp();
    const framed = new FramedConn(b, { heartbeat: { window: 2 * KiB }, maxFrame: KiB });
    await a.write(frameOf(1, Buffer.alloc(KiB)));
    expect((await framed.receive())?.body.length).toBe(KiB);
    const flood = async () => {
      for (;;) await a.write(frameOf(1, Buffer.alloc(KiB)));
    };
    const flooded = caught(flood());
    await eventually(() => b.state === 'closed');
    // What was within the grant comes first.
    const receiveAll = async () => {
      while ((await framed.receive()) !== null);
    };
    expect(await caught(receiveAll())).toMatchObject({ code: 'ERR_SPLICEWAY_CREDIT' });
    expect(await flooded).toBeInstanceOf(OpError);
  });

  test('a frame larger than the peer’s window fails, and the connection with it', async () => {
    const [a, b] = await tcp();
    const sender = new FramedConn(a, { heartbeat: true });
    await b.write(frameOf(0xf3, Buffer.from('00001000', 'hex')));
    expect(await caught(sender.send(1, Buffer.alloc(4 * KiB)))).toMatchObject({ op: 'write', code: 'EMSGSIZE' });
    expect(a.state).toBe('closed');
  });
});

describe('what else there is', () => {
  test('bytes that were read ahead come first', async () => {
    const [a, b] = await tcp();
    await a.write(frameOf(1, 'early'));
    const first = (await b.read()) as Buffer;
    (b as Conn & { unread(bytes: Buffer): void }).unread(first);
    const framed = new FramedConn(b, { heartbeat: true });
    expect(await framed.receive()).toEqual({ command: 1, body: Buffer.from('early') });
  });

  test.each([
    ['garbage', Buffer.from('garbage'), 'magic'],
    ['half a frame', frameOf(1, 'whole').subarray(0, 14), 'truncated'],
    ['a changed byte', Buffer.concat([frameOf(1, 'whole').subarray(0, -1), Buffer.from('x')]), 'crc'],
  ])('%s is told of after the good frames', async (_, bad, fault) => {
    const [a, b] = await tcp();
    const framed = new FramedConn(b, { heartbeat: true });
    await a.write(Buffer.concat([frameOf(1, 'good'), bad]));
    (a as Conn & { closeWrite(): void }).closeWrite();
    expect((await framed.receive())?.command).toBe(1);
    expect(await caught(framed.receive())).toMatchObject({ fault });
    expect(b.state).toBe('closed');
  });

  test('a frame that does not come to its end is late though nobody receives', async () => {
    const [a, b] = await tcp();
    const framed = new FramedConn(b, { heartbeat: true, frameTimeout: 50 });
    await a.write(Buffer.concat([frameOf(1, 'good'), frameOf(2, 'slow').subarray(0, 14)]));
    await eventually(() => b.state === 'closed');
    expect((await framed.receive())?.command).toBe(1);
    const error = await caught(framed.receive());
    expect(error).toBeInstanceOf(FrameError);
    expect(error).toMatchObject({ fault: 'timeout', timeout: true, offset: 16 });
  });

  test('deadlines of the connection hold', async () => {
    const [a, b] = await beating();
    const waiting = caught(b.receive());
    b.conn.setReadDeadline(Date.now() + 20);
    expect(await waiting).toMatchObject({ op: 'read', code: 'ERR_SPLICEWAY_DEADLINE_EXCEEDED' });
    b.conn.setReadDeadline(null);
    await a.send(1, 'x');
    expect((await b.receive())?.command).toBe(1);
    a.conn.setWriteDeadline(1);
    expect(await caught(a.send(1, 'x'))).toMatchObject({ op: 'write', timeout: true, bytesWritten: 0 });
  });

  test('a handler goes on after a read deadline', async () => {
    const [a, b] = await beating();
    const errors: Error[] = [];
    let count = 0;
    b.onFrames(
      (batch) => {
        count += batch.count;
      },
      { error: (error) => errors.push(error) },
    );
    b.conn.setReadDeadline(Date.now() + 20);
    await eventually(() => errors.length === 1);
    expect(errors[0]).toMatchObject({ timeout: true });
    await a.send(1, 'x');
    b.conn.setReadDeadline(null);
    await eventually(() => count === 1);
  });

  test('the frames on the wire are those of docs/wire-format.md', async () => {
    const [a, b] = await tcp();
    new FramedConn(b, { heartbeat: { interval: 60_000, window: 1 << 20 }, maxFrame: 1024 });
    const credit = frameOf(0xf3, Buffer.from('00100000', 'hex'));
    let got = Buffer.alloc(0);
    const readTo = async (n: number) => {
      while (got.length < n) got = Buffer.concat([got, (await a.read()) as Buffer]);
    };
    await readTo(credit.length + 28);
    expect(got.subarray(0, 16)).toEqual(credit);
    const ping = got.subarray(16);
    expect(ping).toEqual(frameOf(0xf1, ping.subarray(12)));
    expect(ping.readUInt32BE(12)).toBe(1);
    got = Buffer.alloc(0);
    const body = Buffer.from('0000002a0123456789abcdef00000000', 'hex');
    await a.write(frameOf(0xf1, body));
    await readTo(28);
    expect(got).toEqual(frameOf(0xf2, got.subarray(12)));
    expect(got.subarray(12, 24)).toEqual(body.subarray(0, 12));
  });

  test('control frames that say nothing do no harm', async () => {
    const [a, b] = await tcp();
    const framed = new FramedConn(b, { heartbeat: true });
    const empty = [0xf1, 0xf2, 0xf3].map((command) => frameOf(command, ''));
    const unasked = frameOf(0xf2, Buffer.concat([Buffer.alloc(12, 0xff), Buffer.alloc(4)]));
    const generous = Array.from({ length: 3 }, () => frameOf(0xf3, 'ffffffff'));
    await a.write(Buffer.concat([...empty, unasked, ...generous, frameOf(1, 'x')]));
    expect((await framed.receive())?.command).toBe(1);
    expect(framed.health?.state).toBe('healthy');
  });

  test('close() rejects what waits', async () => {
    const [a] = await beating();
    const waiting = caught(a.receive());
    expect(a.close()).toBe(true);
    expect(await waiting).toMatchObject({ op: 'receive', code: 'ERR_SPLICEWAY_CLOSED' });
    expect(await caught(a.send(1, ''))).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    expect(a.health?.state).toBe('healthy');
  });

  test('nobody else gets at the connection', async () => {
    const [a, b] = await beating();
    await a.send(1, 'x');
    const read = b.conn.read();
    expect(await isPending(read)).toBe(true);
    expect(() => b.conn.handle({ data() {} })).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }));
    expect((await b.receive())?.command).toBe(1);
    b.close();
    expect(await caught(read)).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
  });

  test.each([
    ['an interval of 0', { heartbeat: { interval: 0 } }, 'ERR_OUT_OF_RANGE'],
    ['a window smaller than a frame', { heartbeat: { window: 1000 } }, 'ERR_OUT_OF_RANGE'],
    ['a number', { heartbeat: 5000 }, 'ERR_INVALID_ARG_TYPE'],
    ['no session', { heartbeat: true, session: false }, 'ERR_INVALID_ARG_VALUE'],
    ['resynchronising', { heartbeat: true, onBadFrame: 'resynchronise' }, 'ERR_INVALID_ARG_VALUE'],
  ])('%s is refused', async (_, options, code) => {
    const [a] = await tcp();
    expect(() => new FramedConn(a, options as never)).toThrow(expect.objectContaining({ code }));
    expect(a.state).toBe('new');
  });

  test('connections that are no streams of the kernel’s are refused; so are those in use', async () => {
    using packets = await unixPair('unixpacket');
    const refused = expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' });
    for (const conn of [pipe()[0], foreignPair().client, packets.client]) {
      expect(() => new FramedConn(conn, { heartbeat: true })).toThrow(refused);
    }
    const [a] = await tcp();
    const reading = caught(a.read());
    expect(() => new FramedConn(a, { heartbeat: true })).toThrow(
      expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }),
    );
    a.close();
    await reading;
    expect(() => new FramedConn(a, { heartbeat: true })).toThrow(
      expect.objectContaining({ code: 'ERR_SPLICEWAY_CLOSED' }),
    );
  });
});

describe('the process', () => {
  const PRELUDE = `
    import { dial, listen } from 'spliceway';
    import { FramedConn } from 'spliceway/codec';
    const listener = await listen('tcp', '127.0.0.1:0');
    const [a, b] = await Promise.all([dial('tcp', String(listener.addr)), listener.accept()]);
    const framed = [a, b].map((conn) => new FramedConn(conn, { heartbeat: { interval: 10 } }));
  `;

  test.each([
    ['with heartbeats that are idle', ''],
    ['with heartbeats that nobody waits on any more', "await framed[0].send(1, ''); await framed[1].receive();"],
    ['after close()', 'for (const each of framed) each.close();'],
    ['after shutdown()', 'await Promise.all(framed.map((each) => each.shutdown()));'],
    ['for a receive() whose connection was unref()ed', 'a.unref(); framed[0].receive();'],
    ['after a receive() that was given up', 'await framed[0].receive({ deadline: Date.now() + 20 }).catch(() => {});'],
  ])('ends %s', async (_, code) => {
    expect(await runScript(PRELUDE + code)).toMatchObject({ code: 0, stderr: '' });
  });

  test('lives for a receive()', async () => {
    const source = `${PRELUDE}
      setTimeout(() => framed[1].send(1, ''), 50).unref();
      await framed[0].receive();
      console.log('received');
    `;
    expect(await runScript(source)).toMatchObject({ code: 0, stdout: 'received\n' });
  });

  test('outlives a worker that is terminated in the middle of it', async () => {
    const { code, stderr } = await runScript(`
      import { Worker } from 'node:worker_threads';
      import { once } from 'node:events';
      const worker = new Worker(\`
        const { dial, listen } = require('spliceway');
        const { FramedConn } = require('spliceway/codec');
        (async () => {
          const listener = await listen('tcp', '127.0.0.1:0');
          const [a, b] = await Promise.all([dial('tcp', String(listener.addr)), listener.accept()]);
          const [sender, receiver] = [a, b].map((conn) => new FramedConn(conn, { heartbeat: { interval: 10 } }));
          let count = 0;
          receiver.onFrames((batch) => { count += batch.count; if (count > 1000) require('node:worker_threads').parentPort.postMessage(''); });
          for (;;) await sender.send(1, Buffer.alloc(100));
        })();
      \`, { eval: true, execArgv: [] });
      await once(worker, 'message');
      await worker.terminate();
    `);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('a listener that throws is an error of its own, and the heartbeat goes on', async () => {
    const { code, stderr } = await runScript(`${PRELUDE}
      process.on('uncaughtException', (error) => console.error('uncaught', error.message));
      framed[0].health.onTransition(() => { throw new Error('mine'); });
      framed[0].health.onTransition(({ to }) => console.error(to));
      b.close();
    `);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

test('many connections share a thread', async () => {
  const listener = await listen('tcp', '127.0.0.1:0');
  cleanups.push(() => listener.close());
  const all: FramedConn[] = [];
  cleanups.push(() => all.map((each) => each.close()));
  for (let i = 0; i < 100; i++) {
    const ends = await Promise.all([dial('tcp', `${listener.addr}`), listener.accept()]);
    all.push(...ends.map((conn) => new FramedConn(conn, { heartbeat: { interval: 100 } })));
  }
  await eventually(() => all.every((each) => figuresOf(each).rtt > 0));
  expect(new Set(all.map((each) => each.health?.state))).toEqual(new Set(['healthy']));
});
