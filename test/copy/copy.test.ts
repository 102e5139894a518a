import { type FileHandle, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { type Conn, copy, OpError, relay } from 'spliceway';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bytes, KiB, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { type Chain, chain, MIXES, reset, send, shrinkBuffers } from '../support/chain.ts';
import { runScript } from '../support/child.ts';
import { openFiles, openPipeEnds, openSockets } from '../support/fds.ts';
import { ForeignConn, foreignPair, HalfClosingConn } from '../support/foreign.ts';
import { streams, tcpPair } from '../support/pair.ts';
import { eventually, isPending, turns, until } from '../support/time.ts';

const SIZES = [0, 1, 16 * KiB - 1, 16 * KiB, 16 * KiB + 1, 256 * KiB, 256 * KiB + 1, 8 * MiB];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spliceway-copy-'));
});
afterAll(() => rm(folder, { recursive: true }));

const ends = (conn: Conn) => `${conn.localAddr}->${conn.remoteAddr}`;

/** Go's words for what happened while bytes went from src to dst. */
function goText([first, second]: readonly string[], { a: src, b: dst }: Chain, plain: string, cause: string): string {
  const readFrom = `readfrom tcp ${ends(dst)}: `;
  const writeTo = `writeto tcp ${ends(src)}: `;
  if (first === 'tcp') return `${writeTo}${second === 'tcp' ? readFrom : ''}${cause}`;
  if (second === 'tcp') return `${readFrom}${cause}`;
  return `${plain} unix ${ends(plain === 'read' ? src : dst)}: ${cause}`;
}

/** Writes of p what there is room for, up to the last buffer on the way; how much that was. */
async function fill(conn: Conn, p: Uint8Array): Promise<number> {
  let sent = 0;
  for (let vain = 0; vain < 5; vain++) {
    const n = conn.tryWrite(p.subarray(sent));
    sent += n;
    if (n > 0) vain = 0;
    await setTimeout(10);
  }
  return sent;
}

