// The client on connections that tests decide about, and on a clock that they move.

import type { OpError } from 'spliceway';
import { type ClientEvent, HealingClient, type HealingClientOptions, UnknownOutcomeError } from 'spliceway/health';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { fakeNetwork, Verdicted } from './fakes.ts';

type Network = ReturnType<typeof fakeNetwork>;

let network: Network;
let events: ClientEvent[];
const clients: HealingClient[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  network = fakeNetwork();
  events = [];
});

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function clientOf(options: Partial<HealingClientOptions> = {}): HealingClient {
  const client = new HealingClient({
    endpoints: ['a:1', 'b:2'],
    connect: network.connect,
    onEvent: (event) => events.push(event),
    ...options,
  });
  clients.push(client);
  return client;
}

/** A client whose connections are there: the active one at a:1, the standby at b:2. */
async function connected(options: Partial<HealingClientOptions> = {}): Promise<HealingClient> {
  const client = clientOf(options);
  await settled();
  return client;
}

/** Everything that needs no time has happened. */
async function settled(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

const made = (index: number) => network.made[index] as Network['last'];
const types = () => events.map(({ type }) => type);

describe('request()', () => {
  test('goes to the active connection, and resolves to the answer', async () => {
    const client = await connected();
    expect(String(await client.request('hello', { command: 7 }))).toBe('hello');
    expect(made(0).asked).toHaveLength(1);
    expect(made(1).asked).toHaveLength(0);
    expect(client.stats).toMatchObject({ active: 'a:1', standby: 1, requests: 1, results: 1, pending: 0, score: 1 });
  });

  test('waits for the first connection, in order', async () => {
    const client = clientOf();
    const answers = Promise.all([client.request('one'), client.request('two')]);
    expect(client.stats).toMatchObject({ active: null, waiting: 2, pending: 2 });
    expect((await answers).map(String)).toEqual(['one', 'two']);
    expect(made(0).asked.map(({ text }) => text)).toEqual(['one', 'two']);
  });

  test('rejects with what the peer answered, and is not sent again', async () => {
    const client = await connected();
    made(0).echoes = false;
    const request = client.request('x', { idempotent: true });
    const error = new Verdicted('failed');
    made(0).asked[0]?.fail(error);
    expect(await caught(request)).toBe(error);
    expect(client.stats).toMatchObject({ errors: 1, resent: 0, active: 'a:1' });
  });

  test('that was never sent times out with an error', async () => {
    const client = clientOf({ connect: () => new Promise(() => {}), timeout: 50 });
    const request = client.request('x');
    const failed = caught(request);
    await vi.advanceTimersByTimeAsync(50);
    expect(await failed).toMatchObject({ code: 'ERR_SPLICEWAY_DEADLINE_EXCEEDED', timeout: true });
    expect(client.stats).toMatchObject({ errors: 1, unknown: 0, waiting: 0 });
  });

  test('that was sent and times out has an unknown outcome, unless it is idempotent', async () => {
    const client = await connected();
    made(0).echoes = false;
    const once = caught<UnknownOutcomeError>(client.request('x', { timeout: 50 }));
    const often = caught<OpError>(client.request('y', { timeout: 50, idempotent: true }));
    await vi.advanceTimersByTimeAsync(50);
    expect(await once).toBeInstanceOf(UnknownOutcomeError);
    expect(await once).toMatchObject({ code: 'ERR_SPLICEWAY_UNKNOWN_OUTCOME', timeout: true });
    expect((await often).code).toBe('ERR_SPLICEWAY_DEADLINE_EXCEEDED');
    expect(made(0).asked.every(({ signal }) => signal.aborted)).toBe(true);
    made(0).asked[0]?.answer('too late');
    await settled();
    expect(client.stats).toMatchObject({ results: 0, errors: 1, unknown: 1 });
  });

  test('rejects with the reason of its signal', async () => {
    const client = await connected();
    made(0).echoes = false;
    const controller = new AbortController();
    const request = client.request('x', { signal: controller.signal });
    controller.abort('enough');
    expect(await request.catch((reason) => reason)).toBe('enough');
    expect(await client.request('y', { signal: controller.signal }).catch((reason) => reason)).toBe('enough');
    expect(client.stats).toMatchObject({ requests: 1, errors: 1, pending: 0 });
  });

  test('is refused where too many wait', async () => {
    const client = clientOf({ maxQueued: 1 });
    const first = client.request('x');
    expect(await caught(client.request('y'))).toMatchObject({ code: 'ERR_SPLICEWAY_QUEUE_FULL' });
    expect(String(await first)).toBe('x');
  });
});

describe('a connection that breaks', () => {
  test('new requests go to the standby at once; idempotent ones are sent again, of the others nobody knows', async () => {
    const client = await connected();
    made(0).echoes = false;
    const once = caught<UnknownOutcomeError>(client.request('once'));
    const often = client.request('often', { idempotent: true });
    made(0).break();
    await settled();
    expect((await once).message).toBe('the outcome of the request is unknown: connection reset by peer');
    expect(String(await often)).toBe('often');
    expect(String(await client.request('new'))).toBe('new');
    expect(made(1).asked.map(({ text }) => text)).toEqual(['often', 'new']);
    expect(made(0).closed).toBe(true);
    expect(client.stats).toMatchObject({ active: 'b:2', results: 2, unknown: 1, resent: 1, switches: 1, draining: 0 });
    expect(types()).toEqual(['connected', 'connected', 'lost', 'switched', 'drained']);
  });

  test('without a standby requests wait for the next connection', async () => {
    const client = await connected({ standby: 0, endpoints: ['a:1'] });
    made(0).echoes = false;
    const often = client.request('often', { idempotent: true });
    made(0).break();
    await settled();
    const later = client.request('later');
    expect(client.stats).toMatchObject({ active: null, waiting: 2 });
    await vi.advanceTimersByTimeAsync(201);
    expect(String(await often)).toBe('often');
    expect(String(await later)).toBe('later');
    expect(network.made).toHaveLength(2);
  });

  test('a standby that breaks is replaced, and nothing switches', async () => {
    const client = await connected();
    made(1).break();
    await settled();
    expect(client.stats).toMatchObject({ active: 'a:1', standby: 0, switches: 0 });
    await vi.advanceTimersByTimeAsync(201);
    expect(client.stats).toMatchObject({ standby: 1 });
    expect(network.last.endpoint).toBe('b:2');
  });

  test('moves what is under way a share at a time', async () => {
    const client = await connected({ drainShare: 0.25, drainPace: 20 });
    made(0).echoes = false;
    const requests = Array.from({ length: 16 }, (_, i) => client.request(`${i}`, { idempotent: true }));
    made(0).break();
    const arrived = [];
    for (let i = 0; i < 4; i++) {
      await settled();
      arrived.push(made(1).asked.length);
      await vi.advanceTimersByTimeAsync(20);
    }
    expect(arrived).toEqual([4, 7, 10, 12]);
    await vi.advanceTimersByTimeAsync(200);
    expect((await Promise.all(requests)).map(String)).toEqual(requests.map((_, i) => `${i}`));
  });
});

describe('a connection that is not well', () => {
  test('degraded: new requests move first, then the old ones that may; the others are answered where they are', async () => {
    const client = await connected({ drainPace: 20 });
    made(0).echoes = false;
    const once = client.request('once');
    const often = client.request('often', { idempotent: true });
    made(0).become('degraded', true);
    expect(String(await client.request('new'))).toBe('new');
    expect(made(1).asked.map(({ text }) => text)).toEqual(['new']);
    await vi.advanceTimersByTimeAsync(20);
    expect(String(await often)).toBe('often');
    expect(made(0).shutDown).toBe(false);
    made(0).asked[0]?.answer('late');
    expect(String(await once)).toBe('late');
    expect(made(0).shutDown).toBe(true);
    expect(made(0).watchers).toBe(0);
    expect(events.at(2)).toEqual({ type: 'switched', from: 'a:1', to: 'b:2', reason: 'it is degraded' });
    expect(client.stats).toMatchObject({ results: 3, unknown: 0, draining: 0 });
  });

  test('a score below its threshold is as good a reason, while stalled is none', async () => {
    const client = await connected();
    made(0).become('stalled', false);
    expect(client.stats.active).toBe('a:1');
    made(0).become('healthy', true, 'the score is below 0.5');
    expect(client.stats.active).toBe('b:2');
  });

  test('the first answer counts, wherever it comes from', async () => {
    const client = await connected();
    for (const carrier of network.made) carrier.echoes = false;
    const often = client.request('often', { idempotent: true });
    made(0).become('degraded', true);
    await vi.advanceTimersByTimeAsync(10);
    expect(made(1).asked).toHaveLength(1);
    made(0).asked[0]?.answer('from a');
    expect(String(await often)).toBe('from a');
    expect(made(1).asked[0]?.signal.aborted).toBe(true);
    made(1).asked[0]?.fail(new Error('aborted'));
    await settled();
    expect(client.stats).toMatchObject({ active: 'b:2', results: 1, errors: 0 });
  });

  test('what is not answered before drainTimeout is given up, and its connection closed', async () => {
    const client = await connected({ drainTimeout: 100 });
    made(0).echoes = false;
    const once = caught(client.request('once'));
    made(0).become('degraded', true);
    await vi.advanceTimersByTimeAsync(100);
    expect(await once).toMatchObject({ code: 'ERR_SPLICEWAY_UNKNOWN_OUTCOME' });
    expect(made(0).shutDown).toBe(true);
    expect(client.stats.draining).toBe(0);
  });

  test('lost is as good as broken, though the socket is open', async () => {
    const client = await connected();
    made(0).echoes = false;
    const often = client.request('often', { idempotent: true });
    made(0).become('lost', true);
    expect(String(await often)).toBe('often');
    await settled();
    expect(made(0).closed).toBe(true);
  });

  test('an answer that had arrived when it was judged lost counts; what has none is unknown', async () => {
    const client = await connected();
    made(0).echoes = false;
    const once = client.request('once');
    const never = caught<UnknownOutcomeError>(client.request('never'));
    made(0).become('lost', true);
    made(0).asked[0]?.answer('at hand');
    expect(client.stats.active).toBe('b:2');
    await settled();
    expect(String(await once)).toBe('at hand');
    expect((await never).message).toBe('the outcome of the request is unknown: it is lost');
    expect(made(0).closed).toBe(true);
    expect(types()).toEqual(['connected', 'connected', 'lost', 'switched', 'drained']);
  });

  test('a peer that takes no more requests: they go elsewhere, those that are not idempotent too', async () => {
    const client = await connected();
    made(0).echoes = false;
    const once = client.request('once');
    made(0).asked[0]?.fail(new Verdicted('unsent'));
    expect(String(await once)).toBe('once');
    expect(made(0).shutDown).toBe(true);
    expect(client.stats).toMatchObject({ active: 'b:2', unknown: 0, resent: 0 });
  });
});

describe('connecting', () => {
  test('an attempt has three seconds for all of it, warming up included', async () => {
    const client = clientOf({ endpoints: ['a:1'], warmUp: () => new Promise(() => {}) });
    await vi.advanceTimersByTimeAsync(2999);
    expect(events).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(events).toMatchObject([{ type: 'connectFailed', endpoint: 'a:1', error: { timeout: true } }]);
    expect(made(0).context.signal.aborted).toBe(true);
    expect(made(0).closed).toBe(true);
    expect(client.stats).toMatchObject({ active: null, connectsFailed: 1 });
  });

  test('a connection that comes too late, or that warmUp refuses, is closed', async () => {
    let comeLate: () => void = () => {};
    const late = new Promise<void>((resolve) => {
      comeLate = resolve;
    });
    clientOf({
      endpoints: ['a:1'],
      connectTimeout: 10,
      connect: async (context) => {
        await late;
        return network.connect(context);
      },
    });
    await vi.advanceTimersByTimeAsync(10);
    comeLate();
    await settled();
    expect(made(0).closed).toBe(true);
    clientOf({ endpoints: ['b:2'], warmUp: () => Promise.reject(new Error('not ready')) });
    await settled();
    expect(network.last.closed).toBe(true);
  });

  test('the back-off is full jitter: anything up to a ceiling that doubles', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const refuse = () => Promise.reject(new Error('refused'));
    clientOf({ endpoints: ['a:1'], connect: refuse, backoff: 100, maxBackoff: 1000 });
    await vi.advanceTimersByTimeAsync(2000);
    const waits = events.map((event) => (event.type === 'connectFailed' ? event.retryIn : null));
    expect(waits.slice(0, 6)).toEqual([50, 100, 200, 400, 500, 500]);
  });

  test('while one endpoint refuses, requests get a connection at the other', async () => {
    const client = clientOf({
      standby: 0,
      connect: (context) =>
        context.endpoint === 'a:1' ? Promise.reject(new Error('refused')) : network.connect(context),
    });
    expect(String(await client.request('x'))).toBe('x');
    expect(client.stats.active).toBe('b:2');
  });

  test('endpoints are tried in order; one that hangs has 300 ms before the next is tried beside it', async () => {
    const tried: unknown[] = [];
    const client = clientOf({
      connect: (context) => {
        tried.push(context.endpoint);
        return context.endpoint === 'a:1' ? new Promise(() => {}) : network.connect(context);
      },
    });
    await vi.advanceTimersByTimeAsync(299);
    expect(tried).toEqual(['a:1']);
    await vi.advanceTimersByTimeAsync(1);
    expect(tried).toEqual(['a:1', 'b:2']);
    expect(client.stats.active).toBe('b:2');
  });

  test('what connect() gives that is no connection is an error of that attempt', async () => {
    clientOf({ endpoints: ['a:1'], connect: async () => ({ request() {}, close() {} }) as never });
    await settled();
    expect(events).toMatchObject([{ type: 'connectFailed', error: { code: 'ERR_INVALID_RETURN_VALUE' } }]);
  });

  // 1,000 connections die in one instant: what their server sees of that.
  test('a thousand that lose their connections together do not come back together', async () => {
    const started: number[] = [];
    const connect: Network['connect'] = (context) => {
      started.push(performance.now());
      return network.connect(context);
    };
    const many = Array.from({ length: 1000 }, () =>
      clientOf({ endpoints: ['a:1'], standby: 0, connect, backoff: 1000 }),
    );
    await settled();
    started.length = 0;
    const died = performance.now();
    const blocked = process.hrtime.bigint();
    for (const carrier of [...network.made]) carrier.break();
    await settled();
    expect(Number(process.hrtime.bigint() - blocked) / 1e6).toBeLessThan(1000);
    await vi.advanceTimersByTimeAsync(1001);
    const histogram = new Array(10).fill(0);
    for (const at of started) histogram[Math.min(Math.floor((at - died) / 100), 9)]++;
    expect(started).toHaveLength(1000);
    // The later of two waits, each as likely short as long: 190 are to be expected in the last tenth.
    for (const count of histogram) expect(count).toBeLessThan(260);
    expect(Math.min(...histogram.slice(3))).toBeGreaterThan(20);
    expect(many.every(({ stats }) => stats.active === 'a:1')).toBe(true);
  });
});

