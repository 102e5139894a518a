// Pools of sockets: what happens to a connection that idles is seen, and no dead one is lent.

import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dial, listen, pipe, type SocketListener, type TCPConn, type UnixConn } from 'spliceway';
import { Pool, type PoolOptions } from 'spliceway/pool';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runScript } from '../support/child.ts';
import { openSockets } from '../support/fds.ts';
import { socketPath } from '../support/pair.ts';
import { eventually, isPending, turns } from '../support/time.ts';

type AnyConn = TCPConn | UnixConn;

const discarded = (pool: Pool<never>) =>
  Object.fromEntries(Object.entries(pool.stats().discarded).filter(([, count]) => count > 0));

describe.each(['tcp', 'unix'] as const)('over %s', (network) => {
  let listener: SocketListener<AnyConn>;
  let pools: Pool<AnyConn>[];

  beforeEach(async () => {
    listener = await listen(network as 'tcp', network === 'tcp' ? '127.0.0.1:0' : socketPath());
    pools = [];
  });
  afterEach(() => {
    listener.close();
    for (const pool of pools) pool.close();
  });

  function poolOf(options: Partial<PoolOptions<AnyConn>> = {}): Pool<AnyConn> {
    const connect = ({ signal }: { signal: AbortSignal }) => dial(network as 'tcp', `${listener.addr}`, { signal });
    const pool = new Pool<AnyConn>({ connect, ...options });
    pools.push(pool);
    return pool;
  }

  /** A pool with one connection idle, and the server's end of it. */
  async function idling(options: Partial<PoolOptions<AnyConn>> = {}) {
    const pool = poolOf(options);
    const [peer] = await Promise.all([listener.accept(), pool.prewarm(1)]);
    return { pool, peer };
  }

  const exchange = async (conn: AnyConn, peer: AnyConn) => {
    await conn.write('question');
    await peer.read();
    await peer.write('answer');
    return `${await conn.read()}`;
  };

  test('a connection serves one borrower after the other', async () => {
    const { pool, peer } = await idling();
    for (let i = 0; i < 3; i++) {
      using lease = await pool.borrow();
      expect(await exchange(lease.conn, peer)).toBe('answer');
    }
    expect(pool.stats()).toMatchObject({ connects: 1, idle: 1 });
  });

  test.each([
    ['FIN', 'ended', (peer: AnyConn) => peer.close()],
    ['half-close', 'ended', (peer: AnyConn) => peer.closeWrite()],
    ['stray bytes', 'stray', (peer: AnyConn) => void peer.write('!')],
  ])("the peer's %s while it idles has it closed", async (_, reason, act) => {
    const { pool, peer } = await idling();
    act(peer);
    await eventually(() => pool.stats().open === 0);
    expect(discarded(pool as never)).toEqual({ [reason]: 1 });
    const [, lease] = await Promise.all([listener.accept(), pool.borrow()]);
    expect(lease.conn.state).toBe('new');
  });

  test('what came while it was lent, and nobody read, has it closed on return', async () => {
    const { pool, peer } = await idling();
    const lease = await pool.borrow();
    await peer.write('never read');
    await turns();
    lease.release();
    expect(discarded(pool as never)).toEqual({ stray: 1 });
    expect(lease.conn.state).toBe('closed');
  });

  test('bytes read in part, or put back, are stray', async () => {
    for (const unread of [false, true]) {
      const { pool, peer } = await idling();
      const lease = await pool.borrow();
      await peer.write('12345');
      await lease.conn.read(unread ? Buffer.alloc(5) : Buffer.alloc(2));
      if (unread) lease.conn.unread(Buffer.from('5'));
      lease.release();
      expect(discarded(pool as never)).toEqual({ stray: 1 });
    }
  });

  test('bytes read to the last do no harm, whatever the size of the reads', async () => {
    const { pool, peer } = await idling();
    const lease = await pool.borrow();
    await peer.write('1234');
    await lease.conn.read(Buffer.alloc(2));
    await lease.conn.read(Buffer.alloc(2));
    lease.release();
    expect(pool.stats().idle).toBe(1);
  });

  test.each<[string, string, (conn: AnyConn) => unknown]>([
    ['closed', 'closed', (conn) => conn.close()],
    ['being shut down', 'closed', (conn) => conn.shutdown({ timeout: 50 })],
    ['half-closed', 'failed', (conn) => conn.closeWrite()],
    ['closed for reading', 'ended', (conn) => conn.closeRead()],
    ['still being read', 'busy', (conn) => void conn.read()],
    ['still being written', 'busy', (conn) => void conn.write(Buffer.alloc(64 << 20))],
    ['handled', 'busy', (conn) => conn.handle({ data() {} })],
    ['past its deadline', 'deadline', (conn) => conn.setReadDeadline(1)],
    ['past its deadline for writes', 'deadline', (conn) => conn.setWriteDeadline(1)],
  ])('one that is returned %s is closed', async (_, reason, act) => {
    const { pool } = await idling();
    const lease = await pool.borrow();
    act(lease.conn);
    lease.release();
    expect(lease.conn.state).toBe('closed');
    expect(discarded(pool as never)).toEqual({ [reason]: 1 });
  });

  test('a write that failed is remembered', async () => {
    const { pool, peer } = await idling();
    const lease = await pool.borrow();
    if ('setLinger' in peer) peer.setLinger(0);
    peer.close();
    await eventually(() => lease.conn.tryWrite('x') === 0);
    lease.release();
    expect(discarded(pool as never)).toEqual({ failed: 1 });
  });

  test('a deadline that lies ahead is taken off', async () => {
    const { pool, peer } = await idling();
    const lease = await pool.borrow();
    lease.conn.setDeadline(Date.now() + 60_000);
    lease.release();
    const next = await pool.borrow();
    expect(next.conn).toBe(lease.conn);
    next.conn.setReadDeadline(Date.now() + 60_000);
    expect(await exchange(next.conn, peer)).toBe('answer');
  });

  test('it closes under a pool: by an earlier borrower', async () => {
    const { pool } = await idling();
    const lease = await pool.borrow();
    lease.release();
    lease.conn.close();
    expect(discarded(pool as never)).toEqual({ closed: 1 });
    expect(pool.stats().idle).toBe(0);
  });

  test('it is handed from one to the next, only as it should be', async () => {
    const { pool, peer } = await idling({ maxOpen: 1 });
    const lease = await pool.borrow();
    const waiting = pool.borrow();
    lease.release();
    const next = await waiting;
    expect(next.conn).toBe(lease.conn);
    expect(await exchange(next.conn, peer)).toBe('answer');
    const last = pool.borrow();
    void next.conn.read();
    next.release();
    const [, { conn }] = await Promise.all([listener.accept(), last]);
    expect(conn).not.toBe(next.conn);
  });

  test("a lent connection is the borrower's in every way", async () => {
    const { pool, peer } = await idling();
    const lease = await pool.borrow();
    const reading = lease.conn.read();
    expect(await isPending(reading)).toBe(true);
    await peer.write('one');
    expect(`${await reading}`).toBe('one');
    const got: string[] = [];
    lease.conn.handle({ data: (chunk) => got.push(`${chunk}`) });
    await peer.write('two');
    await eventually(() => got.length > 0);
    expect(got).toEqual(['two']);
  });

  test('validateOnBorrow without a hook asks the kernel', async () => {
    const { pool, peer } = await idling({ validateOnBorrow: true });
    expect((await pool.borrow()).release()).toBe(true);
    await peer.write('!');
    // No event is seen between these two calls.
    const [, lease] = await Promise.all([listener.accept(), pool.borrow()]);
    expect(discarded(pool as never)).toEqual({ stray: 1 });
    expect(pool.stats().connects).toBe(2);
    lease.release();
  });

  test.each(['validateOnBorrow', 'validateOnReturn'])('a FIN that comes during the hook of %s counts', async (when) => {
    const asked: ((good: boolean) => void)[] = [];
    const { pool, peer } = await idling({
      maxOpen: 1,
      validateOnBorrow: when === 'validateOnBorrow',
      validateOnReturn: when === 'validateOnReturn',
      validate: () => new Promise((resolve) => asked.push(resolve)),
    });
    const lease = when === 'validateOnReturn' ? await pool.borrow() : null;
    const waiting = pool.borrow();
    lease?.release();
    expect(asked.length).toBe(1);
    peer.close();
    await turns();
    asked[0]?.(true);
    await Promise.all([listener.accept(), waiting]);
    expect(discarded(pool as never)).toEqual({ ended: 1 });
    expect(pool.stats()).toMatchObject({ connects: 2, inUse: 1 });
  });

  test('hooks may talk to the peer', async () => {
    const ping = async (conn: AnyConn) => {
      await conn.write('ping');
      return `${await conn.read()}` === 'pong';
    };
    const { pool, peer } = await idling({ validate: ping, reset: ping, healthCheckInterval: 5 });
    peer.handle({ data: () => void peer.write('pong') });
    const lease = await pool.borrow();
    lease.release();
    await eventually(() => pool.stats().idle === 1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await eventually(() => pool.stats().idle === 1);
    expect((await pool.borrow()).conn).toBe(lease.conn);
  });
});

test('a reset while it idles has it closed', async () => {
  using listener = await listen('tcp', '127.0.0.1:0');
  const pool = new Pool({ connect: () => dial('tcp', `${listener.addr}`) });
  const [peer] = await Promise.all([listener.accept(), pool.prewarm(1)]);
  peer.setLinger(0);
  peer.close();
  await eventually(() => pool.stats().open === 0);
  expect(discarded(pool as never)).toEqual({ failed: 1 });
});

test('pipes are pooled by their state', async () => {
  const ends = pipe();
  const pool = new Pool({ connect: () => ends[0] });
  (await pool.borrow()).release();
  expect(pool.stats().idle).toBe(1);
  const lease = await pool.borrow();
  lease.conn.setReadDeadline(1);
  lease.release();
  expect(discarded(pool as never)).toEqual({ deadline: 1 });
});

test('nothing stays open after close()', async () => {
  using listener = await listen('tcp', '127.0.0.1:0');
  const before = openSockets();
  const pool = new Pool({ connect: () => dial('tcp', `${listener.addr}`) });
  const peers = Promise.all(Array.from({ length: 20 }, () => listener.accept()));
  await pool.prewarm(20);
  for (const peer of await peers) peer.close();
  pool.close();
  expect(openSockets()).toBe(before);
});

describe('the process', () => {
  const program = (rest: string) => `
    import { dial, listen } from 'spliceway';
    import { Pool } from 'spliceway/pool';
    const listener = await listen('tcp', '127.0.0.1:0');
    const pool = new Pool({
      connect: () => dial('tcp', String(listener.addr)),
      idleTimeout: 60_000, maxLifetime: 60_000, leakTimeout: 60_000, healthCheckInterval: 60_000, validate: () => true,
      maxOpen: 1,
    });
    const [peer] = await Promise.all([listener.accept(), pool.prewarm(1)]);
    ${rest}
    setTimeout(() => { console.log('alive'); process.exit(); }, 300).unref();
  `;

  test('does not live for connections that idle, used or not', async () => {
    expect((await runScript(program(''))).stdout).toBe('');
    const used = `
      const lease = await pool.borrow();
      lease.conn.write('x'); await peer.read(); peer.write('y'); await lease.conn.read();
      lease.release();`;
    expect(await runScript(program(used))).toMatchObject({ stdout: '', stderr: '', code: 0 });
  });

  test('lives for a read on a connection that is lent, and for a borrower who waits', async () => {
    expect((await runScript(program('(await pool.borrow()).conn.read();'))).stdout).toBe('alive\n');
    expect((await runScript(program('await pool.borrow(); pool.borrow();'))).stdout).toBe('alive\n');
  });
});

/** Sockets in TIME_WAIT between this machine and that port of it. */
function inTimeWait(port: number): number {
  const TIME_WAIT = '06';
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, remote, state]) => state === TIME_WAIT && (local?.endsWith(suffix) || remote?.endsWith(suffix)))
    .length;
}

describe('TIME_WAIT', () => {
  const ROUNDS = 300;
  let server: Server;
  let port: number;

  beforeEach(async () => {
    server = createServer((socket: Socket) => socket.pipe(socket).on('error', () => {}));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as { port: number }).port;
  });
  afterEach(() => {
    server.close();
  });

  const ask = async (conn: TCPConn) => {
    await conn.write('x');
    await conn.read();
  };

  test('a connection for each request leaves a socket each, a pool none', async () => {
    const dialServer = () => dial('tcp', `127.0.0.1:${port}`);
    const pool = new Pool({ connect: dialServer });
    // Others may have had that number as their own port a while ago.
    const before = inTimeWait(port);
    for (let i = 0; i < ROUNDS; i++) await pool.use(ask);
    expect(inTimeWait(port)).toBeLessThanOrEqual(before);
    for (let i = 0; i < ROUNDS; i++) {
      const conn = await dialServer();
      await ask(conn);
      await conn.shutdown();
    }
    expect(inTimeWait(port)).toBeGreaterThan(ROUNDS * 0.9);
    expect(pool.stats()).toMatchObject({ connects: 1, borrowed: ROUNDS });
    await pool.drain();
  });
});