describe.each(MIXES)('%s to %s', (...mix) => {
  let c: Chain;
  beforeEach(async () => {
    c = await chain(...mix);
  });
  afterEach(() => c[Symbol.dispose]());

  test.each(SIZES)('%i bytes arrive unchanged, are counted, and no FIN is passed on', async (size) => {
    const all = bytes(size);
    const copying = copy(c.b, c.a);
    const [got] = await Promise.all([readExactly(c.right, size), send(c.left, all)]);
    expect(sha256(got)).toBe(sha256(all));
    expect(await copying).toBe(size);
    // Both ends stay as they were, each in its other direction too.
    await c.b.write('more');
    expect(String(await c.right.read())).toBe('more');
    await c.a.write('back');
    expect(String(await c.left.read())).toBe('back');
    expect([c.a.state, c.b.state]).toEqual(['active', 'active']);
  });

  test('it leaves the state New when it has used them', async () => {
    const copying = copy(c.b, c.a);
    expect([c.a.state, c.b.state]).toEqual(['active', 'active']);
    c.left.closeWrite();
    expect(await copying).toBe(0);
    expect([c.a.state, c.b.state]).toEqual(['active', 'active']);
  });

  test('a limit leaves the rest in the source', async () => {
    const all = bytes(600 * KiB);
    const sending = send(c.left, all);
    const [, n] = await Promise.all([readExactly(c.right, 300_001), copy(c.b, c.a, { limit: 300_001 })]);
    expect(n).toBe(300_001);
    expect(await copy(c.b, c.a, { limit: 0 })).toBe(0);
    expect(sha256(await readAll(c.a))).toBe(sha256(all.subarray(300_001)));
    await sending;
    expect(await copy(c.b, c.a, { limit: 10 })).toBe(0);
  });

  test('earlier writes to dst go first, and later ones after it', async () => {
    const [before, middle, after] = [bytes(2 * MiB, 1), bytes(1 * MiB, 2), bytes(100, 3)];
    const first = c.b.write(before);
    const copying = copy(c.b, c.a);
    const last = c.b.write(after).then(() => c.b.closeWrite());
    const [got] = await Promise.all([readAll(c.right), send(c.left, middle)]);
    expect(sha256(got)).toBe(sha256(Buffer.concat([before, middle, after])));
    expect(await Promise.all([first, copying])).toEqual([before.length, middle.length]);
    await last;
  });

  test('earlier reads of src are served first, and later ones after it', async () => {
    const first = c.a.read(Buffer.alloc(3));
    const copying = copy(c.b, c.a, { limit: 6 });
    const last = c.a.read();
    await c.left.write('onemiddlelast');
    expect(await first).toBe(3);
    expect(await copying).toBe(6);
    expect(String(await last)).toBe('last');
    expect(String(await c.right.read())).toBe('middle');
  });

  test('two from one source follow each other', async () => {
    const copies = [copy(c.b, c.a, { limit: 100_000 }), copy(c.b, c.a, { limit: 50_000 }), copy(c.b, c.a)];
    const all = bytes(400_000);
    const [got] = await Promise.all([readExactly(c.right, all.length), send(c.left, all)]);
    expect(await Promise.all(copies)).toEqual([100_000, 50_000, 250_000]);
    expect(sha256(got)).toBe(sha256(all));
  });

  test('a slow reader loses nothing and holds the writer back', async () => {
    shrinkBuffers(c);
    const all = bytes(16 * MiB);
    const copying = copy(c.b, c.a);
    c.left.setWriteDeadline(Date.now() + 150);
    const { bytesWritten = 0 } = await caught(c.left.write(all));
    expect(bytesWritten).toBeLessThan(8 * MiB);
    c.left.setWriteDeadline(null);
    const sending = send(c.left, all.subarray(bytesWritten));
    const got: Buffer[] = [];
    for (let n = 0; n < all.length; n += got.at(-1)?.length ?? 0) {
      got.push((await c.right.read()) as Buffer);
      if (got.length % 16 === 0) await setImmediate();
    }
    await sending;
    expect(sha256(Buffer.concat(got))).toBe(sha256(all));
    expect(await copying).toBe(all.length);
  });

  test('a read deadline of src ends it half-way, and nothing is lost', async () => {
    const copying = copy(c.b, c.a);
    await c.left.write('before');
    expect(String(await c.right.read())).toBe('before');
    c.a.setReadDeadline(Date.now() + 20);
    const error = await caught(copying);
    expect(error).toMatchObject({ name: 'OpError', timeout: true, bytesCopied: 6 });
    expect(error.code).toBe('ERR_SPLICEWAY_DEADLINE_EXCEEDED');
    expect(error.message).toBe(goText(mix, c, 'read', 'i/o timeout'));
    expect(await caught(copy(c.b, c.a))).toMatchObject({ timeout: true, bytesCopied: 0 });
    await send(c.left, 'after');
    c.a.setReadDeadline(null);
    expect(await copy(c.b, c.a)).toBe(5);
    expect(String(await c.right.read())).toBe('after');
  });

  test('a write deadline of dst ends it when there is no room', async () => {
    const all = bytes(32 * MiB);
    const writing = c.left.write(all).catch((error: OpError) => error);
    const copying = copy(c.b, c.a);
    c.b.setWriteDeadline(Date.now() + 100);
    const error = await caught(copying);
    expect(error).toMatchObject({ timeout: true, message: goText(mix, c, 'write', 'i/o timeout') });
    const { bytesCopied = 0 } = error;
    expect(bytesCopied).toBeGreaterThan(0);
    c.b.closeWrite();
    const got = await readAll(c.right);
    expect(got.length).toBe(bytesCopied);
    expect(got.equals(all.subarray(0, bytesCopied))).toBe(true);
    c.a.close();
    await writing;
  });

  test('a write deadline that passes while src is quiet fails the next bytes, which stay in src', async () => {
    const copying = copy(c.b, c.a);
    const deadline = Date.now() + 300;
    c.b.setWriteDeadline(deadline);
    await until(deadline + 1);
    expect(await isPending(copying)).toBe(true);
    await c.left.write('too late');
    expect(await caught(copying)).toMatchObject({ timeout: true, bytesCopied: 0 });
    expect(String(await c.a.read())).toBe('too late');
  });

  test('a read deadline that passes while dst is full loses nothing of what was taken', async () => {
    shrinkBuffers(c);
    const all = bytes(8 * MiB);
    const copying = copy(c.b, c.a);
    const sent = await fill(c.left, all);
    const sending = send(c.left, all.subarray(sent));
    const deadline = Date.now() + 300;
    c.a.setReadDeadline(deadline);
    await until(deadline + 1);
    expect(await isPending(copying)).toBe(true);
    const reading = readAll(c.right);
    const { timeout, bytesCopied = 0 } = await caught(copying);
    expect(timeout).toBe(true);
    c.b.closeWrite();
    expect((await reading).equals(all.subarray(0, bytesCopied))).toBe(true);
    c.a.setReadDeadline(null);
    expect(sha256(await readAll(c.a))).toBe(sha256(all.subarray(bytesCopied)));
    await sending;
  });

  test('deadlines in the past fail it at once, whatever is there', async () => {
    await c.left.write('there');
    c.a.setReadDeadline(1);
    expect(await caught(copy(c.b, c.a))).toMatchObject({ timeout: true, bytesCopied: 0 });
    c.a.setReadDeadline(null);
    c.b.setWriteDeadline(1);
    expect(await caught(copy(c.b, c.a))).toMatchObject({ timeout: true, bytesCopied: 0 });
    expect(String(await c.a.read())).toBe('there');
  });

  test.each(['a', 'b'] as const)('close() of %s while it runs ends it', async (end) => {
    const copying = copy(c.b, c.a);
    await c.left.write('through');
    expect(String(await c.right.read())).toBe('through');
    expect(c[end].close()).toBe(true);
    const error = await caught(copying);
    expect(error).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED', bytesCopied: 7 });
    expect(error.message).toBe(goText(mix, c, end === 'a' ? 'read' : 'write', 'use of closed network connection'));
    // The other one is free again.
    if (end === 'a') await c.b.write('free');
    else await c.left.write('free');
    expect(String(await (end === 'a' ? c.right : c.a).read())).toBe('free');
  });

  test('a closed connection at either end rejects', async () => {
    c.a.close();
    expect(await caught(copy(c.b, c.a))).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED', bytesCopied: 0 });
    expect(await caught(copy(c.a, c.b))).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED', bytesCopied: 0 });
  });

  test('an abort ends it with its reason, and both go on', async () => {
    const controller = new AbortController();
    const copying = copy(c.b, c.a, { signal: controller.signal });
    await c.left.write('through');
    expect(String(await c.right.read())).toBe('through');
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await caught(copying)).toBe(reason);
    await send(c.left, 'rest');
    expect(await copy(c.b, c.a)).toBe(4);
    expect(String(await c.right.read())).toBe('rest');
  });

  test('an abort of one that waits for its turn takes it out of the lines', async () => {
    const controller = new AbortController();
    const first = copy(c.b, c.a, { limit: 3 });
    const second = copy(c.b, c.a, { signal: controller.signal });
    const third = copy(c.b, c.a);
    controller.abort();
    expect(await caught(second)).toBe(controller.signal.reason);
    await send(c.left, 'onethree');
    expect(await Promise.all([first, third])).toEqual([3, 5]);
  });

  test('a dst whose peer has gone fails it', async () => {
    reset(c.right);
    const copying = copy(c.b, c.a);
    const pushing = (async () => {
      while (await isPending(copying)) await c.left.write('more');
    })();
    const error = await caught(copying);
    await pushing;
    expect(['ECONNRESET', 'EPIPE']).toContain(error.code);
    const cause = error.code === 'EPIPE' ? 'broken pipe' : 'connection reset by peer';
    const syscall = mix[0] === 'unix' && mix[1] === 'unix' ? 'write' : 'splice';
    expect(error.message).toBe(goText(mix, c, 'write', `${syscall}: ${cause}`));
    expect(error.bytesCopied).toBe(0);
  });

  test.runIf(mix[0] === 'tcp')('a src whose peer resets fails it, after what came before', async () => {
    expect(c.left.tryWrite('last words')).toBe(10);
    reset(c.left);
    const error = await caught(copy(c.b, c.a));
    expect(error).toMatchObject({ code: 'ECONNRESET', syscall: 'splice', bytesCopied: 10 });
    expect(error.message).toBe(goText(mix, c, 'read', 'splice: connection reset by peer'));
    expect(String(await c.right.read())).toBe('last words');
  });

  test('shutdown() of dst waits for it', async () => {
    const copying = copy(c.b, c.a);
    const ending = c.b.shutdown();
    expect(await caught(copy(c.b, c.a))).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    const [got] = await Promise.all([readAll(c.right), send(c.left, bytes(1 * MiB))]);
    expect(got.length).toBe(1 * MiB);
    expect(await copying).toBe(1 * MiB);
    c.right.close();
    await ending;
    expect(c.b.state).toBe('closed');
  });
});

