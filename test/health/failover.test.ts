// The client over real connections: servers that are killed, networks that swallow everything.

import { listen, type Server, serve } from 'spliceway';
import { ChaosProxy } from 'spliceway/chaos';
import { FramedConn, type FramedConnOptions, type RequestHandler } from 'spliceway/codec';
import { type ClientEvent, HealingClient, type HealingClientOptions } from 'spliceway/health';
import { afterEach, expect, test } from 'vitest';
import { caught } from '../support/caught.ts';
import { eventually, PATIENCE, turns, until } from '../support/time.ts';

const closing: { close(): unknown }[] = [];

afterEach(() => {
  for (const each of closing.splice(0).reverse()) each.close();
});

const echo: RequestHandler = ({ body }) => Buffer.from(body);

/** A server that answers requests. */
async function upstream(
  handler: RequestHandler = echo,
  options: FramedConnOptions = {},
): Promise<{ address: string; server: Server; framed: FramedConn[] }> {
  const listener = await listen('tcp', '127.0.0.1:0');
  const framed: FramedConn[] = [];
  const server = serve(listener, (conn) => {
    const frames = new FramedConn(conn, { session: true, ...options });
    frames.onRequest(handler);
    framed.push(frames);
  });
  closing.push(server);
  return { address: `${listener.addr}`, server, framed };
}

async function clientOf(endpoints: string[], options: Partial<HealingClientOptions> = {}): Promise<HealingClient> {
  const client = new HealingClient({ endpoints, ...options });
  closing.push(client);
  await eventually(() => client.stats.active !== null && client.stats.standby === (options.standby ?? 1));
  return client;
}

test('requests and answers over FramedConns, with the peer’s errors as they are', async () => {
  const { address } = await upstream(({ command, body }) => {
    if (command === 2) throw new Error('not today');
    return `${body}!`;
  });
  const client = await clientOf([address], { standby: 0 });
  expect(String(await client.request('hello'))).toBe('hello!');
  expect(await caught(client.request('x', { command: 2 }))).toMatchObject({
    code: 'ERR_SPLICEWAY_REQUEST_FAILED',
    message: 'the request failed: not today',
  });
  expect(await caught(client.request(Buffer.alloc(2 ** 25)))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  expect(client.stats).toMatchObject({ active: address, results: 1, errors: 2, switches: 0 });
});

test('a server that shuts down answers what it has, and the rest goes to the other one', async () => {
  const [a, b] = [await upstream(), await upstream()];
  const client = await clientOf([a.address, b.address]);
  const requests = Array.from({ length: 50 }, (_, i) => client.request(`${i}`));
  await Promise.all(a.framed.map((frames) => frames.shutdown()));
  requests.push(...Array.from({ length: 50 }, (_, i) => client.request(`${50 + i}`)));
  expect((await Promise.all(requests)).map(String)).toEqual(requests.map((_, i) => `${i}`));
  expect(client.stats).toMatchObject({ active: b.address, results: 100, unknown: 0 });
});

test('the server is killed at 5,000 requests a second: every idempotent request succeeds', {
  timeout: 30_000,
}, async () => {
  const [a, b] = [await upstream(), await upstream()];
  const client = await clientOf([a.address, b.address]);
  const duringSwitch: number[] = [];
  const perTick = 25; // every 5 ms
  const began = Date.now();
  const running: Promise<unknown>[] = [];
  for (let tick = 0; tick < 200; tick++) {
    await turns();
    await until(began + 5 * tick);
    if (tick === 100) a.server.close();
    for (let i = 0; i < perTick; i++) {
      const sent = performance.now();
      const request = client.request('x', { idempotent: true });
      const counts = tick >= 90 && tick < 150;
      running.push(request.then(() => counts && duringSwitch.push(performance.now() - sent)));
    }
  }
  await Promise.all(running);
  expect(client.stats).toMatchObject({ active: b.address, results: 5000, errors: 0, unknown: 0, switches: 1 });
  duringSwitch.sort((x, y) => x - y);
  expect(duringSwitch[Math.floor(duringSwitch.length * 0.99)]).toBeLessThan(250 * PATIENCE);
});

test('of requests that are not idempotent each ends once, and none is carried out twice', async () => {
  const carriedOut = new Map<string, number>();
  const count: RequestHandler = ({ body }) => {
    carriedOut.set(`${body}`, (carriedOut.get(`${body}`) ?? 0) + 1);
    return Buffer.from(body);
  };
  const [a, b] = [await upstream(count), await upstream(count)];
  const network = await ChaosProxy.listen('tcp', '127.0.0.1:0', { target: a.address, toClient: { delay: 5 } });
  closing.push(network);
  const client = await clientOf([`${network.addr}`, b.address]);
  const outcomes: Promise<string>[] = [];
  for (let i = 0; i < 400; i++) {
    if (i === 200) network.reset();
    if (i % 20 === 0) await new Promise(setImmediate);
    outcomes.push(client.request(`${i}`).then(String, ({ code }) => code));
  }
  const ends = await Promise.all(outcomes);
  const unknown = ends.filter((end) => end === 'ERR_SPLICEWAY_UNKNOWN_OUTCOME').length;
  expect(unknown).toBeGreaterThan(0);
  for (const [i, end] of ends.entries()) expect([`${i}`, 'ERR_SPLICEWAY_UNKNOWN_OUTCOME']).toContain(end);
  expect(Math.max(...carriedOut.values())).toBe(1);
  expect(client.stats).toMatchObject({ requests: 400, results: 400 - unknown, unknown, errors: 0, resent: 0 });
});

test('a connection on which replies are missing is left, though nothing has broken', async () => {
  const heartbeat = { interval: 50, replyFloor: 50 };
  const [a, b] = [await upstream(echo, { heartbeat }), await upstream(echo, { heartbeat })];
  const network = await ChaosProxy.listen('tcp', '127.0.0.1:0', { target: a.address });
  closing.push(network);
  const events: ClientEvent[] = [];
  const onEvent = (event: ClientEvent) => events.push(event);
  const client = await clientOf([`${network.addr}`, b.address], { frames: { heartbeat }, onEvent });
  expect(String(await client.request('before'))).toBe('before');
  expect(client.stats).toMatchObject({ active: `${network.addr}`, score: 1 });
  network.blackHole();
  const swallowed = client.request('swallowed', { idempotent: true });
  expect(String(await swallowed)).toBe('swallowed');
  expect(client.stats).toMatchObject({ active: b.address, resent: 1, errors: 0 });
  const switched = events.find(({ type }) => type === 'switched');
  expect(switched).toMatchObject({ reason: expect.stringMatching(/repl|score/) });
});

test('an endpoint that swallows everything costs no more than the time to connect', async () => {
  const { address } = await upstream();
  const network = await ChaosProxy.listen('tcp', '127.0.0.1:0', { target: address });
  closing.push(network);
  network.blackHole();
  const events: ClientEvent[] = [];
  const client = new HealingClient({
    endpoints: [`${network.addr}`],
    standby: 0,
    connectTimeout: 200,
    onEvent: (event) => events.push(event),
    // The kernel of the machine accepts, whoever is behind: an answer says more.
    warmUp: (carrier, { signal }) => carrier.request(0, 'hello', { signal }),
  });
  closing.push(client);
  await eventually(() => events.length > 0);
  expect(events[0]).toMatchObject({ type: 'connectFailed', error: { timeout: true } });
  network.blackHole('both', false);
  expect(String(await client.request('x'))).toBe('x');
});
