import { Readable } from 'node:stream';
import { type Conn, pipe } from 'spliceway';
import { ErrNoProgress, ErrTooLong, Scanner, type SplitFunc, scanWords } from 'spliceway/codec';
import { describe, expect, test } from 'vitest';
import { bytes } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { streams, tcpPair, unixPair } from '../support/pair.ts';
import { isPending, turns } from '../support/time.ts';

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

async function* pieces(...list: (string | Uint8Array)[]) {
  yield* list;
}

describe.each(streams)('%s', (_network, makePair) => {
  test('lines come as they arrive, the last one at the end of the stream', async () => {
    using pair = await makePair();
    const scanner = new Scanner(pair.server);
    const first = scanner.scan();
    expect(await isPending(first)).toBe(true);
    await pair.client.write('one\r\ntwo\nth');
    expect(await first).toBe(true);
    expect(scanner.text()).toBe('one');
    expect(await scanner.scan()).toBe(true);
    expect(String(scanner.bytes())).toBe('two');
    const third = scanner.scan();
    await pair.client.write('ree\nlast');
    expect(await third).toBe(true);
    expect(scanner.text()).toBe('three');
    pair.client.close();
    expect(await scanner.scan()).toBe(true);
    expect(scanner.text()).toBe('last');
    expect(await scanner.scan()).toBe(false);
    expect(await scanner.scan()).toBe(false);
    expect(scanner.err()).toBeNull();
  });

  test('100,000 lines of all lengths arrive whole and in order, in each style', async () => {
    const sent = Array.from({ length: 100_000 }, (_, i) => `${i} ${'x'.repeat(i % 97)}${i % 1000 === 0 ? 'ü€' : ''}`);
    const all = `${sent.join('\n')}\n`;
    const styles: ((conn: Conn) => Promise<string[]>)[] = [
      async (conn) => (await collect(new Scanner(conn))).map(String),
      (conn) => collect(new Scanner(conn, { encoding: 'utf8' })),
      async (conn) => (await collect(new Scanner(conn, { encoding: 'utf8' }).batches())).flat(),
      async (conn) => (await collect(new Scanner(conn).batches())).flat().map(String),
    ];
    for (const style of styles) {
      using pair = await makePair();
      const writing = pair.client.write(all).then(() => pair.client.closeWrite());
      const got = await style(pair.server);
      await writing;
      expect(got.length).toBe(sent.length);
      expect(got.every((line, i) => line === sent[i])).toBe(true);
    }
  });

  test('a deadline in the middle of a line gives the piece, and then ends it for good', async () => {
    using pair = await makePair();
    const scanner = new Scanner(pair.server, { encoding: 'utf8' });
    pair.server.setReadDeadline(Date.now() + 30);
    await pair.client.write('whole\npart');
    expect(await scanner.scan()).toBe(true);
    expect(await scanner.scan()).toBe(true);
    expect(scanner.text()).toBe('part');
    expect(await scanner.scan()).toBe(false);
    expect(scanner.err()).toMatchObject({ timeout: true, op: 'read' });
    pair.server.setReadDeadline(null);
    await pair.client.write('more\n');
    expect(await scanner.scan()).toBe(false);
    expect(String(await pair.server.read())).toBe('more\n');
  });

  test('iteration throws the error after the last token', async () => {
    using pair = await makePair();
    await pair.client.write('whole\npart');
    const got: string[] = [];
    const scanning = (async () => {
      for await (const line of new Scanner(pair.server)) {
        got.push(String(line));
        pair.server.setReadDeadline(1);
      }
    })();
    expect(await caught(scanning)).toMatchObject({ timeout: true });
    expect(got).toEqual(['whole', 'part']);
  });
});

describe('iteration', () => {
  test('can be left and gone on with: nothing is lost', async () => {
    const scanner = new Scanner(pieces('a\nb\nc\n', 'd\ne'));
    const got: string[] = [];
    for await (const line of scanner) {
      got.push(String(line));
      break;
    }
    expect(await scanner.scan()).toBe(true);
    got.push(scanner.text());
    for await (const line of scanner) {
      got.push(String(line));
      if (got.length === 4) break;
    }
    expect((await collect(scanner.batches())).flat().map(String)).toEqual(['e']);
    expect(got).toEqual(['a', 'b', 'c', 'd']);
  });

  test('answers calls made at once in their order', async () => {
    const [a, b] = pipe();
    const iterator = new Scanner(b, { encoding: 'utf8' })[Symbol.asyncIterator]();
    const results = [1, 2, 3, 4].map(() => iterator.next());
    await a.write('one\ntwo');
    a.close();
    expect(await Promise.all(results)).toEqual([
      { value: 'one', done: false },
      { value: 'two', done: false },
      { value: undefined, done: true },
      { value: undefined, done: true },
    ]);
  });

  test('tokens that are kept stay as they were', async () => {
    using pair = await tcpPair();
    const sent = Array.from({ length: 20_000 }, (_, i) => `line ${i}`);
    const writing = pair.client.write(sent.join('\n')).then(() => pair.client.close());
    const kept = await collect(new Scanner(pair.server));
    await writing;
    expect(kept.map(String)).toEqual(sent);
  });
});

