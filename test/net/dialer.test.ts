// Dialer, and how a dial goes through several addresses.

import { networkInterfaces } from 'node:os';
import { Dialer, dial, type Lookup, listen, OpError, type TCPAddr, type TCPConn } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { type Blackhole, blackhole } from '../support/blackhole.ts';
import { caught } from '../support/caught.ts';
import { openSockets } from '../support/fds.ts';
import { socketPath } from '../support/pair.ts';

const hasIPv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
const onLinux = process.platform === 'linux';
const portOf = ({ addr }: { addr: unknown }) => (addr as TCPAddr).port;
const both: Lookup = async () => ['::1', '127.0.0.1'];

const keepAliveOf = (conn: TCPConn) => conn.getOption('SOL_SOCKET', 'SO_KEEPALIVE');
const idleOf = (conn: TCPConn) => conn.getOption('IPPROTO_TCP', 'TCP_KEEPIDLE');

/** A port on which nobody listens, of neither family. */
async function closedPort(): Promise<number> {
  const listener = await listen('tcp', ':0');
  listener.close();
  return portOf(listener);
}

/** A hole on IPv6, and what `onIPv4` opens on the same port of IPv4: some other socket may have that one. */
async function holeAnd<T>(onIPv4: (address: string) => Promise<T>): Promise<[Blackhole, T]> {
  for (;;) {
    const hole = await blackhole('[::1]:0');
    try {
      return [hole, await onIPv4(`127.0.0.1:${portOf(hole)}`)];
    } catch (error) {
      hole[Symbol.dispose]();
      if ((error as OpError).code !== 'EADDRINUSE') throw error;
    }
  }
}

const holeAndListener = () => holeAnd((address) => listen('tcp4', address));

async function took<T>(promise: Promise<T>): Promise<{ value: T; ms: number }> {
  const from = performance.now();
  const value = await promise;
  return { value, ms: performance.now() - from };
}

describe.runIf(hasIPv6 && onLinux)('a name with addresses of both families', () => {
  test('the first family is tried alone for 300 ms, then both', async () => {
    const [one, other] = await holeAndListener();
    using hole = one;
    using listener = other;
    const before = openSockets();
    const { value: client, ms } = await took(dial('tcp', `name.test:${portOf(hole)}`, { lookup: both }));
    expect(`${client.remoteAddr}`).toBe(`${listener.addr}`);
    expect(ms).toBeGreaterThanOrEqual(295);
    client.close();
    expect(openSockets()).toBe(before);
  });

  test('fallbackDelay says for how long', async () => {
    const [one, other] = await holeAndListener();
    using hole = one;
    using _listener = other;
    const dialer = new Dialer({ lookup: both, fallbackDelay: 30 });
    const { value: client, ms } = await took(dialer.dial('tcp', `name.test:${portOf(hole)}`));
    client.close();
    expect(ms).toBeGreaterThanOrEqual(29);
    expect(ms).toBeLessThan(280);
  });

  test('a first family that fails hands over at once', async () => {
    using listener = await listen('tcp4', '127.0.0.1:0');
    const { value: client, ms } = await took(
      dial('tcp', `name.test:${portOf(listener)}`, { lookup: both, fallbackDelay: 60_000 }),
    );
    using _client = client;
    expect(`${client.remoteAddr}`).toBe(`${listener.addr}`);
    expect(ms).toBeLessThan(30_000);
  });

  test('when both fail, the error of the first family is told, and all of them are listed', async () => {
    const port = await closedPort();
    const error = (await caught(dial('tcp', `name.test:${port}`, { lookup: both }))) as OpError;
    expect(error.message).toBe(`dial tcp [::1]:${port}: connect: connection refused`);
    expect(error.errors?.map((each) => `${each.addr}`)).toEqual([`[::1]:${port}`, `127.0.0.1:${port}`]);
    for (const each of error.errors ?? []) expect(each).toBeInstanceOf(OpError);
  });

  test('a negative fallbackDelay: one after the other, each with its share of the time', async () => {
    const [one, other] = await holeAndListener();
    using hole = one;
    using _listener = other;
    const error = await caught(
      dial('tcp', `name.test:${portOf(hole)}`, { lookup: both, fallbackDelay: -1, timeout: 200 }),
    );
    expect(error).toMatchObject({ timeout: true, addr: { ip: '::1' } });
  });

  test('an abort ends both', async () => {
    const [one, other] = await holeAnd(blackhole);
    using hole6 = one;
    using _hole4 = other;
    const before = openSockets();
    const controller = new AbortController();
    const dialing = dial('tcp', `name.test:${portOf(hole6)}`, {
      lookup: both,
      fallbackDelay: 1,
      signal: controller.signal,
    });
    await expect.poll(openSockets).toBe(before + 2);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await caught(dialing)).toBe(reason);
    expect(openSockets()).toBe(before);
  });
});

