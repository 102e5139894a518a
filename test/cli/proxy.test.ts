import { setImmediate } from 'node:timers/promises';
import { type Conn, dial, type Listener, listen } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { blackhole } from '../support/blackhole.ts';
import { bytes, KiB, MiB, readAll, readExactly, sha256 } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { MIXES, reset, send } from '../support/chain.ts';
import { startCli } from '../support/cli.ts';
import { socketPath } from '../support/pair.ts';
import { nobody, type Socket, target } from '../support/targets.ts';
import { eventually } from '../support/time.ts';

async function joined(proxy: { dial(): Promise<Socket> }, to: Listener<Socket>): Promise<[Socket, Socket]> {
  return Promise.all([proxy.dial(), to.accept()]);
}

const place = (network: 'tcp' | 'unix') => (network === 'tcp' ? '127.0.0.1:0' : `unix:${socketPath()}`);

/** Until the end or a failure. */
async function over(conn: Conn): Promise<void> {
  await readAll(conn).catch(() => {});
}

describe.each(MIXES)('%s to %s', (first, second) => {
  test('bytes pass unchanged, both ways at once, on several connections', async () => {
    using to = await target(second);
    await using proxy = await startCli('proxy', place(first), to.argument);
    expect(proxy.network).toBe(first);
    await Promise.all(
      [1, 2, 3].map(async (seed) => {
        const client = await proxy.dial();
        const upstream = await to.accept();
        // Which client this one belongs to is not known: both directions carry the same bytes.
        const all = bytes(4 * MiB);
        const [there, back] = await Promise.all([
          readAll(upstream),
          readAll(client),
          send(client, all),
          send(upstream, all),
        ]);
        expect([seed, sha256(there), sha256(back)]).toEqual([seed, sha256(all), sha256(all)]);
        client.close();
        upstream.close();
      }),
    );
    expect(await proxy.stop()).toMatchObject({ code: 0, signal: null, stderr: '' });
  });

  test('a half-close passes, either way, and the answer comes back', async () => {
    using to = await target(second);
    await using proxy = await startCli('proxy', place(first), to.argument);
    for (const asker of ['client', 'target']) {
      const [client, upstream] = await joined(proxy, to);
      const [asking, answering] = asker === 'client' ? [client, upstream] : [upstream, client];
      await send(asking, 'question');
      expect(String(await readAll(answering))).toBe('question');
      await send(answering, 'answer');
      expect(String(await readAll(asking))).toBe('answer');
      client.close();
      upstream.close();
    }
  });

  test('a slow reader holds back the writer, and loses nothing', async () => {
    using to = await target(second);
    await using proxy = await startCli('proxy', place(first), to.argument);
    const [client, upstream] = await joined(proxy, to);
    const all = bytes(64 * MiB);
    upstream.setWriteDeadline(Date.now() + 300);
    const { bytesWritten = 0, timeout } = await caught(upstream.write(all));
    expect(timeout).toBe(true);
    upstream.setWriteDeadline(null);
    const sending = send(upstream, all.subarray(bytesWritten));
    const got: Buffer[] = [];
    for (let chunk = await client.read(); chunk !== null; chunk = await client.read()) {
      got.push(chunk);
      if (got.length % 64 === 0) await setImmediate();
    }
    await sending;
    expect(sha256(Buffer.concat(got))).toBe(sha256(all));
    client.close();
    upstream.close();
  });

  test.each(['client', 'target'] as const)('a %s that goes away ends its own pair only', async (who) => {
    using to = await target(second);
    await using proxy = await startCli('proxy', place(first), to.argument);
    const [steady, steadyUpstream] = await joined(proxy, to);
    const [client, upstream] = await joined(proxy, to);
    const [leaver, stayer] = who === 'client' ? [client, upstream] : [upstream, client];
    await leaver.write('last words');
    expect(String(await readExactly(stayer, 10))).toBe('last words');
    reset(leaver);
    await over(stayer);
    stayer.close();
    await steady.write('still here');
    expect(String(await readExactly(steadyUpstream, 10))).toBe('still here');
    steady.close();
    await over(steadyUpstream);
    steadyUpstream.close();
    expect(await proxy.stop()).toMatchObject({ code: 0, signal: null });
  });
});