describe.each(streams)('echo on %s', (_network, makePair) => {
  test('copy(c, c) sends back what comes, at once', async () => {
    using pair = await makePair();
    const echoing = copy(pair.server, pair.server);
    for (const word of ['one', 'two', 'three']) {
      await pair.client.write(word);
      expect(String(await readExactly(pair.client, word.length))).toBe(word);
    }
    const all = bytes(8 * MiB);
    const [got] = await Promise.all([readExactly(pair.client, all.length), send(pair.client, all)]);
    expect(sha256(got)).toBe(sha256(all));
    expect(await echoing).toBe(11 + all.length);
  });

  test('close() ends it', async () => {
    using pair = await makePair();
    const echoing = copy(pair.server, pair.server);
    await pair.client.write('x');
    expect(String(await pair.client.read())).toBe('x');
    pair.server.close();
    expect(await caught(echoing)).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED', bytesCopied: 1 });
  });

  test('an abort ends it, and the connection goes on', async () => {
    using pair = await makePair();
    const controller = new AbortController();
    const echoing = copy(pair.server, pair.server, { signal: controller.signal });
    controller.abort();
    expect(await caught(echoing)).toBe(controller.signal.reason);
    await pair.client.write('x');
    expect(String(await pair.server.read())).toBe('x');
  });
});

