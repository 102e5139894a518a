// pg on our sockets, and a PostgreSQL.

import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPostgres, freePort, giveFile, ordinaryUser, Service, serverFolder, titleOf } from '../support/software.ts';
import { LARGE, run } from './run.ts';

const initdb = findPostgres();

describe.skipIf(initdb === null)(titleOf('pg', initdb, 'PostgreSQL'), () => {
  let service: Service;
  let port: number;
  let folder: string;

  beforeAll(async () => {
    const user = ordinaryUser();
    folder = serverFolder(user);
    port = await freePort();
    const made = spawnSync(
      initdb as string,
      ['--pgdata', folder, '--username=spliceway', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'],
      { ...user, cwd: folder, encoding: 'utf8' },
    );
    expect(made).toMatchObject({ status: 0 });
    for (const name of ['key.pem', 'cert.pem']) giveFile(new URL(`../support/tls/${name}`, import.meta.url), folder);
    const settings = ['fsync=off', 'ssl=on', 'ssl_key_file=key.pem', 'ssl_cert_file=cert.pem'].flatMap((set) => [
      '-c',
      set,
    ]);
    const command = [
      join(dirname(initdb as string), 'postgres'),
      '-D',
      folder,
      '-k',
      folder,
      '-h',
      '127.0.0.1',
      '-p',
      `${port}`,
    ];
    service = new Service([...command, ...settings], folder, user);
  });
  afterAll(() => service?.stop());

  test('queries, 8 MiB each way, notifications, a pool; also over TLS', async () => {
    const { client } = await run('postgres', `${port}`, folder);
    expect(client.sockets).toBe(3 * 11);
    expect(client.bytesWritten).toBeGreaterThan(3 * LARGE);
    expect(client.bytesRead).toBeGreaterThan(3 * LARGE);
  });

  test('a server that loses a process, and all its sessions', async () => {
    const { client } = await run('postgres-restart', `${port}`);
    expect(client.sockets).toBeGreaterThanOrEqual(2 * 6);
  });
});
