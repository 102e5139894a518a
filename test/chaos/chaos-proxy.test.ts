// A bad network, between a client and an echo.

import { type Conn, dial, listen, type OpError } from 'spliceway';
import { type ChaosOptions, ChaosProxy, type Impairment } from 'spliceway/chaos';
import { afterEach, describe, expect, test } from 'vitest';
import { bytes, KiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { runScript } from '../support/child.ts';
import { socketPath } from '../support/pair.ts';
import { echo, nobody } from '../support/targets.ts';
import { block, eventually, isPending } from '../support/time.ts';

const closing: { close(): unknown }[] = [];

afterEach(() => {
  for (const each of closing.splice(0).reverse()) each.close();
});

async function proxyTo(target: string, options: Omit<ChaosOptions, 'target'> = {}): Promise<ChaosProxy> {
  const proxy = await ChaosProxy.listen('tcp', '127.0.0.1:0', { target, seed: 1, ...options });
  closing.push(proxy);
  return proxy;
}

async function echoBehind(options: Omit<ChaosOptions, 'target'> = {}): Promise<{ proxy: ChaosProxy; conn: Conn }> {
  const { argument, server } = await echo();
  closing.push(server);
  const proxy = await proxyTo(argument, options);
  const conn = await dial('tcp', `${proxy.addr}`);
  closing.push(conn);
  return { proxy, conn };
}

/** How long one byte takes there and back. */
async function roundTrip(conn: Conn): Promise<number> {
  const began = performance.now();
  await conn.write('x');
  await readExactly(conn, 1);
  return performance.now() - began;
}

async function roundTrips(conn: Conn, count: number): Promise<number[]> {
  const times: number[] = [];
  while (times.length < count) times.push(await roundTrip(conn));
  return times;
}

describe('forwarding', () => {
  test('passes every byte, and FINs, both ways', async () => {
    const { proxy, conn } = await echoBehind();
    const sent = bytes(700 * KiB);
    const received = readAll(conn);
    await conn.write(sent);
    if ('closeWrite' in conn) (conn as { closeWrite(): void }).closeWrite();
    expect(sha256(await received)).toBe(sha256(sent));
    await eventually(() => proxy.stats.active === 0);
    expect(proxy.stats).toMatchObject({ accepted: 1, failed: 0, toTarget: { bytes: sent.length, lost: 0 } });
    expect(proxy.stats.toClient.bytes).toBe(sent.length);
  });

  test('listens on a Unix socket and forwards to one, whose files are gone afterwards', async () => {
    const { argument, server } = await echo('unix');
    closing.push(server);
    const path = socketPath();
    const proxy = await ChaosProxy.listen('unix', path, { target: argument });
    const conn = await dial('unix', path);
    await conn.write('hello');
    expect(String(await readExactly(conn, 5))).toBe('hello');
    conn.close();
    proxy.close();
    expect(((await caught(dial('unix', path))) as OpError).code).toBe('ENOENT');
  });

  test('resets clients whose target refuses', async () => {
    const proxy = await proxyTo(await nobody());
    // Whether connecting or reading meets the reset is the kernel's timing.
    const reading = async () => {
      await using conn = await dial('tcp', `${proxy.addr}`);
      await conn.read();
    };
    expect(((await caught(reading())) as OpError).code).toBe('ECONNRESET');
    await eventually(() => proxy.stats.failed === 1);
    expect(proxy.stats.accepted).toBe(1);
  });

  test('goes on while JavaScript is busy', async () => {
    const { proxy, conn } = await echoBehind({ toTarget: { delay: 50 } });
    await roundTrip(conn);
    await conn.write('x');
    const before = proxy.stats.toTarget.bytes;
    block(200);
    expect(proxy.stats.toTarget.bytes).toBe(before + 1);
  });
});

describe('impairments', () => {
  test('a delay of each direction, never less', async () => {
    const { proxy, conn } = await echoBehind({ toTarget: { delay: 20 }, toClient: { delay: 15 } });
    for (const time of await roundTrips(conn, 5)) expect(time).toBeGreaterThanOrEqual(34.9);
    proxy.set({ toTarget: { delay: 0 } });
    const [later] = await roundTrips(conn, 1);
    expect(later).toBeGreaterThanOrEqual(14.9);
    expect(proxy.settings).toMatchObject({ toTarget: { delay: 0 }, toClient: { delay: 15 } });
  });

  test('a lost segment comes a retransmission later, and which are lost a seed repeats', async () => {
    const lossy: Omit<ChaosOptions, 'target'> = { seed: 42, toTarget: { loss: 0.3, retransmitTimeout: 25 } };
    const lostOf = async () => {
      const { proxy, conn } = await echoBehind(lossy);
      const late: boolean[] = [];
      let lost = 0;
      for (let i = 0; i < 20; i++) {
        const time = await roundTrip(conn);
        const isLost = proxy.stats.toTarget.lost > lost;
        lost = proxy.stats.toTarget.lost;
        if (isLost) expect(time).toBeGreaterThanOrEqual(24.9);
        late.push(isLost);
      }
      return late;
    };
    const first = await lostOf();
    expect(first).toContain(true);
    expect(first).toContain(false);
    expect(await lostOf()).toEqual(first);
  });

  test('bandwidth: so many bytes a second, after a tenth of that', async () => {
    const { conn } = await echoBehind({ toClient: { bandwidth: 200_000 } });
    const began = performance.now();
    await conn.write(bytes(60_000));
    await readExactly(conn, 60_000);
    expect(performance.now() - began).toBeGreaterThanOrEqual(195);
  });

  test('slices: small reads at the other side, all of the bytes', async () => {
    const { conn } = await echoBehind({ toClient: { slice: 10, sliceGap: 2 } });
    const sent = bytes(60);
    await conn.write(sent);
    const chunks: Buffer[] = [];
    for (let got = 0; got < sent.length; got += (chunks.at(-1) as Buffer).length) {
      chunks.push((await conn.read()) as Buffer);
    }
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
    expect(chunks.length).toBeGreaterThan(2);
  });

  test('a black hole of one direction holds what comes, the end too, and gives it back', async () => {
    const { proxy, conn } = await echoBehind();
    await roundTrip(conn);
    proxy.blackHole('toClient');
    await conn.write('held');
    await eventually(() => proxy.stats.toTarget.bytes === 5);
    const reading = conn.read();
    expect(await isPending(reading)).toBe(true);
    proxy.blackHole('toClient', false);
    expect(String(await reading)).toBe('held');
  });

  test('a black hole of both hides that a side has gone', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    closing.push(listener);
    const proxy = await proxyTo(`${listener.addr}`);
    const [server, conn] = await Promise.all([listener.accept(), dial('tcp', `${proxy.addr}`)]);
    closing.push(conn);
    proxy.blackHole();
    server.close();
    const reading = conn.read();
    conn.setReadDeadline(Date.now() + 50);
    expect(((await caught(reading)) as OpError).timeout).toBe(true);
    conn.setReadDeadline(null);
    proxy.blackHole('both', false);
    expect(await conn.read()).toBeNull();
  });
});

