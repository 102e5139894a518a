import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import {
  type Conn,
  copy,
  ErrBusy,
  ErrClosedPipe,
  ErrDeadlineExceeded,
  OpError,
  PipeAddr,
  pipe,
  relay,
} from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, KiB, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { tcpPair } from '../support/pair.ts';
import { isPending, turns } from '../support/time.ts';

const CLOSED = { code: 'ERR_SPLICEWAY_CLOSED_PIPE', message: 'io: read/write on closed pipe', cause: ErrClosedPipe };

describe('write()', () => {
  test('waits until reads have taken all of it; a short read leaves the rest', async () => {
    const [a, b] = pipe();
    const writing = a.write('hello');
    expect(await isPending(writing)).toBe(true);
    expect(await b.read(Buffer.alloc(2))).toBe(2);
    expect(await isPending(writing)).toBe(true);
    expect(String(await b.read())).toBe('llo');
    expect(await writing).toBe(5);
  });

  test('goes to a read that waits, and no further than it has room', async () => {
    const [a, b] = pipe();
    const p = Buffer.alloc(4, '-');
    const reading = b.read(p.subarray(1, 3));
    const writing = a.write('abc');
    expect(await reading).toBe(2);
    expect(String(p)).toBe('-ab-');
    expect(await isPending(writing)).toBe(true);
    expect(String(await b.read())).toBe('c');
    expect(await writing).toBe(3);
  });

  test('is whole among others, in the order in which they were made', async () => {
    const [a, b] = pipe();
    const settled: number[] = [];
    const parts = [bytes(100 * KiB, 1), bytes(10, 2), bytes(70 * KiB, 3)];
    const writes = parts.map((part, i) => a.write(part).then(() => settled.push(i)));
    const got = await readExactly(b, 170 * KiB + 10);
    await Promise.all(writes);
    expect(got.equals(Buffer.concat(parts))).toBe(true);
    expect(settled).toEqual([0, 1, 2]);
  });

  test('carries both directions at once', async () => {
    const [a, b] = pipe();
    const [up, down] = [bytes(2 * MiB, 1), bytes(2 * MiB, 2)];
    const [atB, atA] = await Promise.all([
      readExactly(b, up.length),
      readExactly(a, down.length),
      a.write(up),
      b.write(down),
    ]);
    expect(sha256(atB)).toBe(sha256(up));
    expect(sha256(atA)).toBe(sha256(down));
  });

  test('takes a string as UTF-8', async () => {
    const [a, b] = pipe();
    const writing = a.write('ä€');
    expect(String(await b.read())).toBe('ä€');
    expect(await writing).toBe(5);
  });

  test('copies: what the writer does to its bytes afterwards changes nothing', async () => {
    const [a, b] = pipe();
    const p = Buffer.from('abc');
    const reading = b.read();
    await a.write(p);
    p.fill('x');
    expect(String(await reading)).toBe('abc');
  });
});

describe('writev()', () => {
  test('writes the members one by one, with nothing in between', async () => {
    const [a, b] = pipe();
    const writing = a.writev([Buffer.from('one'), Buffer.alloc(0), Buffer.from('two')]);
    const after = a.write('three');
    expect(String(await b.read())).toBe('one');
    expect(await b.read()).toHaveLength(0);
    expect(String(await b.read())).toBe('two');
    expect(await writing).toBe(6);
    expect(String(await b.read())).toBe('three');
    expect(await after).toBe(5);
  });

  test('of nothing is done at once', async () => {
    const [a] = pipe();
    expect(await a.writev([])).toBe(0);
  });

  test('that fails half-way has the count of all members', async () => {
    const [a, b] = pipe();
    const writing = a.writev([Buffer.from('one'), Buffer.from('two')]);
    await b.read();
    expect(await b.read(Buffer.alloc(1))).toBe(1);
    b.close();
    expect(await caught(writing)).toMatchObject({ ...CLOSED, bytesWritten: 4 });
  });
});

