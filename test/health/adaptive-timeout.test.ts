import { type Conn, type OpError, pipe } from 'spliceway';
import { FramedConn } from 'spliceway/codec';
import { AdaptiveTimeout, type AdaptiveTimeoutOptions } from 'spliceway/health';
import { describe, expect, test } from 'vitest';
import { caught } from '../support/caught.ts';

function timeoutAfter(durations: readonly number[], options?: AdaptiveTimeoutOptions): number {
  const timeout = new AdaptiveTimeout(options);
  for (const duration of durations) timeout.add(duration);
  return timeout.timeout;
}

describe('AdaptiveTimeout', () => {
  test('is the cap while nothing is known, or what it is told', () => {
    expect(timeoutAfter([])).toBe(8000);
    expect(timeoutAfter([], { initial: 1000 })).toBe(1000);
  });

  test('is 1.5 medians', () => expect(timeoutAfter([400, 400, 400])).toBe(600));

  test('is the median and k times the interquartile range where that is more', () => {
    expect(timeoutAfter([300, 500, 300, 500], { k: 4 })).toBe(1200);
    expect(timeoutAfter([4, 1, 3, 2], { floor: 0, factor: 1, k: 1 })).toBe(4);
  });

  test('stays between floor and cap', () => {
    expect(timeoutAfter([1, 2, 3])).toBe(250);
    expect(timeoutAfter([1, 2, 3], { floor: 10 })).toBe(10);
    expect(timeoutAfter([60_000])).toBe(8000);
    expect(timeoutAfter([60_000], { cap: 9000 })).toBe(9000);
  });

  test('looks at the latest of its window', () => {
    const durations = [...Array.from({ length: 50 }, () => 4000), ...Array.from({ length: 10 }, () => 400)];
    expect(timeoutAfter(durations)).toBe(600);
    expect(timeoutAfter(durations, { window: 30, k: 0 })).toBe(6000);
  });

  test('is doubled by each reply that did not come, until one does', () => {
    const timeout = new AdaptiveTimeout();
    timeout.add(400);
    timeout.expire();
    expect(timeout.timeout).toBe(1200);
    for (let i = 0; i < 2000; i++) timeout.expire();
    expect(timeout.timeout).toBe(8000);
    timeout.add(400);
    expect(timeout.timeout).toBe(600);
  });

  test('deadline() lies that far ahead', () => {
    const now = Date.now();
    const at = new AdaptiveTimeout({ initial: 5000 }).deadline();
    expect(at).toBeGreaterThanOrEqual(now + 5000);
    expect(at).toBeLessThan(now + 6000);
  });

  test('measure() learns from answers, and from those that came too late', async () => {
    const timeout = new AdaptiveTimeout({ floor: 0, initial: 100 });
    expect(await timeout.measure((deadline) => deadline > 0)).toBe(true);
    expect(timeout.timeout).toBeLessThan(100);
    const before = timeout.timeout;
    const late = Object.assign(new Error('late'), { timeout: true });
    expect(await caught(timeout.measure(() => Promise.reject(late)))).toBe(late);
    expect(timeout.timeout).toBe(before * 2);
    for (const reason of [new Error('other'), null, undefined, 'text']) {
      await timeout.measure(() => Promise.reject(reason)).catch(() => {});
      expect(timeout.timeout).toBe(before * 2);
    }
  });

  test('reading() sets the deadline while it waits', async () => {
    const [a, b] = pipe();
    const timeout = new AdaptiveTimeout({ floor: 20, cap: 20 });
    void b.write('pong');
    expect(`${await timeout.reading(a, () => a.read())}`).toBe('pong');
    expect(a.state).toBe('active');
    const error = await caught<OpError>(timeout.reading(a, () => a.read()));
    expect(error.timeout).toBe(true);
    expect((await caught<OpError>(a.read())).timeout).toBe(true);
    a.close();
    b.close();
  });

  test('reading() of one that is closed by what it calls has its answer', async () => {
    const [a, b] = pipe();
    expect(await new AdaptiveTimeout().reading(a, () => a.close())).toBe(true);
    b.close();
  });

  test('what has no such deadline is refused', async () => {
    const timeout = new AdaptiveTimeout();
    for (const conn of [null, {}, { setReadDeadline: 1 }]) {
      const error = await caught<OpError>(timeout.reading(conn as never, () => 1));
      expect(error.code).toBe('ERR_INVALID_ARG_TYPE');
    }
  });

  test('writing() limits a peer who does not read', async () => {
    const [a, b]: Conn[] = pipe() as [Conn, Conn];
    const timeout = new AdaptiveTimeout({ floor: 20, cap: 20 });
    const error = await caught<OpError>(timeout.writing(a as Conn, () => (a as Conn).write('ping')));
    expect(error.timeout).toBe(true);
    a?.close();
    b?.close();
  });

  test('goes with the requests of a FramedConn', async () => {
    const [a, b] = pipe();
    const client = new FramedConn(a, { session: true });
    const server = new FramedConn(b, { session: true });
    let answer = true;
    server.onRequest(() => (answer ? 'yes' : new Promise(() => {})));
    const timeout = new AdaptiveTimeout({ floor: 200, cap: 500 });
    const ask = () => timeout.measure((deadline) => client.request(1, 'are you there?', { deadline }));
    expect(`${await ask()}`).toBe('yes');
    expect(timeout.timeout).toBe(200);
    answer = false;
    expect((await caught<OpError>(ask())).timeout).toBe(true);
    expect(timeout.timeout).toBe(400);
    client.close();
    server.close();
  });

  test.each([
    { window: 0 },
    { window: 1.5 },
    { factor: 0.5 },
    { k: -1 },
    { floor: -1 },
    { floor: 9000 },
    { cap: 0 },
    { cap: Number.POSITIVE_INFINITY },
    { initial: 100 },
    { initial: Number.NaN },
  ])('%o are out of range', (options) => {
    expect(() => new AdaptiveTimeout(options)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  });

  test('wrong types are refused', async () => {
    const wrong = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' });
    for (const options of [null, 5, { window: '5' }, { factor: null }, { k: '' }, { floor: {} }, { cap: '1' }]) {
      expect(() => new AdaptiveTimeout(options as never)).toThrow(wrong);
    }
    const timeout = new AdaptiveTimeout();
    expect(() => timeout.add('1' as never)).toThrow(wrong);
    expect(() => timeout.add(-1)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    await expect(timeout.measure(1 as never)).rejects.toEqual(wrong);
    await expect(timeout.reading(pipe()[0], 1 as never)).rejects.toEqual(wrong);
  });
});
