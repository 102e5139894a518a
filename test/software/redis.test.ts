// ioredis on our sockets, and a redis-server.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findProgram, freePort, ordinaryUser, Service, serverFolder, titleOf } from '../support/software.ts';
import { LARGE, run } from './run.ts';

const program = findProgram('redis-server');

describe.skipIf(program === null)(titleOf('ioredis', program, 'redis-server'), () => {
  let service: Service;
  let port: number;
  let path: string;

  beforeAll(async () => {
    const folder = serverFolder();
    port = await freePort();
    path = join(folder, 'socket');
    const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--unixsocket', path, '--save', ''];
    service = new Service([program as string, ...options], folder, ordinaryUser());
  });
  afterAll(() => service.stop());

  test('commands, pipelines, 8 MiB each way, messages', async () => {
    const { client } = await run('redis', `${port}`, path);
    expect(client.sockets).toBe(4);
    expect(client.bytesWritten).toBeGreaterThan(2 * 2 * LARGE);
    expect(client.bytesRead).toBeGreaterThan(2 * 3 * LARGE);
  });

  test('a server that is killed and comes back', async () => {
    const before = service.restarts;
    const { client } = await run('redis-restart', `${port}`);
    expect(service.restarts - before).toBe(3);
    expect(client.sockets).toBeGreaterThanOrEqual(2 * 4);
  });
});
