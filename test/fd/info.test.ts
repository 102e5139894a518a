import { dial, listen } from 'spliceway';
import { describe, expect, test } from 'vitest';
import { bytes, KiB, MiB, readExactly } from '../support/bytes.ts';
import { caught } from '../support/caught.ts';
import { socketPath, tcpPair, unixPair } from '../support/pair.ts';
import { eventually, turns } from '../support/time.ts';

const onLinux = process.platform === 'linux';

describe('TCPConn.info()', () => {
  test('state, round trips, windows, segments', async () => {
    using pair = await tcpPair();
    await pair.client.write('ping');
    await pair.server.read();
    const info = pair.client.info();
    expect(info.state).toBe('established');
    expect(info.congestionWindow).toBeGreaterThanOrEqual(1);
    expect(info.slowStartThreshold).toBeGreaterThan(1);
    expect(info.sendMss).toBeGreaterThanOrEqual(500);
    // Milliseconds: the kernel's microseconds of a loopback round trip would read as seconds.
    expect(info.rtt).toBeGreaterThan(0);
    expect(info.rtt).toBeLessThan(200);
    expect(info.retransmitTimeout).toBeGreaterThanOrEqual(info.rtt);
  });

  test.runIf(onLinux)('bytes sent, acknowledged and received', async () => {
    using pair = await tcpPair();
    const [there, back] = [100_000, 5_000];
    await pair.client.write(bytes(there));
    await readExactly(pair.server, there);
    await pair.server.write(bytes(back));
    await readExactly(pair.client, back);
    await eventually(() => pair.client.info().bytesAcked === there + 1); // the SYN counts
    expect(pair.client.info()).toMatchObject({
      bytesSent: there,
      bytesReceived: back,
      bytesRetransmitted: 0,
      bytesNotSent: 0,
      retransmits: 0,
      lost: 0,
      unread: 0,
      unsent: 0,
      congestionState: 'open',
    });
    const info = pair.client.info();
    expect(info.minRtt).toBeLessThanOrEqual(info.rtt * 2);
    expect(info.segmentsSent).toBeGreaterThan(1);
    expect(info.pacingRate).toBeGreaterThan(0);
    expect(info.maxPacingRate).toBe(Number.POSITIVE_INFINITY);
    expect(info.deliveryRate).toBeGreaterThan(0);
    for (const [name, value] of Object.entries(info)) {
      if (typeof value === 'number') expect(value, name).toBeGreaterThanOrEqual(0);
    }
  });

  test('what was not read, and what was not taken', async () => {
    using pair = await tcpPair();
    await pair.server.write('12345');
    await eventually(() => pair.client.info().unread === 5);
    const chunk = bytes(64 * KiB);
    while (pair.client.tryWrite(chunk) > 0);
    await turns();
    expect(pair.client.info().unsent).toBeGreaterThan(0);
  });

  test('the states of closing', async () => {
    using pair = await tcpPair();
    pair.client.closeWrite();
    await eventually(() => pair.client.info().state === 'fin-wait-2');
    expect(pair.server.info().state).toBe('close-wait');
  });

  test('when closed: ErrClosed', async () => {
    using pair = await tcpPair();
    pair.client.close();
    const { client } = pair;
    expect(() => client.info()).toThrow(
      expect.objectContaining({
        op: 'get',
        code: 'ERR_SPLICEWAY_CLOSED',
        message: `get tcp ${client.localAddr}->${client.remoteAddr}: use of closed network connection`,
      }),
    );
  });
});

describe.each(['unix', 'unixpacket'] as const)('UnixConn.info() over %s', (network) => {
  test.skipIf(!onLinux && network === 'unixpacket')('what waits in both directions', async () => {
    using pair = await unixPair(network);
    expect(pair.client.info()).toEqual({ unread: 0, unsent: 0 });
    await pair.client.write('12345');
    await pair.client.write('678');
    expect(pair.server.info().unread).toBe(8);
    expect(pair.client.info().unsent).toBeGreaterThanOrEqual(8);
    await readExactly(pair.server, 8);
    await eventually(() => pair.client.info().unsent === 0);
    pair.client.close();
    expect(() => pair.client.info()).toThrow(expect.objectContaining({ op: 'get', code: 'ERR_SPLICEWAY_CLOSED' }));
  });
});

describe('Listener.info()', () => {
  const listeners: [network: 'tcp' | 'unix', address: () => string][] = [
    ['tcp', () => '127.0.0.1:0'],
    ['unix', socketPath],
  ];

  test.runIf(onLinux).each(listeners)('%s: how many connections wait, and how many may', async (network, address) => {
    await using listener = await listen(network, address(), { backlog: 7 });
    expect(listener.info()).toMatchObject({ queued: 0, backlog: 7, refused: 0 });
    const conns = await Promise.all([1, 2, 3].map(() => dial(network, `${listener.addr}`)));
    await eventually(() => listener.info().queued === 3);
    (await listener.accept()).close();
    expect(listener.info().queued).toBe(2);
    for (const conn of conns) conn.close();
  });

  test.runIf(onLinux)('tcp: what a full queue dropped, here and everywhere', async () => {
    await using listener = await listen('tcp', '127.0.0.1:0', { backlog: 1 });
    const before = listener.info();
    expect(before).toMatchObject({
      dropped: 0,
      everywhere: { overflows: expect.any(Number), drops: expect.any(Number) },
    });
    const dials = Array.from({ length: 6 }, () => dial('tcp', `${listener.addr}`, { timeout: 300 }).catch(() => null));
    await eventually(() => (listener.info().dropped ?? 0) > 0);
    const after = listener.info();
    expect(after.everywhere?.drops).toBeGreaterThan(before.everywhere?.drops ?? 0);
    for (const conn of await Promise.all(dials)) conn?.close();
  });

  test('when closed: ErrClosed', async () => {
    const listener = await listen('tcp', '127.0.0.1:0');
    listener.close();
    expect(() => listener.info()).toThrow(
      expect.objectContaining({ message: `get tcp ${listener.addr}: use of closed network connection` }),
    );
    expect(await caught(listener.accept())).toMatchObject({ op: 'accept' });
  });
});

test('asking a thousand times leaves nothing behind', async () => {
  using pair = await tcpPair();
  await pair.client.write(bytes(1 * MiB).subarray(0, 10));
  for (let i = 0; i < 1000; i++) pair.client.info();
  expect(pair.client.info().state).toBe('established');
});