describe('reset() and close()', () => {
  test('reset() ends the connections there are, and no later ones', async () => {
    const { proxy, conn } = await echoBehind();
    await roundTrip(conn);
    proxy.reset();
    expect(((await caught(conn.read())) as OpError).code).toBe('ECONNRESET');
    await eventually(() => proxy.stats.active === 0);
    const next = await dial('tcp', `${proxy.addr}`);
    closing.push(next);
    await roundTrip(next);
  });

  test('close() ends everything once, and what it has counted stays', async () => {
    const { proxy, conn } = await echoBehind();
    await roundTrip(conn);
    expect(proxy.close()).toBe(true);
    expect(proxy.close()).toBe(false);
    expect(await conn.read().catch((error: OpError) => error.code)).toSatisfy(
      (it) => it === null || it === 'ECONNRESET',
    );
    expect(((await caught(dial('tcp', `${proxy.addr}`))) as OpError).code).toBe('ECONNREFUSED');
    expect(proxy.stats).toMatchObject({ accepted: 1, active: 0, toTarget: { bytes: 1 } });
    proxy.reset();
    proxy.set({ toTarget: { delay: 1 } });
  });

  test('keeps the process alive until it is closed, and not after', async () => {
    const { stdout } = await runScript(`
      import { ChaosProxy } from 'spliceway/chaos';
      const proxy = await ChaosProxy.listen('tcp', '127.0.0.1:0', { target: '127.0.0.1:1' });
      setTimeout(() => console.log('alive', proxy.close()), 50).unref();
    `);
    expect(stdout).toBe('alive true\n');
  });

  test('a process that exits with one open ends at once', async () => {
    const { code } = await runScript(`
      import { ChaosProxy } from 'spliceway/chaos';
      import { dial, listen } from 'spliceway';
      const target = String((await listen('tcp', '127.0.0.1:0')).addr);
      const proxy = await ChaosProxy.listen('tcp', '127.0.0.1:0', { target, toTarget: { delay: 60_000 } });
      await dial('tcp', String(proxy.addr));
      process.exit(3);
    `);
    expect(code).toBe(3);
  });
});

describe('arguments', () => {
  test.each<[Impairment, string]>([
    [{ delay: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ delay: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    [{ jitter: 3_600_001 }, 'ERR_OUT_OF_RANGE'],
    [{ loss: 1.1 }, 'ERR_OUT_OF_RANGE'],
    [{ bandwidth: 0.5 }, 'ERR_OUT_OF_RANGE'],
    [{ slice: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ sliceGap: '1' as never }, 'ERR_INVALID_ARG_TYPE'],
    [{ blackHole: 1 as never }, 'ERR_INVALID_ARG_TYPE'],
  ])('%j', async (toTarget, code) => {
    const proxy = await proxyTo('127.0.0.1:1');
    expect(() => proxy.set({ toTarget })).toThrow(expect.objectContaining({ code }));
    expect(proxy.settings.toTarget.delay).toBe(0);
    expect(await caught(proxyTo('127.0.0.1:1', { toClient: toTarget }))).toMatchObject({ code });
  });

  test('of listen() and the others', async () => {
    const code = async (...args: Parameters<typeof ChaosProxy.listen>) =>
      ((await caught(ChaosProxy.listen(...args))) as OpError).code;
    expect(await code('tcp', ':0', undefined as never)).toBe('ERR_INVALID_ARG_TYPE');
    expect(await code('tcp', ':0', {} as never)).toBe('ERR_INVALID_ARG_TYPE');
    expect(await code('tcp', ':0', { target: 'no address' })).toBe('ERR_SPLICEWAY_ADDRESS');
    expect(await code('tcp', ':0', { target: ':1', seed: -1 })).toBe('ERR_OUT_OF_RANGE');
    expect(await code('unixpacket' as never, '@x', { target: ':1' })).toBe('ERR_INVALID_ARG_VALUE');
    const proxy = await proxyTo('127.0.0.1:1');
    expect(() => proxy.blackHole('up' as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
    expect(() => proxy.blackHole('both', 1 as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
    expect(() => proxy.set(null as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  });
});