describe('Dialer', () => {
  test.runIf(onLinux)('holds options for any number of dials; a timeout begins anew with each', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const dialer = new Dialer({ timeout: 60_000, keepAlive: -1 });
    for (let i = 0; i < 3; i++) {
      using client = await dialer.dial('tcp', `${listener.addr}`);
      expect(keepAliveOf(client)).toBe(0);
    }
    expect(dialer.options.timeout).toBe(60_000);
  });

  test('checks its options when it is made', () => {
    expect(() => new Dialer({ timeout: 'soon' as never })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
    expect(() => new Dialer({ control: {} as never })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
  });

  test('takes a signal for each dial', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const reason = new Error('never');
    const dialing = new Dialer().dial('tcp', `${listener.addr}`, { signal: AbortSignal.abort(reason) });
    expect(await caught(dialing)).toBe(reason);
  });
});

describe('timeout', () => {
  test('a negative one is over at once, though the target listens', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const error = await caught(dial('tcp', `${listener.addr}`, { timeout: -1 }));
    expect(error).toMatchObject({ timeout: true, message: `dial tcp ${listener.addr}: i/o timeout` });
  });
});

describe('control', () => {
  test('is called with the concrete network, the address and the descriptor, before connect', async () => {
    using listener = await listen('tcp4', '127.0.0.1:0');
    const calls: unknown[] = [];
    using _client = await dial('tcp', `${listener.addr}`, {
      control(network, address, conn) {
        conn.control((fd) => calls.push([network, address, fd > 2]));
      },
    });
    expect(calls).toEqual([['tcp4', `${listener.addr}`, true]]);
    using unix = await listen('unix', socketPath());
    using _other = await dial('unix', `${unix.addr}`, { control: (...args) => calls.push(args.slice(0, 2)) });
    expect(calls.at(-1)).toEqual(['unix', `${unix.addr}`]);
  });

  test('what it throws fails the dial, as its cause, and leaves no socket', async () => {
    using listener = await listen('tcp4', '127.0.0.1:0');
    const before = openSockets();
    const refusal = new Error('control refused');
    const control = () => {
      throw refusal;
    };
    const error = (await caught(dial('tcp', `${listener.addr}`, { control }))) as OpError;
    expect(error).toMatchObject({ op: 'dial', message: `dial tcp ${listener.addr}: control refused` });
    expect(error.cause).toBe(refusal);
    expect(openSockets()).toBe(before);
  });

  test('must not be asynchronous', async () => {
    const error = (await caught(dial('tcp', '127.0.0.1:1', { control: (async () => {}) as never }))) as OpError;
    expect(error.cause).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  });
});

describe.runIf(onLinux)('keepAlive', () => {
  test.each([
    [undefined, 1, 15],
    [true, 1, 15],
    [0, 1, 15],
    [2500, 1, 3],
    [-1, 0, undefined],
    [false, 0, undefined],
  ])('%s', async (keepAlive, on, idle) => {
    using listener = await listen('tcp', '127.0.0.1:0', { keepAlive });
    using client = await dial('tcp', `${listener.addr}`, { keepAlive });
    using server = await listener.accept();
    for (const conn of [client, server]) {
      expect(keepAliveOf(conn)).toBe(on);
      if (idle !== undefined) expect(idleOf(conn)).toBe(idle);
    }
  });

  test('keepAliveConfig wins over it', async () => {
    using listener = await listen('tcp', '127.0.0.1:0');
    const keepAliveConfig = { enable: true, idle: 7000 };
    using client = await dial('tcp', `${listener.addr}`, { keepAlive: -1, keepAliveConfig });
    expect(idleOf(client)).toBe(7);
  });
});

describe('multipathTCP', () => {
  test('carries bytes, to a listener that has it and to one that has not', async () => {
    for (const multipathTCP of [true, false]) {
      using listener = await listen('tcp', '127.0.0.1:0', { multipathTCP });
      using client = await dial('tcp', `${listener.addr}`, { multipathTCP: true });
      using server = await listener.accept();
      await client.write('over any path');
      expect(String(await server.read())).toBe('over any path');
      expect(`${client.localAddr}`).toBe(`${server.remoteAddr}`);
    }
  });

  test('a control hook that refuses is asked again for plain TCP', async () => {
    let calls = 0;
    const control = () => {
      calls++;
      throw new Error('no');
    };
    expect(await caught(listen('tcp', '127.0.0.1:0', { multipathTCP: true, control }))).toBeInstanceOf(OpError);
    expect(await caught(dial('tcp', '127.0.0.1:1', { multipathTCP: true, control }))).toBeInstanceOf(OpError);
    expect(calls).toBe(4);
  });
});
