// Software whose both ends are JavaScript, on our sockets.

import { expect, test } from 'vitest';
import { LARGE, run } from './run.ts';

test('mqtt.js and aedes', async () => {
  const { client, server } = await run('mqtt');
  expect([client.sockets, server.sockets]).toEqual([100, 100]);
  for (const each of [client.bytesWritten, server.bytesRead, server.bytesWritten]) expect(each).toBeGreaterThan(LARGE);
  expect([client.bytesRead, client.bytesWritten]).toEqual([server.bytesWritten, server.bytesRead]);
});

test('autocannon and undici, and an http server that is given connections', async () => {
  const { client, server } = await run('http');
  expect(client.sockets).toBe(50 + 10 + 1);
  expect(server.sockets).toBe(client.sockets);
  for (const each of [client.bytesWritten, server.bytesRead, client.bytesRead]) expect(each).toBeGreaterThan(LARGE);
});

test('ws', async () => {
  const { client, server } = await run('ws');
  expect([client.sockets, server.sockets]).toEqual([100, 100]);
  for (const each of [client, server]) {
    expect(each.bytesRead).toBeGreaterThan(2 * LARGE);
    expect(each.bytesWritten).toBeGreaterThan(2 * LARGE);
  }
});