describe('a source', () => {
  test('may be an async generator, of bytes and of text', async () => {
    expect((await collect(new Scanner(pieces('on', Buffer.from('e\ntw'), '', 'o')))).map(String)).toEqual([
      'one',
      'two',
    ]);
  });

  test("may be a stream of Node's", async () => {
    const stream = Readable.from([Buffer.from('one\n'), Buffer.from('two')]);
    expect(await collect(new Scanner(stream, { encoding: 'utf8' }))).toEqual(['one', 'two']);
  });

  test('may be a function that answers null at the end', async () => {
    const left = ['a b', ' c'];
    const words = new Scanner(() => left.shift() ?? null, { split: scanWords, encoding: 'utf8' });
    expect(await collect(words)).toEqual(['a', 'b', 'c']);
  });

  test('may be all bytes or all text at once, or an array of pieces', async () => {
    const options = { encoding: 'utf8' } as const;
    expect(await collect(new Scanner('msg1\nmsg2\nmsg3', options))).toEqual(['msg1', 'msg2', 'msg3']);
    expect(await collect(new Scanner(Buffer.from('a\n\nb'), options))).toEqual(['a', '', 'b']);
    expect(await collect(new Scanner(['a\n', 'b\nc'], options))).toEqual(['a', 'b', 'c']);
    expect(await collect(new Scanner('', options))).toEqual([]);
  });

  test('may be a pipe', async () => {
    const [a, b] = pipe();
    const scanning = collect(new Scanner(b, { encoding: 'utf8' }));
    await a.write('one\ntwo\nthr');
    await a.write('ee');
    a.close();
    expect(await scanning).toEqual(['one', 'two', 'three']);
  });

  test('may send packets, of which none loses its end', async () => {
    using pair = await unixPair('unixpacket');
    const packet = bytes(20_000).toString('hex');
    const scanning = collect(new Scanner(pair.server, { encoding: 'utf8' }));
    for (let i = 0; i < 5; i++) await pair.client.write(`${packet}\n`);
    pair.client.close();
    expect(await scanning).toEqual(Array(5).fill(packet));
  });

  test('that gives nothing 100 times is given up', async () => {
    let calls = 0;
    const scanner = new Scanner(() => {
      calls++;
      return '';
    });
    expect(await scanner.scan()).toBe(false);
    expect(scanner.err()).toBe(ErrNoProgress);
    expect(calls).toBe(100);
  });

  test('that fails ends it with its error, after what it gave', async () => {
    const broken = new Error('broken');
    async function* failing() {
      yield 'one\npart';
      throw broken;
    }
    const got: string[] = [];
    const scanning = (async () => {
      for await (const batch of new Scanner(failing(), { encoding: 'utf8' }).batches()) got.push(...batch);
    })();
    expect(await caught(scanning)).toBe(broken);
    expect(got).toEqual(['one', 'part']);
  });

  test('that gives what is no bytes is refused', async () => {
    const scanner = new Scanner([1 as never]);
    expect(await scanner.scan()).toBe(false);
    expect(scanner.err()).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });
});

test('a token that is too long is thrown by the iteration, after those before it', async () => {
  const got: string[] = [];
  const scanning = (async () => {
    for await (const line of new Scanner('short\nmuch too long\n', { max: 8 })) got.push(String(line));
  })();
  expect(await caught(scanning)).toBe(ErrTooLong);
  expect(got).toEqual(['short']);
});

test('a split function that gives endless tokens does not hang a batch', async () => {
  const endless: SplitFunc = () => [0, Buffer.from('x')];
  for await (const batch of new Scanner('data', { split: endless }).batches()) {
    expect(batch.length).toBeGreaterThan(0);
    break;
  }
});

test('a signal ends a wait, and the scanning', async () => {
  using pair = await tcpPair();
  const controller = new AbortController();
  const scanner = new Scanner(pair.server, { signal: controller.signal });
  const scanning = scanner.scan();
  await turns();
  controller.abort(new Error('enough'));
  expect(await scanning).toBe(false);
  expect(scanner.err()).toBe(controller.signal.reason);
  await pair.client.write('kept\n');
  expect(String(await pair.server.read())).toBe('kept\n');
});

test('a signal ends the wait for a source that knows of none', async () => {
  async function* silent() {
    yield 'one\npart';
    await new Promise(() => {});
  }
  const controller = new AbortController();
  const scanner = new Scanner(silent(), { signal: controller.signal, encoding: 'utf8' });
  expect(await scanner.scan()).toBe(true);
  const scanning = scanner.scan();
  await turns();
  controller.abort(new Error('enough'));
  expect(await scanning).toBe(true);
  expect(scanner.text()).toBe('part');
  expect(await scanner.scan()).toBe(false);
  expect(scanner.err()).toBe(controller.signal.reason);
});

test('split() and buffer() set what the options set', async () => {
  const scanner = new Scanner('one two', { encoding: 'utf8' }).split(scanWords).buffer(10);
  expect(await collect(scanner)).toEqual(['one', 'two']);
  expect(() => scanner.buffer(5)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
});

test('wrong arguments throw with the codes of Node', () => {
  for (const source of [undefined, null, 1, {}]) {
    expect(() => new Scanner(source as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  }
  expect(() => new Scanner('', 1 as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  expect(() => new Scanner('', { signal: 1 as never })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
  );
  expect(() => new Scanner('', { encoding: 'hex' as never })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
  );
});