describe('resets', () => {
  test.each(['client', 'target'] as const)(
    'a %s that resets in the middle of bytes ends the other side',
    async (who) => {
      using to = await target();
      await using proxy = await startCli('proxy', '127.0.0.1:0', to.argument);
      const [client, upstream] = await joined(proxy, to);
      const [leaver, stayer] = who === 'client' ? [client, upstream] : [upstream, client];
      const writing = stayer.write(bytes(64 * MiB)).catch((error: unknown) => error);
      await readExactly(leaver, 100 * KiB);
      reset(leaver);
      expect(await writing).toMatchObject({ name: 'OpError' });
      stayer.close();
      const [next, nextUpstream] = await joined(proxy, to);
      await next.write('next');
      expect(String(await nextUpstream.read())).toBe('next');
      next.close();
      nextUpstream.close();
    },
  );

  test('a client that resets before its target is connected leaves nothing behind', async () => {
    using to = await target();
    await using proxy = await startCli('proxy', '127.0.0.1:0', to.argument, '--json');
    for (let i = 0; i < 50; i++) reset(await proxy.dial());
    // Some of them never get a target.
    const over = () => proxy.stdout.match(/"event":"(end|reject)"/g)?.length ?? 0;
    await eventually(() => over() === 50);
    expect(await proxy.stop()).toMatchObject({ code: 0 });
  });
});

describe('targets', () => {
  test('that are down: the client is closed, standard error says why, and the proxy lives', async () => {
    const address = await nobody();
    await using proxy = await startCli('proxy', '127.0.0.1:0', address);
    using client = await proxy.dial();
    await over(client);
    expect(proxy.stderr).toBe(`dial tcp ${address}: connect: connection refused\n`);
    // It comes up, and the next client is served.
    using to = await listen('tcp', address);
    const [next, upstream] = await joined(proxy, to);
    await send(next, 'hello');
    expect(String(await readAll(upstream))).toBe('hello');
    next.close();
    upstream.close();
    expect(await proxy.stop()).toMatchObject({ code: 0, stdout: `listening tcp ${proxy.address}\n` });
  });

  test('that are no socket, or a name that nobody knows, are told in the same way', async () => {
    await using proxy = await startCli('proxy', '127.0.0.1:0', 'unix:/nonexistent/x.sock', 'no-such-host.invalid:80');
    using client = await proxy.dial();
    await over(client);
    await eventually(() => proxy.stderr.split('\n').length === 3);
    expect(proxy.stderr).toContain('dial unix /nonexistent/x.sock: connect: no such file or directory\n');
    expect(proxy.stderr).toContain('lookup no-such-host.invalid: ');
  });

  test('take turns, and one that is down is passed over', async () => {
    using one = await target();
    using two = await target('unix');
    const down = await nobody();
    await using proxy = await startCli('proxy', '127.0.0.1:0', one.argument, down, two.argument);
    // Turn by turn: one; down, so two; two.
    for (const to of [one, two, two, one]) {
      const [client, upstream] = await joined(proxy, to);
      await send(client, 'x');
      expect(String(await readAll(upstream))).toBe('x');
      client.close();
      upstream.close();
    }
    expect(proxy.stderr).toBe(`dial tcp ${down}: connect: connection refused\n`);
  });

  test('that do not answer do not keep the proxy from stopping', async () => {
    using hole = await blackhole();
    await using proxy = await startCli('proxy', '127.0.0.1:0', `${hole.addr}`, '--drain-timeout', '500ms');
    using client = await proxy.dial();
    await client.write('hello');
    const from = performance.now();
    expect(await proxy.stop()).toMatchObject({ code: 0, signal: null });
    // Less than connecting may take.
    expect(performance.now() - from).toBeLessThan(4000);
    await over(client);
  });
});

test('stopping lets pairs end, then closes them', async () => {
  using to = await target();
  await using proxy = await startCli('proxy', '127.0.0.1:0', to.argument, '--drain-timeout', '1s');
  const [quick, quickUpstream] = await joined(proxy, to);
  const [idle, idleUpstream] = await joined(proxy, to);
  await idle.write('x');
  await idleUpstream.read();
  await quick.write('x');
  await quickUpstream.read();
  const stopping = proxy.stop('SIGINT');
  await send(quick, 'last');
  expect(String(await readAll(quickUpstream))).toBe('last');
  quickUpstream.closeWrite();
  expect(await quick.read()).toBeNull();
  expect(await idle.read()).toBeNull();
  expect(await idleUpstream.read()).toBeNull();
  expect(await stopping).toMatchObject({ code: 0, signal: null });
  for (const conn of [quick, quickUpstream, idle, idleUpstream]) conn.close();
});

test('one in front of another is a proxy like any other', async () => {
  await using echo = await startCli('echo', `unix:${socketPath()}`);
  await using inner = await startCli('proxy', `unix:${socketPath()}`, `unix:${echo.address}`);
  await using outer = await startCli('proxy', '127.0.0.1:0', `unix:${inner.address}`);
  using conn = await dial('tcp', outer.address);
  const all = bytes(8 * MiB);
  const [back] = await Promise.all([readAll(conn), send(conn, all)]);
  expect(sha256(back)).toBe(sha256(all));
});