describe('read()', () => {
  test('gives chunks of at most 64 KiB', async () => {
    const [a, b] = pipe();
    const writing = a.write(bytes(64 * KiB + 1));
    expect(await b.read()).toHaveLength(64 * KiB);
    expect(await b.read()).toHaveLength(1);
    await writing;
  });

  test('calls that wait are served in their order', async () => {
    const [a, b] = pipe();
    const p = Buffer.alloc(2);
    const reads = [b.read(p), b.read(), b.read()];
    await a.write('abcd');
    await a.write('ef');
    expect(await Promise.all(reads)).toEqual([2, Buffer.from('cd'), Buffer.from('ef')]);
  });
});

describe('an empty call', () => {
  test('write(): waits for a read, which gets nothing', async () => {
    const [a, b] = pipe();
    const writing = a.write('');
    expect(await isPending(writing)).toBe(true);
    expect(await b.read(Buffer.alloc(4))).toBe(0);
    expect(await writing).toBe(0);
  });

  test('read(p): waits for a write, and takes nothing of it', async () => {
    const [a, b] = pipe();
    const reading = b.read(Buffer.alloc(0));
    expect(await isPending(reading)).toBe(true);
    const writing = a.write('abc');
    expect(await reading).toBe(0);
    expect(await isPending(writing)).toBe(true);
    expect(String(await b.read())).toBe('abc');
  });
});

describe('deadlines', () => {
  test.each(['read', 'write'] as const)('%s(): in the past, of a call that waits and of later ones', async (op) => {
    const [a] = pipe();
    const call = (): Promise<unknown> => (op === 'read' ? a.read() : a.write('x'));
    const waiting = [call(), call()];
    await turns();
    a.setDeadline(1);
    for (const promise of [...waiting, call()]) {
      const error = await caught(promise);
      expect(error).toBeInstanceOf(OpError);
      expect(error).toMatchObject({
        message: `${op} pipe: i/o timeout`,
        op,
        net: 'pipe',
        source: null,
        addr: null,
        cause: ErrDeadlineExceeded,
        timeout: true,
        temporary: true,
      });
      if (op === 'write') expect(error.bytesWritten).toBe(0);
    }
    expect(a.state).toBe('readExpired');
    a.setDeadline(null);
    expect(await isPending(call())).toBe(true);
  });

  test('in the future: never early', async () => {
    const [a] = pipe();
    const at = Date.now() + 30;
    a.setReadDeadline(at);
    expect((await caught(a.read())).timeout).toBe(true);
    expect(Date.now()).toBeGreaterThanOrEqual(at);
  });

  test('moved while a call waits: later, earlier, away', async () => {
    const [a, b] = pipe();
    a.setReadDeadline(Date.now() + 10);
    let reading = a.read();
    const later = Date.now() + 40;
    a.setReadDeadline(later);
    expect((await caught(reading)).timeout).toBe(true);
    expect(Date.now()).toBeGreaterThanOrEqual(later);
    a.setReadDeadline(Date.now() + 60_000);
    reading = a.read();
    a.setReadDeadline(new Date(Date.now() + 10));
    expect((await caught(reading)).timeout).toBe(true);
    a.setReadDeadline(Date.now() + 10);
    reading = a.read();
    a.setReadDeadline(null);
    await new Promise((done) => setTimeout(done, 30));
    const writing = b.write('still there');
    expect(String(await reading)).toBe('still there');
    await writing;
  });

  test('a write that fails half-way has its count, and the rest is gone', async () => {
    const [a, b] = pipe();
    const writing = a.write('hello');
    await b.read(Buffer.alloc(2));
    a.setWriteDeadline(1);
    expect(await caught(writing)).toMatchObject({ bytesWritten: 2, timeout: true });
    a.setWriteDeadline(null);
    const next = a.write('next');
    expect(String(await b.read())).toBe('next');
    await next;
  });

  test('of one direction leave the other alone', async () => {
    const [a, b] = pipe();
    a.setReadDeadline(1);
    const writing = a.write('x');
    expect(String(await b.read())).toBe('x');
    await writing;
    a.setReadDeadline(null);
    a.setWriteDeadline(1);
    expect(a.state).toBe('writeExpired');
    const reading = a.read();
    await b.write('y');
    expect(String(await reading)).toBe('y');
  });

  test('after the close of either end they throw', () => {
    const [a, b] = pipe();
    a.close();
    for (const conn of [a, b]) {
      expect(() => conn.setDeadline(null)).toThrow(expect.objectContaining(CLOSED));
      expect(() => conn.setReadDeadline(1)).toThrow(expect.objectContaining(CLOSED));
      expect(() => conn.setWriteDeadline(1)).toThrow(expect.objectContaining(CLOSED));
      expect(() => conn.setDeadline('soon' as never)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
      );
    }
  });

  test('the end of the stream comes before them', async () => {
    const [a, b] = pipe();
    b.setReadDeadline(1);
    a.close();
    expect(await b.read()).toBeNull();
  });
});