describe('the end', () => {
  test('close() ends every request once', async () => {
    const client = await connected();
    made(0).echoes = false;
    const once = caught(client.request('once'));
    const often = caught(client.request('often', { idempotent: true }));
    expect(client.close()).toBe(true);
    expect(client.close()).toBe(false);
    expect(await once).toMatchObject({ code: 'ERR_SPLICEWAY_UNKNOWN_OUTCOME' });
    expect(await often).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    expect(await caught(client.request('x'))).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    expect(network.made.every(({ closed }) => closed)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('shutdown() waits for the pending ones, and takes no more', async () => {
    const client = await connected();
    made(0).echoes = false;
    const once = client.request('once');
    const down = client.shutdown();
    expect(await caught(client.request('x'))).toMatchObject({ code: 'ERR_SPLICEWAY_CLOSED' });
    made(0).asked[0]?.answer('done');
    expect(String(await once)).toBe('done');
    await down;
    expect(network.made.every(({ shutDown }) => shutDown)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('shutdown() gives up after its timeout', async () => {
    const client = await connected();
    made(0).echoes = false;
    const once = caught(client.request('once'));
    const down = client.shutdown({ timeout: 100 });
    await vi.advanceTimersByTimeAsync(100);
    await down;
    expect(await once).toMatchObject({ code: 'ERR_SPLICEWAY_UNKNOWN_OUTCOME' });
  });

  test.each([false, true])('a client without requests keeps no process alive; heartbeat: %j', async (heartbeat) => {
    vi.useRealTimers();
    const { code, stderr } = await runScript(`
      import { listen } from 'spliceway';
      import { HealingClient } from 'spliceway/health';
      const listener = (await listen('tcp', '127.0.0.1:0'));
      const accepted = listener.accept();
      new HealingClient({ endpoints: [String(listener.addr)], standby: 0, frames: { heartbeat: ${heartbeat} } });
      (await accepted).unref();
    `);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });
});

describe('arguments', () => {
  test.each<[Partial<HealingClientOptions>, string]>([
    [{ endpoints: [] }, 'ERR_INVALID_ARG_VALUE'],
    [{ endpoints: 'a:1' as never }, 'ERR_INVALID_ARG_TYPE'],
    [{ endpoints: ['no address'] }, 'ERR_SPLICEWAY_ADDRESS'],
    [{ connect: 1 as never }, 'ERR_INVALID_ARG_TYPE'],
    [{ connectTimeout: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ standby: 17 }, 'ERR_OUT_OF_RANGE'],
    [{ backoff: 100, maxBackoff: 99 }, 'ERR_OUT_OF_RANGE'],
    [{ drainShare: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ drainShare: '1' as never }, 'ERR_INVALID_ARG_TYPE'],
    [{ endpoints: new Array(1) }, 'ERR_INVALID_ARG_TYPE'],
    [{ frames: 1 as never }, 'ERR_INVALID_ARG_TYPE'],
    [{ frames: { maxFrame: -1 } }, 'ERR_OUT_OF_RANGE'],
    [{ frames: { commandBytes: 3 as never } }, 'ERR_OUT_OF_RANGE'],
    [{ frames: { heartbeat: 1 as never } }, 'ERR_INVALID_ARG_TYPE'],
    [{ frames: { heartbeat: { interval: 1 } } }, 'ERR_OUT_OF_RANGE'],
    [{ frames: { heartbeat: true, onBadFrame: 'resynchronise' } }, 'ERR_INVALID_ARG_VALUE'],
  ])('%j', (options, code) => {
    expect(() => clientOf(options)).toThrow(expect.objectContaining({ code }));
  });

  test('of request()', async () => {
    const client = clientOf();
    const code = async (...args: Parameters<HealingClient['request']>) => (await caught(client.request(...args))).code;
    expect(await code(1 as never)).toBe('ERR_INVALID_ARG_TYPE');
    expect(await code('x', { timeout: 0 })).toBe('ERR_OUT_OF_RANGE');
    expect(await code('x', { command: -1 })).toBe('ERR_OUT_OF_RANGE');
    expect(await code('x', { idempotent: 1 as never })).toBe('ERR_INVALID_ARG_TYPE');
    expect(await code('x', { signal: 1 as never })).toBe('ERR_INVALID_ARG_TYPE');
    expect(await code('x', null as never)).toBe('ERR_INVALID_ARG_TYPE');
    expect((await caught(client.shutdown({ timeout: -1 }))).code).toBe('ERR_OUT_OF_RANGE');
  });
});
