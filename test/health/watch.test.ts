import type { TCPConn } from 'spliceway';
import { type HealthTransition, type WatchOptions, watch } from 'spliceway/health';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runScript } from '../support/child.ts';
import { deafen, hearAgain } from '../support/deaf.ts';
import { type Pair, tcpPair } from '../support/pair.ts';
import { hasPython } from '../support/python.ts';
import { socketOptions } from '../support/sockopt.ts';
import { block, eventually, PATIENCE, until } from '../support/time.ts';

const QUICK: WatchOptions = { interval: 100, replyFloor: 50 * PATIENCE, replyCap: 1000 * PATIENCE };

let pair: Pair<TCPConn>;
beforeEach(async () => {
  pair = await tcpPair();
});
afterEach(() => pair[Symbol.dispose]());

function watched(options: WatchOptions = QUICK) {
  const health = watch(pair.client, options);
  const transitions: HealthTransition[] = [];
  health.onTransition((transition) => transitions.push(transition));
  return { health, transitions, states: () => transitions.map(({ to }) => to) };
}

describe('watch()', () => {
  test('measures round trips, without a byte of its own', async () => {
    const { health } = watched({ ...QUICK, interval: 10 });
    await pair.client.write('hello');
    expect(`${await pair.server.read()}`).toBe('hello');
    await eventually(() => health.figures.answered >= 5);
    const { rtt, missed, state, score, rttMedian } = health.figures;
    expect(rtt).toBeGreaterThan(0);
    expect(rttMedian).toBeGreaterThan(0);
    expect(rtt).toBeLessThan(1000);
    expect({ missed, state, score }).toEqual({ missed: 0, state: 'healthy', score: 1 });
    expect(pair.server.info().unread).toBe(0);
  });

  test('an idle stream is not ill', async () => {
    const { health, transitions } = watched({ ...QUICK, interval: 10, replyCap: 50, replyFloor: 10 });
    await eventually(() => health.figures.sent >= 30);
    expect(transitions).toEqual([]);
  });

  test('neither is one whose peer does not read', async () => {
    const { health, transitions } = watched({ ...QUICK, interval: 20 });
    const chunk = Buffer.alloc(1 << 20);
    while (pair.client.tryWrite(chunk) > 0);
    const sent = health.figures.sent;
    await eventually(() => health.figures.sent >= sent + 20);
    expect(transitions.filter(({ to }) => to !== 'healthy')).toEqual([]);
  });

  test.runIf(hasPython)('a peer that acknowledges nothing is degraded, then lost', { timeout: 60_000 }, async () => {
    const { health, transitions, states } = watched();
    await pair.client.write('hello');
    await eventually(() => health.figures.sent >= 3);
    deafen(pair.server);
    const begin = performance.now();
    await pair.client.write('is anybody there?');
    await eventually(() => health.state === 'lost');
    expect(performance.now() - begin).toBeLessThan((100 + 1000 + 300) * PATIENCE);
    expect(states()).toEqual(['degraded', 'lost']);
    expect(transitions[0]).toMatchObject({ from: 'healthy', healing: true });
    expect(transitions[0]?.reason).toBe('at 3 looks in a row the peer had not acknowledged what it was sent');
    expect(transitions[1]?.reason).toMatch(/^nothing was heard for \d+ ms$/);
    expect(Math.abs((transitions[1]?.at ?? 0) - Date.now())).toBeLessThan(2000);
  });

  test.runIf(hasPython)('a peer that comes back heals', { timeout: 60_000 }, async () => {
    const { health, states } = watched({ ...QUICK, replyCap: 30_000, interval: 1000 });
    await pair.client.write('hello');
    deafen(pair.server);
    await pair.client.write('is anybody there?');
    await eventually(() => health.state === 'degraded');
    hearAgain(pair.server);
    await eventually(() => health.state === 'healthy');
    expect(states()).toEqual(['degraded', 'healthy']);
    await eventually(() => !health.healing);
  });

  test('a connection that was reset is lost', async () => {
    const { health, transitions } = watched();
    pair.server.setLinger(0);
    pair.server.close();
    await eventually(() => health.state === 'lost');
    expect(transitions[0]?.reason).toBe('the connection was reset, or given up by the kernel');
    expect(health.healing).toBe(true);
  });

  test('a thread of our own that was blocked counts no miss', async () => {
    const { health, transitions } = watched({ ...QUICK, interval: 50 });
    for (let i = 0; i < 3; i++) {
      await until(Date.now() + 20);
      block(300);
    }
    await eventually(() => health.figures.answered >= 5);
    expect(health.figures.lateTurns).toBeGreaterThan(0);
    expect(health.figures.missed).toBe(0);
    expect(transitions).toEqual([]);
  });

  test('setInterval() takes effect at once', async () => {
    const { health } = watched({ interval: 3_600_000 });
    await eventually(() => health.figures.sent === 1);
    health.setInterval(10);
    await eventually(() => health.figures.answered >= 5);
    expect(health.figures.interval).toBe(10);
    for (const [interval, code] of [
      [5, 'ERR_OUT_OF_RANGE'],
      ['10', 'ERR_INVALID_ARG_TYPE'],
      [undefined, 'ERR_INVALID_ARG_TYPE'],
    ] as const) {
      expect(() => health.setInterval(interval as number)).toThrow(expect.objectContaining({ code }));
    }
  });

  test('stop() and close() end it, and the figures stay', async () => {
    const { health } = watched({ ...QUICK, interval: 10 });
    await eventually(() => health.figures.sent >= 2);
    health.stop();
    health.stop();
    const { figures } = health;
    await until(Date.now() + 50);
    expect(health.figures).toEqual(figures);
    health.setInterval(20);

    const other = watch(pair.server, { ...QUICK, interval: 10 });
    await eventually(() => other.figures.sent >= 2);
    pair.server.close();
    await until(Date.now() + 50);
    const { sent } = other.figures;
    await until(Date.now() + 50);
    expect(other.figures).toMatchObject({ sent, state: 'healthy' });
  });

  test('a listener can be ended, and what one throws ends no other', async () => {
    const { stdout, code } = await runScript(`
      import { dial, listen } from 'spliceway';
      import { watch } from 'spliceway/health';
      const listener = await listen('tcp', '127.0.0.1:0');
      const [server, client] = await Promise.all([listener.accept(), dial('tcp', String(listener.addr))]);
      process.on('uncaughtException', (error) => console.log('uncaught', error.message));
      const health = watch(client, { interval: 10 });
      health.onTransition(() => { throw new Error('mine'); });
      health.onTransition(() => console.log('never'))();
      health.onTransition(({ to }) => { console.log(to); listener.close(); });
      server.setLinger(0);
      server.close();
      await listener.accept().catch(() => {});
    `);
    expect({ stdout, code }).toEqual({ stdout: 'lost\nuncaught mine\n', code: 0 });
  });

  test('keeps no process alive', async () => {
    const { code, stdout } = await runScript(`
      import { dial, listen } from 'spliceway';
      import { watch } from 'spliceway/health';
      const listener = await listen('tcp', '127.0.0.1:0');
      const [server, client] = await Promise.all([listener.accept(), dial('tcp', String(listener.addr))]);
      globalThis.kept = [server, client, watch(client)];
      console.log('over');
    `);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'over\n' });
  });

  test('keeps no connection from being collected', async () => {
    const { code, stdout } = await runScript(
      `
      import { dial, listen } from 'spliceway';
      import { watch } from 'spliceway/health';
      import { setImmediate } from 'node:timers/promises';
      const listener = await listen('tcp', '127.0.0.1:0');
      const server = await (async () => {
        const [server, client] = await Promise.all([listener.accept(), dial('tcp', String(listener.addr))]);
        globalThis.health = watch(client, { interval: 3600000 });
        return server;
      })();
      const read = server.read();
      let ended = false;
      read.then((chunk) => { ended = chunk === null; });
      while (!ended) { gc(); await setImmediate(); }
      console.log('collected');
    `,
      { node: ['--expose-gc'] },
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'collected\n' });
  });
});

describe.runIf(hasPython)('what the kernel is told', () => {
  const probes = () => {
    const { keepIdle, keepInterval, keepCount } = socketOptions(pair.client);
    return [keepIdle, keepInterval, keepCount];
  };

  test('by default probes that are over when the model says so', () => {
    const health = watch(pair.client);
    expect(probes()).toEqual([5, 1, 8]);
    expect(socketOptions(pair.client).userTimeout).toBe(0);
    health.setInterval(30_000);
    expect(probes()).toEqual([30, 1, 8]);
  });

  test('keepAlive: its own values, or as they are', () => {
    const keepAlive = { enable: true, idle: 20_000, interval: 3000, count: 4 };
    watch(pair.client, { keepAlive }).setInterval(100);
    expect(probes()).toEqual([20, 3, 4]);
    watch(pair.client, { keepAlive: false }).setInterval(1000);
    expect(probes()).toEqual([20, 3, 4]);
  });

  test('userTimeout: TCP_USER_TIMEOUT', () => {
    watch(pair.client, { userTimeout: 7000 });
    expect(socketOptions(pair.client).userTimeout).toBe(7000);
  });
});