describe('close()', () => {
  test('of the other end: reads end, writes reject', async () => {
    const [a, b] = pipe();
    expect(a.close()).toBe(true);
    for (let i = 0; i < 2; i++) {
      expect(await b.read()).toBeNull();
      expect(await b.read(Buffer.alloc(1))).toBeNull();
      expect(await caught(b.write('x'))).toMatchObject({ ...CLOSED, bytesWritten: 0 });
      expect(await caught(b.writev([Buffer.from('x')]))).toMatchObject(CLOSED);
    }
    expect(b.state).toBe('new');
  });

  test('of this end: everything rejects, with a plain Error', async () => {
    const [a] = pipe();
    expect(a.close()).toBe(true);
    expect(a.close()).toBe(false);
    for (const promise of [a.read(), a.read(Buffer.alloc(0)), a.write(''), a.writev([Buffer.from('x')])]) {
      const error = await caught(promise);
      expect(error).toMatchObject(CLOSED);
      expect(error).not.toBeInstanceOf(OpError);
      expect(error.name).toBe('Error');
    }
    expect(a.tryWrite('x')).toBe(0);
    expect(a.state).toBe('closed');
    expect(() => a.handle({ data() {} })).toThrow(expect.objectContaining(CLOSED));
    await a.shutdown();
  });

  test('ends the calls that wait on both ends', async () => {
    const [a, b] = pipe();
    const here = [a.read(), a.read(Buffer.alloc(1))];
    const there = [b.read(), b.read()];
    await turns();
    a.close();
    for (const reading of here) expect(await caught(reading)).toMatchObject(CLOSED);
    expect(await Promise.all(there)).toEqual([null, null]);
    const [c, d] = pipe();
    const writes = [c.write('x'), c.write('y'), d.write('z')];
    c.close();
    for (const writing of writes) expect(await caught(writing)).toMatchObject({ ...CLOSED, bytesWritten: 0 });
  });

  test('leaves a write its count', async () => {
    const [a, b] = pipe();
    const writing = a.write('hello');
    await b.read(Buffer.alloc(3));
    b.close();
    expect(await caught(writing)).toMatchObject({ ...CLOSED, bytesWritten: 3 });
  });

  test('ends an iteration on either end without an error', async () => {
    const [a, b] = pipe();
    const collect = async (conn: Conn) => {
      let text = '';
      for await (const chunk of conn) text += chunk;
      return text;
    };
    const both = [collect(a), collect(b)];
    await a.write('words');
    a.close();
    expect(await Promise.all(both)).toEqual(['', 'words']);
  });

  test('is what disposing does', () => {
    const [a] = pipe();
    a[Symbol.dispose]();
    expect(a.state).toBe('closed');
  });
});

