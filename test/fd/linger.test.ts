import { dial, listen, type TCPConn } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, MiB, readAll } from '../support/bytes.ts';
import { runScript } from '../support/child.ts';
import { openSockets } from '../support/fds.ts';
import { tcpPair } from '../support/pair.ts';
import { eventually, isPending } from '../support/time.ts';

const onLinux = process.platform === 'linux';
const SECONDS = 30;

/** Fills the connection; how many bytes the kernel took. */
async function fill(conn: TCPConn): Promise<number> {
  const chunk = bytes(1 * MiB);
  let sent = 0;
  for (;;) {
    const writing = conn.write(chunk);
    if (!(await isPending(writing))) {
      sent += chunk.length;
      continue;
    }
    conn.setWriteDeadline(1);
    sent += await writing.catch((error: { bytesWritten: number }) => error.bytesWritten);
    return sent;
  }
}

function milliseconds(call: () => void): number {
  const began = performance.now();
  call();
  return performance.now() - began;
}

describe.runIf(onLinux)('close() with a linger time', () => {
  // Each way in which the time may come to be set.
  const ways: [how: string, set: (conn: TCPConn) => void][] = [
    ['setLinger()', (conn) => conn.setLinger(SECONDS)],
    [
      'setOption()',
      (conn) => conn.setOption('SOL_SOCKET', 'SO_LINGER', new Uint8Array(Int32Array.of(1, SECONDS).buffer)),
    ],
  ];

  test.each(ways)('set by %s returns at once, while the peer still reads', async (_how, set) => {
    using pair = await tcpPair();
    const sent = await fill(pair.client);
    set(pair.client);
    const before = openSockets();
    expect(milliseconds(() => pair.client.close())).toBeLessThan(2000);
    expect(pair.client.state).toBe('closed');
    // The number is free as soon as the thread has begun, long before the wait is over.
    await eventually(() => openSockets() === before - 1);
    expect((await readAll(pair.server)).length).toBe(sent);
  });

  test('that accepted connections inherit from their listener', async () => {
    await using listener = await listen('tcp', '127.0.0.1:0');
    listener.setOption('SOL_SOCKET', 'SO_LINGER', new Uint8Array(Int32Array.of(1, SECONDS).buffer));
    using client = await dial('tcp', `${listener.addr}`);
    const server = await listener.accept();
    expect(server.getOption('SOL_SOCKET', 'SO_LINGER')).toBe(1);
    const sent = await fill(server);
    expect(milliseconds(() => server.close())).toBeLessThan(2000);
    expect((await readAll(client)).length).toBe(sent);
  });

  test('of a listener frees its address at once', async () => {
    const first = await listen('tcp', '127.0.0.1:0');
    first.setOption('SOL_SOCKET', 'SO_LINGER', new Uint8Array(Int32Array.of(1, SECONDS).buffer));
    for (let i = 0; i < 20; i++) {
      const before = openSockets();
      const listener = i === 0 ? first : await listen('tcp', `${first.addr}`);
      listener.setOption('SOL_SOCKET', 'SO_LINGER', new Uint8Array(Int32Array.of(1, SECONDS).buffer));
      listener.close();
      expect(openSockets()).toBe(i === 0 ? before - 1 : before);
    }
  });

  test('of many connections at once, more than there are threads for', async () => {
    const many = 70;
    const chunk = bytes(8 * 1024);
    await using listener = await listen('tcp', '127.0.0.1:0');
    const before = openSockets();
    const ends: [TCPConn, TCPConn][] = [];
    for (let i = 0; i < many; i++) {
      const client = await dial('tcp', `${listener.addr}`);
      const server = await listener.accept();
      client.setWriteBuffer(4096);
      server.setReadBuffer(4096);
      while (client.tryWrite(chunk) > 0);
      client.setLinger(SECONDS);
      ends.push([client, server]);
    }
    expect(milliseconds(() => ends.forEach(([client]) => void client.close()))).toBeLessThan(2000);
    await eventually(() => openSockets() === before + many);
    for (const [, server] of ends) server.close();
    expect(openSockets()).toBe(before);
  });

  const LINGERING = `
    const listener = await listen('tcp', '127.0.0.1:0');
    const client = await dial('tcp', String(listener.addr));
    const server = await listener.accept();
    while (client.tryWrite(Buffer.alloc(65536)) > 0);
    client.setLinger(${SECONDS});
    client.close();
  `;

  test('holds up the end of the process neither where it ends by itself nor by process.exit()', async () => {
    for (const end of ['listener.close(); server.close();', 'process.exit();']) {
      const { code, stderr } = await runScript(`
        import { dial, listen } from 'spliceway';
        ${LINGERING}
        ${end}
      `);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    }
  });

  test('holds up no worker, and outlives the one that alone had loaded the addon', async () => {
    const { code, stdout, stderr } = await runScript(
      `
      import { Worker } from 'node:worker_threads';
      import { setTimeout } from 'node:timers/promises';
      const source = \`
        import { parentPort } from 'node:worker_threads';
        import { dial, listen } from 'spliceway';
        ${LINGERING.replace(String(SECONDS), '1').replaceAll('$', '\\$')}
        globalThis.kept = { server, listener };
        parentPort.postMessage('closed');
        await listener.accept();
      \`;
      for (const end of ['terminate', 'wait']) {
        const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(source.replaceAll("'spliceway'", JSON.stringify(import.meta.resolve('spliceway'))))));
        await new Promise((resolve) => worker.once('message', resolve));
        const began = performance.now();
        await worker.terminate();
        if (performance.now() - began > 900) console.log('late');
      }
      // Until both threads have come back from close(2).
      await setTimeout(1500);
      console.log('alive');
    `,
      { limit: 20_000 },
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'alive\n', stderr: '' });
  });
});

test('a linger time of 0 still resets', async () => {
  using pair = await tcpPair();
  pair.client.setLinger(0);
  pair.client.close();
  await expect(pair.server.read()).rejects.toMatchObject({ code: 'ECONNRESET' });
});