describe('files', () => {
  let opened: FileHandle[] = [];
  afterEach(async () => {
    await Promise.all(opened.map((file) => file.close()));
    opened = [];
  });
  let names = 0;
  const newPath = () => join(folder, `file-${names++}`);
  async function opening(path: string, flags: string): Promise<FileHandle> {
    const file = await open(path, flags);
    opened.push(file);
    return file;
  }
  async function holding(content: Uint8Array | string, flags = 'r'): Promise<FileHandle> {
    const path = newPath();
    await writeFile(path, content);
    return opening(path, flags);
  }

  describe.each(streams)('and %s', (network, makePair) => {
    test.each(SIZES)('%i bytes of a file arrive unchanged', async (size) => {
      using pair = await makePair();
      const all = bytes(size);
      const copying = copy(pair.server, await holding(all));
      expect(sha256(await readExactly(pair.client, size))).toBe(sha256(all));
      expect(await copying).toBe(size);
    });

    test.each(SIZES)('%i bytes to a file arrive unchanged', async (size) => {
      using pair = await makePair();
      const all = bytes(size);
      const path = newPath();
      const copying = copy(await opening(path, 'w'), pair.server);
      await send(pair.client, all);
      expect(await copying).toBe(size);
      expect(sha256(await readFile(path))).toBe(sha256(all));
    });

    test('it begins where the file stands, and moves it on', async () => {
      using pair = await makePair();
      const file = await holding('0123456789');
      await file.read(Buffer.alloc(2), 0, 2, null);
      expect(await copy(pair.server, file, { limit: 3 })).toBe(3);
      expect(String(await readExactly(pair.client, 3))).toBe('234');
      const rest = Buffer.alloc(10);
      expect((await file.read(rest, 0, 10, null)).bytesRead).toBe(5);
      expect(await copy(pair.server, file)).toBe(0);
    });

    test('earlier writes go first', async () => {
      using pair = await makePair();
      const before = bytes(4 * MiB, 8);
      const first = pair.server.write(before);
      const copying = copy(pair.server, await holding(bytes(300 * KiB, 9)));
      const last = pair.server.write('end').then(() => pair.server.closeWrite());
      const got = await readAll(pair.client);
      expect(sha256(got)).toBe(sha256(Buffer.concat([before, bytes(300 * KiB, 9), Buffer.from('end')])));
      expect(await Promise.all([first, copying])).toEqual([before.length, 300 * KiB]);
      await last;
    });

    test('to one that is opened for appending, which splice refuses', async () => {
      using pair = await makePair();
      const path = newPath();
      await writeFile(path, 'head ');
      const all = bytes(1 * MiB);
      const copying = copy(await opening(path, 'a'), pair.server);
      await send(pair.client, all);
      expect(await copying).toBe(all.length);
      expect(sha256(await readFile(path))).toBe(sha256(Buffer.concat([Buffer.from('head '), all])));
    });

    test('closing the FileHandle meanwhile does no harm', async () => {
      using pair = await makePair();
      const path = newPath();
      const all = bytes(16 * MiB);
      await writeFile(path, all);
      const file = await open(path);
      const copying = copy(pair.server, file);
      await file.close();
      expect(sha256(await readExactly(pair.client, all.length))).toBe(sha256(all));
      expect(await copying).toBe(all.length);
    });

    test('a write deadline ends it half-way with the count', async () => {
      using pair = await makePair();
      const all = bytes(32 * MiB);
      const copying = copy(pair.server, await holding(all));
      pair.server.setWriteDeadline(Date.now() + 50);
      const error = await caught(copying);
      expect(error).toMatchObject({ timeout: true });
      const op = network === 'tcp' ? 'readfrom' : 'write';
      expect(error.message).toBe(`${op} ${network} ${ends(pair.server)}: i/o timeout`);
      pair.server.closeWrite();
      expect(sha256(await readAll(pair.client))).toBe(sha256(all.subarray(0, error.bytesCopied)));
    });

    test('a read deadline ends one to a file, also one that has passed before', async () => {
      using pair = await makePair();
      const path = newPath();
      const file = await opening(path, 'w');
      const copying = copy(file, pair.server);
      await pair.client.write('before');
      await eventually(() => pair.server.state === 'active');
      pair.server.setReadDeadline(Date.now() + 50);
      const error = await caught(copying);
      expect(error).toMatchObject({ timeout: true, bytesCopied: 6 });
      expect(error.op).toBe(network === 'tcp' ? 'writeto' : 'read');
      expect(await caught(copy(file, pair.server))).toMatchObject({ timeout: true, bytesCopied: 0 });
      expect(await readFile(path, 'utf8')).toBe('before');
    });

    test('a peer that goes away ends it', async () => {
      using pair = await makePair();
      const copying = copy(pair.server, await holding(bytes(32 * MiB)));
      await readExactly(pair.client, 1000);
      reset(pair.client);
      const error = await caught(copying);
      expect(['ECONNRESET', 'EPIPE']).toContain(error.code);
      expect(error.syscall).toBe('sendfile');
      expect(error.bytesCopied).toBeGreaterThanOrEqual(1000);
    });

    test('close() and an abort end it', async () => {
      using pair = await makePair();
      const controller = new AbortController();
      const file = await holding(bytes(32 * MiB));
      const copying = copy(pair.server, file, { signal: controller.signal });
      controller.abort();
      expect(await caught(copying)).toBe(controller.signal.reason);
      const again = copy(pair.server, file);
      pair.server.close();
      expect(await caught(again)).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    });

    test('a file of the wrong mode fails', async () => {
      using pair = await makePair();
      expect(await caught(copy(pair.server, await opening(newPath(), 'w')))).toMatchObject({ code: 'EBADF' });
      await send(pair.client, 'x');
      const readOnly = await holding('');
      expect(await caught(copy(readOnly, pair.server))).toMatchObject({ code: 'EBADF', bytesCopied: 0 });
    });
  });

  test('a file to a file, from where the one stands to where the other does', async () => {
    const all = bytes(1 * MiB);
    const [from, path] = [await holding(all), newPath()];
    const to = await opening(path, 'w');
    await to.write('head ');
    expect(await copy(to, from, { limit: 10 })).toBe(10);
    expect(await copy(to, from)).toBe(all.length - 10);
    expect(sha256(await readFile(path))).toBe(sha256(Buffer.concat([Buffer.from('head '), all])));
    const wrong = await caught(copy(from, await holding('x')));
    expect(wrong).toMatchObject({ name: 'OpError', op: 'write', code: 'EBADF', bytesCopied: 0 });
    expect(wrong.message).toBe('write file: write: bad file descriptor');
    expect(await caught(copy(to, from, { signal: AbortSignal.abort() }))).toMatchObject({ name: 'AbortError' });
  });

  test('a FileHandle that is closed, or no regular file, is refused', async () => {
    using pair = await tcpPair();
    const closed = await open(newPath(), 'w');
    await closed.close();
    expect(await caught(copy(pair.server, closed))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    const directory = await opening(folder, 'r');
    expect(await caught(copy(pair.server, directory))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    expect(await caught(copy(directory, pair.server))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  });
});

describe('a Conn that is no socket', () => {
  test('as source', async () => {
    using pair = await tcpPair();
    const far = foreignPair(HalfClosingConn);
    const all = bytes(1 * MiB);
    const copying = copy(pair.server, far.server);
    await far.client.write(all);
    expect(sha256(await readExactly(pair.client, all.length))).toBe(sha256(all));
    far.client.closeWrite();
    expect(await copying).toBe(all.length);
    expect([pair.server.state, far.server.state]).toEqual(['active', 'active']);
  });

  test('as sink, with a limit', async () => {
    using pair = await tcpPair();
    const far = foreignPair();
    const all = bytes(1 * MiB);
    const sending = send(pair.client, all);
    expect(await copy(far.server, pair.server, { limit: 100_000 })).toBe(100_000);
    expect((await readExactly(far.client, 100_000)).equals(all.subarray(0, 100_000))).toBe(true);
    expect(await copy(far.server, pair.server)).toBe(all.length - 100_000);
    expect((await readExactly(far.client, all.length - 100_000)).equals(all.subarray(100_000))).toBe(true);
    await sending;
  });

  test('two of them, and an echo', async () => {
    const [one, two] = [foreignPair(HalfClosingConn), foreignPair(HalfClosingConn)];
    const copying = copy(two.server, one.server);
    const echoing = copy(two.client, two.client);
    await one.client.write('hello');
    one.client.closeWrite();
    expect(await copying).toBe(5);
    two.server.closeWrite();
    expect(await echoing).toBe(5);
    expect(String(await two.server.read())).toBe('hello');
  });

  test('its errors become OpErrors, nested as of a socket, with the count', async () => {
    using pair = await tcpPair();
    class Broken extends ForeignConn {
      private left = 70_000;
      override async write(p: Uint8Array): Promise<number> {
        const n = Math.min(p.length, this.left);
        this.left -= n;
        if (n === p.length) return n;
        throw Object.assign(new Error('broken'), { bytesWritten: n });
      }
      override async read(): Promise<never> {
        throw 'torn';
      }
    }
    const far = foreignPair(Broken);
    const sending = send(pair.client, bytes(200_000));
    const error = await caught(copy(far.server, pair.server));
    expect(error).toBeInstanceOf(OpError);
    expect(error).toMatchObject({ op: 'writeto', bytesCopied: 70_000 });
    expect(error.message).toBe(`writeto tcp ${ends(pair.server)}: write unix foreign->foreign: broken`);
    expect((await caught(copy(pair.server, far.server))).message).toBe(
      `readfrom tcp ${ends(pair.server)}: read unix foreign->foreign: torn`,
    );
    const other = foreignPair();
    const plain = await caught(copy(other.server, far.server));
    expect(plain).toMatchObject({ op: 'read', message: 'read unix foreign->foreign: torn', bytesCopied: 0 });
    await sending;
  });

  test('what happens to the socket beside it is told as Go does', async () => {
    using pair = await tcpPair();
    const far = foreignPair();
    pair.server.setReadDeadline(1);
    const error = await caught(copy(far.server, pair.server));
    expect(error.message).toBe(`writeto tcp ${ends(pair.server)}: read tcp ${ends(pair.server)}: i/o timeout`);
    expect(error).toMatchObject({ timeout: true, bytesCopied: 0 });
    pair.server.setWriteDeadline(1);
    await far.client.write('x');
    const other = await caught(copy(pair.server, far.server));
    expect(other.message).toBe(`readfrom tcp ${ends(pair.server)}: write tcp ${ends(pair.server)}: i/o timeout`);
  });

  test('an abort ends it', async () => {
    using pair = await tcpPair();
    const far = foreignPair();
    const controller = new AbortController();
    const copies = [far.server, pair.server].map((src) => {
      const dst = src === far.server ? pair.server : far.server;
      return caught(copy(dst as Conn, src, { signal: controller.signal }));
    });
    await turns();
    controller.abort();
    expect(await Promise.all(copies)).toEqual([controller.signal.reason, controller.signal.reason]);
    await pair.client.write('free');
    expect(String(await pair.server.read())).toBe('free');
  });

  test('to a file', async () => {
    const path = join(folder, 'foreign');
    await using file = await open(path, 'w');
    const far = foreignPair(HalfClosingConn);
    await far.client.write(bytes(200_000));
    far.client.closeWrite();
    expect(await copy(file, far.server)).toBe(200_000);
    expect(sha256(await readFile(path))).toBe(sha256(bytes(200_000)));
  });
});

describe('in use', () => {
  test('a connection that is relayed or handled is busy', async () => {
    using c = await chain();
    using spare = await chain();
    const relaying = relay(c.a, c.b);
    const busy = await caught(copy(spare.b, c.a));
    expect(busy).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY', bytesCopied: 0 });
    expect(await caught(copy(c.a, spare.a))).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY' });
    c.a.close();
    await relaying;
    spare.a.handle({ data() {} });
    expect(await caught(copy(spare.b, spare.a))).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY' });
    // Its other direction is free.
    await spare.right.write('to a');
    spare.right.closeWrite();
    expect(await copy(spare.a, spare.b)).toBe(4);
    expect(String(await spare.left.read())).toBe('to a');
  });

  test('a source of a copy takes no relay and no handler', async () => {
    using c = await chain();
    using spare = await chain();
    const copying = copy(c.b, c.a);
    expect(await caught(relay(c.a, spare.b))).toMatchObject({ code: 'ERR_SPLICEWAY_BUSY' });
    expect(() => c.a.handle({ data() {} })).toThrow(expect.objectContaining({ code: 'ERR_SPLICEWAY_BUSY' }));
    await send(c.left, 'x');
    expect(await copying).toBe(1);
  });

  test('two directions at once', async () => {
    using c = await chain();
    const there = copy(c.b, c.a);
    const back = copy(c.a, c.b);
    const [up, down] = [bytes(2 * MiB, 1), bytes(3 * MiB, 2)];
    const [atRight, atLeft] = await Promise.all([
      readExactly(c.right, up.length),
      readExactly(c.left, down.length),
      send(c.left, up),
      send(c.right, down),
    ]);
    expect(sha256(atRight)).toBe(sha256(up));
    expect(sha256(atLeft)).toBe(sha256(down));
    expect(await Promise.all([there, back])).toEqual([up.length, down.length]);
  });
});

describe('arguments', () => {
  test('wrong ones reject with the codes of Node', async () => {
    using c = await chain();
    const type = { code: 'ERR_INVALID_ARG_TYPE' };
    for (const wrong of [undefined, null, 1, 'x', {}, { read() {} }]) {
      expect(await caught(copy(wrong as never, c.a))).toMatchObject(type);
      expect(await caught(copy(c.a, wrong as never))).toMatchObject(type);
    }
    expect(await caught(copy(c.b, c.a, 1 as never))).toMatchObject(type);
    expect(await caught(copy(c.b, c.a, { signal: 1 as never }))).toMatchObject(type);
    expect(await caught(copy(c.b, c.a, { limit: '1' as never }))).toMatchObject(type);
    for (const limit of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(await caught(copy(c.b, c.a, { limit }))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    }
    expect([c.a.state, c.b.state]).toEqual(['new', 'new']);
  });

  test('a signal that is aborted already rejects before it touches anything', async () => {
    using c = await chain();
    await c.left.write('still here');
    const reason = new Error('never');
    expect(await caught(copy(c.b, c.a, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(String(await c.a.read())).toBe('still here');
  });
});

describe('descriptors', () => {
  // Every way in which a copy ends.
  const endings: ((c: Chain, copying: Promise<unknown>, controller: AbortController) => unknown)[] = [
    (c) => c.left.closeWrite(),
    (c) => reset(c.left),
    (c) => reset(c.right),
    (c) => c.a.close(),
    (c) => c.b.close(),
    (c) => c.a.setReadDeadline(1),
    (c) => c.b.setWriteDeadline(1),
    (_c, _copying, controller) => controller.abort(),
  ];

  async function round(): Promise<void> {
    await Promise.all(
      endings.map(async (end) => {
        using c = await chain();
        const controller = new AbortController();
        const copying = copy(c.b, c.a, { signal: controller.signal }).catch(() => {});
        const writing = c.left.write(bytes(1 * MiB)).catch(() => {});
        await readExactly(c.right, 300 * KiB);
        end(c, copying, controller);
        c.left.close();
        const rest = readAll(c.right).catch(() => {});
        await copying;
        c.b.close();
        await Promise.all([writing, rest]);
      }),
    );
  }

  test('none is left, whatever ended the copy, but for a few pipes kept for the next', async () => {
    await round();
    const [sockets, pipes] = [openSockets(), openPipeEnds()];
    for (let i = 0; i < 10; i++) await round();
    expect(openSockets()).toBe(sockets);
    expect(openPipeEnds()).toBeLessThanOrEqual(Math.max(pipes, 32));
  });

  test('of a file is given back', async () => {
    const path = join(folder, 'again');
    await writeFile(path, bytes(100_000));
    const before = openFiles(path);
    for (let i = 0; i < 20; i++) {
      using pair = await tcpPair();
      await using file = await open(path);
      await Promise.all([copy(pair.server, file), readExactly(pair.client, 100_000)]);
      const aborted = AbortSignal.abort();
      await caught(copy(pair.server, file, { signal: aborted }));
      pair.server.close();
      await caught(copy(pair.server, file));
    }
    expect(openFiles(path)).toBe(before);
  });

  test('a quiet copy holds no pipe', async () => {
    const pipes = openPipeEnds();
    const chains = await Promise.all(Array.from({ length: 40 }, () => chain()));
    const copies = chains.map((c) => caught(copy(c.b, c.a)));
    await Promise.all(
      chains.flatMap((c) => [c.left.write(bytes(300 * KiB)), readExactly(c.right, 300 * KiB)] as Promise<unknown>[]),
    );
    await turns();
    expect(openPipeEnds()).toBeLessThanOrEqual(pipes + 32);
    for (const c of chains) c[Symbol.dispose]();
    await Promise.all(copies);
  });
});

test('one that nobody awaits, and that a peer, a deadline or close() ends, never raises unhandledRejection', async () => {
  const { code, stdout, stderr } = await runScript(`
    import { copy, dial, listen, relay } from 'spliceway';
    process.on('unhandledRejection', (error) => console.log('unhandled', error));
    const listener = await listen('tcp', '127.0.0.1:0');
    const pair = () => Promise.all([dial('tcp', String(listener.addr)), listener.accept()]);
    for (const end of ['reset', 'deadline', 'close', 'sink']) {
      for (const join of [(a, b) => void copy(b, a), (a, b) => void relay(a, b)]) {
        const [left, a] = await pair();
        const [b, right] = await pair();
        if (end === 'deadline') a.setReadDeadline(Date.now() + 10);
        join(a, b);
        if (end === 'reset') left.setLinger(0), left.close();
        if (end === 'close') a.close();
        if (end === 'sink') right.setLinger(0), right.close(), void left.write('x'), void left.write('x');
        await new Promise((resolve) => setTimeout(resolve, 30));
        for (const conn of [left, a, b, right]) conn.close();
      }
    }
    const [left, a] = await pair();
    a.close();
    void copy(a, left);
    void copy(left, a);
    void relay(a, left);
    left.close();
    listener.close();
    await new Promise((resolve) => setTimeout(resolve, 30));
    console.log('done');
  `);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'done\n', stderr: '' });
});

test('a copy that waits keeps the process alive, unless its connections are unreferenced', async () => {
  const script = (unref: string) => `
    import { copy, dial, listen } from 'spliceway';
    const listener = await listen('tcp', '127.0.0.1:0');
    const [a, b] = await Promise.all([dial('tcp', String(listener.addr)), listener.accept()]);
    process.on('exit', () => console.log('exit'));
    copy(b, a).then(() => console.log('copied'));
    ${unref}
    listener.close();
    setTimeout(() => b.closeWrite(), 50).unref();
  `;
  expect((await runScript(script(''))).stdout).toBe('copied\nexit\n');
  expect((await runScript(script('a.unref(); b.unref();'))).stdout).toBe('exit\n');
});