describe('a signal', () => {
  const reason = new Error('changed my mind');

  test('that is aborted already rejects before anything else', async () => {
    const [a, b] = pipe();
    const signal = AbortSignal.abort(reason);
    const writing = b.write('kept');
    expect(await caught(a.read({ signal }))).toBe(reason);
    expect(await caught(a.read(Buffer.alloc(1), { signal }))).toBe(reason);
    expect(await caught(a.write('x', { signal }))).toBe(reason);
    expect(await caught(a.writev([Buffer.from('x')], { signal }))).toBe(reason);
    expect(String(await a.read())).toBe('kept');
    await writing;
  });

  test('takes a waiting call out of its line, and leaves the others', async () => {
    const [a, b] = pipe();
    const controller = new AbortController();
    const { signal } = controller;
    const reads = [a.read({ signal }), a.read()] as const;
    const writes = [a.write('1'), a.write('2', { signal }), a.write('3')] as const;
    await turns();
    controller.abort(reason);
    expect(await caught(reads[0])).toBe(reason);
    expect(await caught(writes[1])).toBe(reason);
    await b.write('for the second');
    expect(String(await reads[1])).toBe('for the second');
    expect(String(await b.read()) + String(await b.read())).toBe('13');
    await Promise.all([writes[0], writes[2]]);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('stops a write where it is', async () => {
    const [a, b] = pipe();
    const controller = new AbortController();
    const writing = a.write('hello', { signal: controller.signal });
    await b.read(Buffer.alloc(2));
    controller.abort(reason);
    expect(await caught(writing)).toBe(reason);
    expect(await isPending(b.read())).toBe(true);
  });
});

describe('handle()', () => {
  test('gets what is written, before and after, and never inside handle()', async () => {
    const [a, b] = pipe();
    const seen: string[] = [];
    const early = a.write('early');
    let inside = true;
    b.handle({ data: (chunk) => seen.push(inside ? 'inside' : String(chunk)), end: () => seen.push('end') });
    inside = false;
    await early;
    await a.write('late');
    a.close();
    await turns();
    expect(seen).toEqual(['early', 'late', 'end']);
    expect(await caught(b.read())).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY', cause: ErrBusy });
    expect(b.state).toBe('active');
  });

  test('a promise of data() holds back what follows', async () => {
    const [a, b] = pipe();
    let go!: () => void;
    let calls = 0;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    b.handle({
      data() {
        calls++;
        return held;
      },
    });
    await a.write('one');
    const writing = a.write('two');
    expect(await isPending(writing)).toBe(true);
    expect(a.tryWrite('three')).toBe(0);
    go();
    expect(await writing).toBe(3);
    expect(calls).toBe(2);
  });

  test('without end() the connection is shut down', async () => {
    const [a, b] = pipe();
    b.handle({ data() {} });
    a.close();
    await turns();
    expect(b.state).toBe('closed');
  });

  test('a read deadline is told to error(), and a new one goes on', async () => {
    const [a, b] = pipe();
    const errors: Error[] = [];
    let got = '';
    b.handle({
      data(chunk) {
        got += chunk;
      },
      error: (error) => errors.push(error),
    });
    b.setReadDeadline(Date.now() + 10);
    const writing = new Promise<number>((resolve) => setTimeout(() => resolve(a.write('later')), 30));
    expect(await isPending(writing)).toBe(true);
    await new Promise((done) => setTimeout(done, 50));
    expect(errors).toMatchObject([{ message: 'read pipe: i/o timeout', timeout: true }]);
    expect(got).toBe('');
    b.setReadDeadline(null);
    expect(await writing).toBe(5);
    expect(got).toBe('later');
  });

  test('echoes to itself in handler style without waiting, and drains', async () => {
    const [a, b] = pipe();
    b.handle({
      data(chunk) {
        const taken = b.tryWrite(chunk);
        return taken < chunk.length ? b.write(chunk.subarray(taken)) : undefined;
      },
    });
    const sent = bytes(1 * MiB);
    const [back] = await Promise.all([readExactly(a, sent.length), a.write(sent)]);
    expect(back.equals(sent)).toBe(true);
  });

  test('what a handler throws closes its end and is not swallowed', async () => {
    const { code, stderr } = await runScript(`
      import { pipe } from 'spliceway';
      const [a, b] = pipe();
      b.handle({ data() { throw new Error('my mistake'); } });
      process.once('exit', () => console.error(b.state));
      await a.write('x');
    `);
    expect(code).not.toBe(0);
    expect(stderr).toContain('my mistake');
    expect(stderr).toContain('closed');
  });
});

describe('tryWrite()', () => {
  test('takes what reads that wait have room for', async () => {
    const [a, b] = pipe();
    expect(a.tryWrite('nobody reads')).toBe(0);
    const reads = [b.read(Buffer.alloc(2)), b.read(Buffer.alloc(2))];
    expect(a.tryWrite('hello')).toBe(4);
    expect(await Promise.all(reads)).toEqual([2, 2]);
    expect(a.tryWrite('lo')).toBe(0);
  });

  test('takes nothing while a write waits, past the deadline, and when the other end is closed', async () => {
    const [a, b] = pipe();
    const writing = a.write('x');
    expect(a.tryWrite('y')).toBe(0);
    await b.read();
    await writing;
    const reading = b.read();
    a.setWriteDeadline(1);
    expect(a.tryWrite('y')).toBe(0);
    b.close();
    await caught(reading);
    expect(a.tryWrite('y')).toBe(0);
  });

  test('drain() says when somebody reads', async () => {
    const [a, b] = pipe();
    let drains = 0;
    a.handle({
      data() {},
      drain() {
        drains++;
        expect(a.tryWrite('room')).toBe(4);
      },
    });
    expect(a.tryWrite('none')).toBe(0);
    await turns();
    expect(drains).toBe(0);
    expect(String(await b.read())).toBe('room');
    expect(drains).toBe(1);
  });
});

describe('shutdown()', () => {
  test('lets waiting writes finish, tells the other end, and takes what it still writes', async () => {
    const [a, b] = pipe();
    const writing = a.write('last');
    const ending = a.shutdown();
    expect(a.state).toBe('closing');
    expect(await caught(a.write('more'))).toMatchObject(CLOSED);
    expect(await isPending(ending)).toBe(true);
    expect(String(await b.read())).toBe('last');
    await writing;
    expect(await b.read()).toBeNull();
    expect(await b.write('into the void')).toBe(13);
    expect(b.tryWrite('this too')).toBe(8);
    b.close();
    await ending;
    expect(a.state).toBe('closed');
  });

  test('gives waiting reads what still comes', async () => {
    const [a, b] = pipe();
    const reading = a.read();
    const ending = a.shutdown();
    await b.write('answer');
    expect(String(await reading)).toBe('answer');
    await b.shutdown();
    await ending;
  });

  test('of both ends at once is over at once', async () => {
    const [a, b] = pipe();
    await Promise.all([a.shutdown(), b.shutdown(), a[Symbol.asyncDispose]()]);
    expect([a.state, b.state]).toEqual(['closed', 'closed']);
  });

  test('ends after its timeout', async () => {
    const [a, b] = pipe();
    const stuck = a.write('nobody reads');
    await a.shutdown({ timeout: 20 });
    expect(await caught(stuck)).toMatchObject(CLOSED);
    expect(await b.read()).toBeNull();
  });
});

describe('copy() and relay()', () => {
  test('copy() between pipes, to the end', async () => {
    const [a, b] = pipe();
    const [c, d] = pipe();
    const sent = bytes(300 * KiB);
    const copying = copy(c, b);
    const reading = readExactly(d, sent.length);
    await a.write(sent);
    a.close();
    expect(await copying).toBe(sent.length);
    expect((await reading).equals(sent)).toBe(true);
    expect(c.state).toBe('active');
  });

  test('copy() fails with the words of the pipe', async () => {
    const [, b] = pipe();
    const [c] = pipe();
    b.close();
    expect(await caught(copy(c, b))).toMatchObject({ ...CLOSED, bytesCopied: 0 });
    const [d] = pipe();
    d.setReadDeadline(1);
    expect(await caught(copy(c, d))).toMatchObject({ message: 'read pipe: i/o timeout', bytesCopied: 0 });
  });

  test('copy() from a pipe to a socket, and back', async () => {
    using pair = await tcpPair();
    const [a, b] = pipe();
    const copying = copy(pair.client, b);
    const sent = bytes(200 * KiB);
    const [got] = await Promise.all([readExactly(pair.server, sent.length), a.write(sent)]);
    expect(got.equals(sent)).toBe(true);
    b.close();
    const { localAddr, remoteAddr } = pair.client;
    expect(await caught(copying)).toMatchObject({
      message: `readfrom tcp ${localAddr}->${remoteAddr}: io: read/write on closed pipe`,
      bytesCopied: sent.length,
    });
  });

  test('relay() joins a pipe and a socket', async () => {
    using pair = await tcpPair();
    const [a, b] = pipe();
    const relaying = relay(b, pair.server);
    const [up, down] = [bytes(500 * KiB, 1), bytes(500 * KiB, 2)];
    const [atSocket, atPipe] = await Promise.all([
      readExactly(pair.client, up.length),
      readExactly(a, down.length),
      a.write(up),
      pair.client.write(down),
    ]);
    expect(sha256(atSocket)).toBe(sha256(up));
    expect(sha256(atPipe)).toBe(sha256(down));
    a.close();
    expect(await pair.client.read()).toBeNull();
    pair.client.close();
    expect(await relaying).toMatchObject({ reason: 'end', endedBy: 'a', aToB: up.length, bToA: down.length });
  });

  test('relay() between pipes ends as "closed" when one is closed here', async () => {
    const [a, b] = pipe();
    const [c, d] = pipe();
    const relaying = relay(b, c);
    const reading = d.read();
    await a.write('through');
    expect(String(await reading)).toBe('through');
    b.close();
    expect(await relaying).toMatchObject({
      reason: 'closed',
      endedBy: 'a',
      aToB: 7,
      error: { code: CLOSED.code, cause: ErrClosedPipe },
    });
    expect(await d.read()).toBeNull();
  });
});

describe('an end', () => {
  test('prints as Go prints it', () => {
    const [a] = pipe();
    expect(`${a.localAddr} ${a.remoteAddr} ${a.localAddr.network}`).toBe('pipe pipe pipe');
    expect(a.localAddr).toBeInstanceOf(PipeAddr);
    expect(Object.isFrozen(a.localAddr)).toBe(true);
    expect(inspect(a)).toBe('PipeConn { new }');
  });

  test('keeps the event loop turning, however busy', async () => {
    const [a, b] = pipe();
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 1);
    const writing = (async () => {
      for (let i = 0; i < 20_000; i++) await a.write('x');
      a.close();
    })();
    expect(await readAll(b)).toHaveLength(20_000);
    await writing;
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(0);
  });

  test('refuses wrong arguments with the codes of Node', async () => {
    const [a] = pipe();
    const wrong = { code: 'ERR_INVALID_ARG_TYPE' };
    expect(await caught(a.read(1 as never))).toMatchObject(wrong);
    expect(await caught(a.read(new Uint16Array(1) as never))).toMatchObject(wrong);
    expect(await caught(a.read({ signal: 1 as never }))).toMatchObject(wrong);
    expect(await caught(a.write(1 as never))).toMatchObject(wrong);
    expect(await caught(a.writev('x' as never))).toMatchObject(wrong);
    expect(await caught(a.shutdown({ timeout: 'x' as never }))).toMatchObject(wrong);
    expect(await caught(a.shutdown({ timeout: -1 }))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    expect(() => a.tryWrite(1 as never)).toThrow(expect.objectContaining(wrong));
    expect(() => a.handle({} as never)).toThrow(expect.objectContaining(wrong));
    expect(a.state).toBe('new');
  });

  test('a buffer that is transferred away while it waits rejects its call alone', async () => {
    const [a, b] = pipe();
    const p = new Uint8Array(4);
    const q = new Uint8Array(4);
    const reading = b.read(p);
    const next = b.read();
    structuredClone(p.buffer, { transfer: [p.buffer] });
    const writing = a.write('x');
    expect(await caught(reading)).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    expect(String(await next)).toBe('x');
    await writing;
    const lost = a.write(q);
    const kept = a.write('y');
    structuredClone(q.buffer, { transfer: [q.buffer] });
    expect(String(await b.read())).toBe('y');
    expect(await caught(lost)).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE', bytesWritten: 0 });
    await kept;
  });
});

describe('the process', () => {
  test('does not live for a deadline that nobody waits for, nor die of a rejection', async () => {
    const { code, stdout, stderr } = await runScript(`
      import { pipe } from 'spliceway';
      const [a, b] = pipe();
      a.setDeadline(Date.now() + 60_000);
      b.read(); b.write('x'); a.close();
      const [c, d] = pipe();
      c.setDeadline(Date.now() + 20);
      c.read(); c.write('x');
      process.once('exit', () => console.log('done'));
    `);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'done\n', stderr: '' });
  });
});
